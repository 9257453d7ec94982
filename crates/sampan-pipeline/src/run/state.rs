//! `state.json`: how a run stands, for those who look at it later or go on with it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sampan_oci::durable;

use super::{Outcome, RunError};

/// The share of the time that writing, also through to the disk, may take: one part in so many.
const SHARE: u32 = 20;

/// The file of a run.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    written: Instant,
    took: Duration,
}

impl StateFile {
    pub(super) fn new(run: &Path) -> Self {
        Self {
            path: path(run),
            written: Instant::now(),
            took: Duration::ZERO,
        }
    }

    /// Writes it, unless it was written a moment ago: a large state takes long, and changes often. Gives how long it is
    /// put off then.
    pub(super) fn write_soon(&mut self, outcome: &Outcome) -> Result<Option<Duration>, RunError> {
        let pause = (self.took * SHARE).saturating_sub(self.written.elapsed());
        if !pause.is_zero() {
            return Ok(Some(pause));
        }
        self.write(outcome)?;
        Ok(None)
    }

    /// Writes it now, as a whole or not at all.
    pub(super) fn write(&mut self, outcome: &Outcome) -> Result<(), RunError> {
        let began = Instant::now();
        let json = serde_json::to_vec(outcome).map_err(|source| RunError::State {
            path: self.path.clone(),
            source,
        })?;
        durable::write(&self.path, &json).map_err(RunError::io("write", &self.path))?;
        self.written = Instant::now();
        self.took = began.elapsed();
        Ok(())
    }
}

/// The file of a run.
fn path(run: &Path) -> PathBuf {
    run.join("state.json")
}

/// Reads how a run stands.
pub(super) fn read(run: &Path) -> Result<Outcome, RunError> {
    let path = path(run);
    let bytes = std::fs::read(&path).map_err(RunError::io("read", &path))?;
    serde_json::from_slice(&bytes).map_err(|source| RunError::State { path, source })
}
