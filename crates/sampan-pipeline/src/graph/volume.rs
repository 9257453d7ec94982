//! Volumes of stages and where steps mount them.

use serde::Serialize;

/// A volume that steps of a stage mount by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// The name.
    pub name: String,
    /// What it is.
    pub source: VolumeSource,
}

/// What a volume is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VolumeSource {
    /// An empty folder that lives as long as the stage.
    Temporary {
        /// Whether it lies in memory.
        in_memory: bool,
        /// How much it may hold.
        #[serde(skip_serializing_if = "Option::is_none")]
        size_bytes: Option<u64>,
    },
    /// A folder of the machine, for trusted projects only.
    Host {
        /// Its path.
        path: String,
    },
    /// A volume of the machine that stays after the stage, for trusted projects only.
    Kept {
        /// Its name on the machine.
        name: String,
    },
}

/// A mount of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// What is mounted.
    pub source: MountSource,
    /// Where.
    pub target: String,
    /// Whether the step may not write.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MountSource {
    /// A volume of the stage, by name.
    Volume(String),
    /// A folder of the machine, for trusted projects only.
    Host(String),
    /// An empty folder of the step's own.
    Empty,
}
