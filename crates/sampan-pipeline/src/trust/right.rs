//! Rights.

use std::fmt;

/// What a project may be trusted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// Containers with rights of the machine: privileged ones, capabilities, devices, kernel parameters, the machine's
    /// processes and users.
    Privileges,
    /// Folders of the machine, and volumes that stay after the run.
    Volumes,
    /// The machine's network, and those of other containers.
    Network,
}

impl Right {
    /// All rights.
    pub const ALL: [Self; 3] = [Self::Privileges, Self::Volumes, Self::Network];

    /// Its name in `ci.yaml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Privileges => "privileges",
            Self::Volumes => "volumes",
            Self::Network => "network",
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
