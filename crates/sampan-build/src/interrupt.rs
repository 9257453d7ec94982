//! Ending a build early, from another thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sampan_container::{ContainerId, Runtime, Signal};

/// Ends the builds of one [`crate::Builder`]; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    asked: AtomicBool,
    /// The container that runs a command of the build.
    running: Mutex<Option<(Runtime, ContainerId)>>,
}

impl Interrupt {
    /// Kills the command that runs, if any, and lets the build end before its next step.
    pub fn trigger(&self) {
        self.state.asked.store(true, Ordering::SeqCst);
        let running = self
            .state
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((runtime, id)) = running.as_ref()
            && let Err(error) = runtime.kill(id, Signal::KILL)
        {
            // It ended in this very moment.
            tracing::debug!(%error, container = %id, "cannot kill the command of a step");
        }
    }

    /// Whether the build was asked to end.
    pub(crate) fn is_triggered(&self) -> bool {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// Remembers the container of the running step, or that there is none.
    pub(crate) fn set_running(&self, running: Option<(Runtime, ContainerId)>) {
        *self
            .state
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = running;
    }
}
