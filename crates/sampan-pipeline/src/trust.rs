//! What pipelines may ask of the machine that runs them.
//!
//! A pipeline comes with the source tree, and so from anyone who can change that. What reaches beyond a step's own
//! container needs a right, and a project has none unless the installation or the user of this run gives it.

mod check;
mod right;

pub use check::{Violation, violations};
pub(crate) use check::{of_container, of_stage};
pub use right::Right;

/// What the steps of a run may ask of the machine. Without trust they have their workspace and their network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trust {
    /// All rights of the machine, capabilities beyond the usual ones and devices.
    pub privileged: bool,
    /// Folders of the machine, and volumes that stay after the run.
    pub host_folders: bool,
    /// The machine's own network.
    pub host_network: bool,
}

impl Trust {
    /// Everything is allowed.
    pub const FULL: Self = Self {
        privileged: true,
        host_folders: true,
        host_network: true,
    };

    /// Whether a right is there.
    #[must_use]
    pub fn allows(self, right: Right) -> bool {
        match right {
            Right::Privileges => self.privileged,
            Right::Volumes => self.host_folders,
            Right::Network => self.host_network,
        }
    }

    /// The rights of both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            privileged: self.privileged || other.privileged,
            host_folders: self.host_folders || other.host_folders,
            host_network: self.host_network || other.host_network,
        }
    }
}

impl FromIterator<Right> for Trust {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        let mut trust = Self::default();
        for right in rights {
            match right {
                Right::Privileges => trust.privileged = true,
                Right::Volumes => trust.host_folders = true,
                Right::Network => trust.host_network = true,
            }
        }
        trust
    }
}
