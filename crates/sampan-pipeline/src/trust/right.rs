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
    /// The engine of the installation, where a deployment names no cluster.
    Engine,
    /// The logins to registries that are kept on the machine, where a step brings none.
    Logins,
    /// Names of images that all projects share; those of others are seen by the project alone.
    Images,
}

impl Right {
    /// All rights.
    pub const ALL: [Self; 6] = [
        Self::Privileges,
        Self::Volumes,
        Self::Network,
        Self::Engine,
        Self::Logins,
        Self::Images,
    ];

    /// Its name in `ci.yaml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Privileges => "privileges",
            Self::Volumes => "volumes",
            Self::Network => "network",
            Self::Engine => "engine",
            Self::Logins => "logins",
            Self::Images => "images",
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
