//! What steps may ask of the machine.

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
}
