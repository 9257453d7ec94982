//! Limits of a container.

use serde::{Deserialize, Serialize};

use crate::cgroup::Cgroup;

/// Limits of a container; absent means unlimited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// Memory, including what the page cache holds for the container.
    pub memory_bytes: Option<u64>,
    /// Memory together with swap; -1 is without limit.
    pub memory_swap_bytes: Option<i64>,
    /// How readily the kernel swaps, 0 to 100; see [`Resources::swappiness_is_known`].
    pub swappiness: Option<u64>,
    /// The processors that may be used, as in `0-2,4`.
    pub cpu_set: Option<String>,
    /// Processor time in thousandths of a processor.
    pub cpu_millis: Option<u64>,
    /// Weight against other containers when the processors are busy (1024 is usual).
    pub cpu_shares: Option<u64>,
    /// Number of processes and threads.
    pub pids: Option<u64>,
    /// Preference of the kernel when memory runs out, -1000 to 1000. A value below the caller's own needs
    /// `CAP_SYS_RESOURCE`; without it the caller's own is kept.
    pub oom_score_adj: Option<i32>,
}

impl Resources {
    /// Whether the control groups of this machine know `swappiness`; those of version 2 do not, and it is not looked at.
    #[must_use]
    pub fn swappiness_is_known() -> bool {
        !Cgroup::unified()
    }
}
