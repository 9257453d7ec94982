//! The network of a stage: every container has an address of its own, and services are found by name.
//!
//! Addresses of services and detached steps are taken before any container starts, so that all know them from the
//! beginning. Steps that come one after the other use one network namespace again: to make and connect one takes longer
//! than to start a container in it.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use sampan_container::HostEntry;
use sampan_container::netns::NetNamespace;
use sampan_container::network::{Bridge, NetworkError};

use super::folder;
use crate::graph::{Stage, Step};

/// Why there is no network.
#[derive(Debug, thiserror::Error)]
pub(super) enum StageNetworkError {
    #[error("cannot make a network for the stage")]
    Namespace(#[source] sampan_container::Error),
    #[error("cannot connect to the network of the stage")]
    Connect(#[source] NetworkError),
}

/// An address with the namespace that has it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) namespace: NetNamespace,
    pub(super) address: Ipv4Addr,
    owner: String,
}

/// The network of a stage.
#[derive(Debug)]
pub(super) struct StageNetwork {
    bridge: Bridge,
    run: PathBuf,
    prefix: String,
    next: AtomicUsize,
    /// The places of services and detached steps, by the numbers of the steps.
    fixed: Vec<(usize, Place)>,
    free: Mutex<Vec<Place>>,
    hosts: Vec<HostEntry>,
}

impl StageNetwork {
    /// Takes addresses for all that others find by name.
    pub(super) fn make(
        bridge: &Bridge,
        run: &Path,
        stage: &Stage,
    ) -> Result<Self, StageNetworkError> {
        let mut network = Self {
            bridge: bridge.clone(),
            run: run.to_owned(),
            prefix: folder::name(&stage.id),
            next: AtomicUsize::new(0),
            fixed: Vec::new(),
            free: Mutex::default(),
            hosts: Vec::new(),
        };
        for (number, step) in stage.steps.iter().enumerate() {
            if !(step.detached && step.verdict.runs()) {
                continue;
            }
            let place = network.connect()?;
            network.hosts.push(HostEntry {
                address: IpAddr::V4(place.address),
                names: vec![step.name.clone()],
            });
            network.fixed.push((number, place));
        }
        Ok(network)
    }

    /// The names of services with their addresses.
    pub(super) fn hosts(&self) -> &[HostEntry] {
        &self.hosts
    }

    /// The address of a service.
    pub(super) fn address(&self, step: usize) -> Option<Ipv4Addr> {
        let found = self.fixed.iter().find(|(number, _)| *number == step);
        found.map(|(_, place)| place.address)
    }

    /// A place for a step: its own where others find it by name, one that nobody else has otherwise.
    pub(super) fn place(&self, number: usize, step: &Step) -> Result<Place, StageNetworkError> {
        if let Some((_, place)) = self.fixed.iter().find(|(fixed, _)| *fixed == number) {
            return Ok(place.clone());
        }
        // Who has the rights of the machine may have changed the network beyond its own end.
        let clean = !step.container.as_ref().is_some_and(|c| c.privileged);
        let free = if clean { self.free().pop() } else { None };
        match free {
            Some(place) => Ok(place),
            None => self.connect(),
        }
    }

    /// A place for the container of a whole job.
    pub(super) fn place_of_job(&mut self) -> Result<Place, StageNetworkError> {
        let place = self.connect()?;
        // No step has this number.
        self.fixed.push((usize::MAX, place.clone()));
        Ok(place)
    }

    /// Gives a place back, for the next step.
    pub(super) fn give_back(&self, number: usize, step: &Step, place: Place) {
        let fixed = self.fixed.iter().any(|(fixed, _)| *fixed == number);
        let clean = !step.container.as_ref().is_some_and(|c| c.privileged);
        if fixed {
            return;
        }
        if clean {
            self.free().push(place);
        } else {
            self.disconnect(&place);
        }
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<Place>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(&self) -> Result<Place, StageNetworkError> {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let name = format!("{}-{number}", self.prefix);
        let path = folder::network(&self.run).join(&name);
        let namespace = NetNamespace::create(&path).map_err(StageNetworkError::Namespace)?;
        let owner = owner(&self.run, &name);
        match self.bridge.attach(&path, &owner) {
            Ok(lease) => Ok(Place {
                namespace,
                address: lease.address,
                owner,
            }),
            Err(error) => {
                if let Err(error) = NetNamespace::remove(&path) {
                    tracing::warn!(%error, "cannot remove a network namespace");
                }
                Err(StageNetworkError::Connect(error))
            }
        }
    }

    fn disconnect(&self, place: &Place) {
        if let Err(error) = NetNamespace::remove(place.namespace.path()) {
            tracing::warn!(%error, "cannot remove a network namespace");
        }
        if let Err(error) = self.bridge.release(&place.owner) {
            tracing::warn!(%error, "cannot give back an address");
        }
    }
}

impl Drop for StageNetwork {
    fn drop(&mut self) {
        let free = std::mem::take(&mut *self.free());
        let fixed = std::mem::take(&mut self.fixed);
        for place in free.iter().chain(fixed.iter().map(|(_, place)| place)) {
            self.disconnect(place);
        }
    }
}

/// Removes the networks that a killed run has left.
pub(super) fn clean(bridge: &Bridge, run: &Path) -> Result<(), super::RunError> {
    let folder = folder::network(run);
    let entries = std::fs::read_dir(&folder).map_err(super::RunError::io("list", &folder))?;
    for entry in entries {
        let entry = entry.map_err(super::RunError::io("list", &folder))?;
        NetNamespace::remove(&entry.path()).map_err(|source| super::RunError::Container {
            operation: "remove a network namespace",
            source,
        })?;
        let owner = owner(run, &entry.file_name().to_string_lossy());
        bridge
            .release(&owner)
            .map_err(|source| super::RunError::Network { source })?;
    }
    Ok(())
}

/// To whom an address belongs; it can be told from the name of the namespace's file.
fn owner(run: &Path, name: &str) -> String {
    format!("{} {name}", run.display())
}
