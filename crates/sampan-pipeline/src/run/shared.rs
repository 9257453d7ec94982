//! What all stages of a run share.

use std::sync::mpsc::SyncSender;
use std::sync::{Arc, OnceLock};

use sampan_container::network::Bridge;

use super::images::Images;
use super::interrupt::{Interrupt, Registration};
use super::masks::Masks;
use super::message::{self, Message, What};
use super::{Executor, Run, RunError};
use crate::graph::Dialect;
use crate::mask::Secrets;

/// What all stages of a run share.
pub(super) struct Shared<'a> {
    pub(super) executor: &'a Executor,
    pub(super) run: &'a Run<'a>,
    pub(super) dialect: Dialect,
    pub(super) masks: Secrets,
    pub(super) events: SyncSender<Message>,
    pub(super) images: Images,
    bridge: OnceLock<Bridge>,
    /// When the run began, in seconds since 1970.
    pub(super) began: i64,
}

impl<'a> Shared<'a> {
    pub(super) fn new(
        executor: &'a Executor,
        run: &'a Run<'a>,
        dialect: Dialect,
        images: Images,
        events: SyncSender<Message>,
    ) -> Self {
        Self {
            executor,
            run,
            dialect,
            masks: Secrets::new(run.secrets.values()),
            events,
            images,
            bridge: OnceLock::new(),
            began: sampan_supervise::clock::now().as_second(),
        }
    }

    /// The bridge of the installation, made when the first stage needs it.
    pub(super) fn bridge(&self) -> Result<&Bridge, RunError> {
        if let Some(bridge) = self.bridge.get() {
            return Ok(bridge);
        }
        let bridge =
            Bridge::ensure(&self.executor.data).map_err(|source| RunError::Network { source })?;
        Ok(self.bridge.get_or_init(|| bridge))
    }

    /// Wakes the loop when the run is to end, for as long as it is wanted: it may wait for the sake of other runs.
    pub(super) fn wake_on(&self, interrupt: &Interrupt) -> Registration {
        let events = self.events.clone();
        interrupt.on_trigger(move |_| {
            let message = Message {
                stage: Arc::from(""),
                what: What::Wake,
            };
            // A loop with so much to hear does not sleep.
            drop(events.try_send(message));
        })
    }

    /// Tells the loop something about a stage.
    pub(super) fn tell(&self, stage: &Arc<str>, mut what: What) {
        what.hide(&self.masks);
        message::send(&self.events, stage, what);
    }

    /// What is masked in what a stage says, as it begins.
    pub(super) fn masks_of_stage(&self) -> Masks {
        Masks::new(self.masks.clone(), self.run.secrets.values())
    }
}
