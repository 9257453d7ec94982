//! What pods use of processors and memory, read from their control groups when somebody asks. Nothing is kept going
//! in between.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use sampan_container::{ContainerId, Runtime};
use sampan_supervise::clock;
use tokio::time::Instant;

use crate::error::Error;
use crate::kubelet::blocking;

/// The use of processors is an average over so long at least; who asks for the first time waits for it.
const SHORTEST: Duration = Duration::from_secs(1);
/// An older look says nothing about now.
const LONGEST: Duration = Duration::from_mins(1);

/// What a container uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContainerUse {
    /// Its name.
    pub(crate) name: String,
    /// Processor time, in billionths of a processor.
    pub(crate) cpu_nanos: u64,
    /// Memory.
    pub(crate) memory_bytes: u64,
}

/// What a pod uses.
#[derive(Clone, Debug)]
pub(crate) struct PodUse {
    /// Each of its containers that runs.
    pub(crate) containers: Vec<ContainerUse>,
    /// The time over which the use of processors was averaged.
    pub(crate) window: Duration,
    /// When it was measured.
    pub(crate) at: Timestamp,
}

/// Measures; cloned freely.
#[derive(Clone, Debug)]
pub(crate) struct Usage {
    runtime: Runtime,
    /// The last looks.
    looks: Arc<Mutex<HashMap<ContainerId, Look>>>,
}

/// What a container had used up at a moment.
#[derive(Clone, Copy, Debug)]
struct Look {
    at: Instant,
    cpu_nanos: u64,
    memory_bytes: u64,
}

impl Usage {
    /// Measures containers of this runtime.
    pub(crate) fn new(runtime: Runtime) -> Self {
        Self {
            runtime,
            looks: Arc::default(),
        }
    }

    /// What pods use, by their identities; pods of which nothing runs are left out. The first time takes a moment.
    ///
    /// # Errors
    /// When the work was broken off.
    pub(crate) async fn of(&self, pods: &[Pod]) -> Result<HashMap<String, PodUse>, Error> {
        let running: Vec<(String, String, ContainerId)> = pods.iter().flat_map(running).collect();
        let ids: Vec<ContainerId> = running.iter().map(|(_, _, id)| id.clone()).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let mut before = self.known(&ids);
        if before.len() < ids.len() {
            before = self.look(ids.clone()).await?;
            tokio::time::sleep(SHORTEST).await;
        }
        let now = self.look(ids).await?;
        self.keep(&now);
        let mut found: HashMap<String, PodUse> = HashMap::new();
        for (uid, name, id) in running {
            let (Some(old), Some(new)) = (before.get(&id), now.get(&id)) else {
                continue;
            };
            let window = new.at.duration_since(old.at);
            let spent = u128::from(new.cpu_nanos.saturating_sub(old.cpu_nanos));
            let rate = spent * 1_000_000_000 / window.as_nanos().max(1);
            let one = ContainerUse {
                name,
                cpu_nanos: u64::try_from(rate).unwrap_or(u64::MAX),
                memory_bytes: new.memory_bytes,
            };
            let pod = found.entry(uid).or_insert_with(|| PodUse {
                containers: Vec::new(),
                window,
                at: clock::now(),
            });
            pod.containers.push(one);
        }
        Ok(found)
    }

    /// The last looks at containers, if they are neither too old nor too new.
    fn known(&self, ids: &[ContainerId]) -> HashMap<ContainerId, Look> {
        let looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let usable = |look: &Look| (SHORTEST..LONGEST).contains(&look.at.elapsed());
        ids.iter()
            .filter_map(|id| Some((id.clone(), *looks.get(id).filter(|look| usable(look))?)))
            .collect()
    }

    fn keep(&self, new: &HashMap<ContainerId, Look>) {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        looks.retain(|_, look| look.at.elapsed() < LONGEST);
        looks.extend(new.iter().map(|(id, look)| (id.clone(), *look)));
    }

    async fn look(&self, ids: Vec<ContainerId>) -> Result<HashMap<ContainerId, Look>, Error> {
        let runtime = self.runtime.clone();
        blocking(move || {
            let seen = ids.into_iter().filter_map(|id| {
                // One that has ended meanwhile uses nothing.
                let stats = runtime.stats(&id).ok()?;
                let look = Look {
                    at: Instant::now(),
                    cpu_nanos: stats.cpu_nanos,
                    memory_bytes: stats.memory_bytes,
                };
                Some((id, look))
            });
            seen.collect()
        })
        .await
    }
}

/// The containers of a pod that run: the pod's identity, their names and ids.
fn running(pod: &Pod) -> Vec<(String, String, ContainerId)> {
    let uid = pod.metadata.uid.clone().unwrap_or_default();
    let status = pod.status.as_ref();
    let apps = status.and_then(|status| status.container_statuses.as_ref());
    let inits = status.and_then(|status| status.init_container_statuses.as_ref());
    let all = apps.into_iter().chain(inits).flatten();
    all.filter(|container| {
        let state = container.state.as_ref();
        state.is_some_and(|state| state.running.is_some())
    })
    .filter_map(|container| {
        let id = container
            .container_id
            .as_deref()?
            .strip_prefix("sampan://")?;
        Some((uid.clone(), container.name.clone(), id.parse().ok()?))
    })
    .collect()
}

/// What the whole machine uses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MachineUse {
    /// Processor time, in billionths of a processor.
    pub(crate) cpu_nanos: u64,
    /// Memory that is not available to others.
    pub(crate) memory_bytes: u64,
    /// The time over which the use of processors was averaged.
    pub(crate) window: Duration,
    /// When it was measured.
    pub(crate) at: Timestamp,
}

impl Usage {
    /// What the whole machine uses; takes a moment.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub(crate) async fn machine(&self) -> Result<MachineUse, Error> {
        let unreadable = || Error::Internal("the kernel does not tell what is used".to_owned());
        let before = processor_ticks().ok_or_else(unreadable)?;
        let began = Instant::now();
        tokio::time::sleep(SHORTEST).await;
        let after = processor_ticks().ok_or_else(unreadable)?;
        let all = after.all.saturating_sub(before.all).max(1);
        let busy = after.busy.saturating_sub(before.busy);
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let scaled = u128::from(busy) * processors as u128 * 1_000_000_000 / u128::from(all);
        Ok(MachineUse {
            cpu_nanos: u64::try_from(scaled).unwrap_or(u64::MAX),
            memory_bytes: memory_in_use().ok_or_else(unreadable)?,
            window: began.elapsed(),
            at: clock::now(),
        })
    }
}

#[derive(Clone, Copy)]
struct Ticks {
    busy: u64,
    all: u64,
}

/// The first line of `/proc/stat`: user, nice, system, idle, waiting for disks, and more.
fn processor_ticks() -> Option<Ticks> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> = line
        .split_whitespace()
        .take(8)
        .filter_map(|ticks| ticks.parse().ok())
        .collect();
    let all = ticks.iter().sum();
    let idle: u64 = ticks.get(3..5)?.iter().sum();
    Some(Ticks {
        busy: all - idle,
        all,
    })
}

fn memory_in_use() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let kibibytes = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    };
    Some((kibibytes("MemTotal:")? - kibibytes("MemAvailable:")?) * 1024)
}
