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
    /// A bit for each [`Right`].
    rights: u8,
}

impl Trust {
    /// Everything is allowed.
    pub const FULL: Self = Self {
        rights: (1 << Right::ALL.len()) - 1,
    };

    /// Whether a right is there.
    #[must_use]
    pub fn allows(self, right: Right) -> bool {
        self.rights & bit(right) != 0
    }

    /// The rights of both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            rights: self.rights | other.rights,
        }
    }
}

fn bit(right: Right) -> u8 {
    1 << (right as u8)
}

impl FromIterator<Right> for Trust {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        let rights = rights.into_iter().map(bit);
        Self {
            rights: rights.fold(0, |all, one| all | one),
        }
    }
}
