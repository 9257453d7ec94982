//! What a step says: masked, into its file and to the loop.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use sampan_model::{Causes, Hint};

use super::RunError;
use super::message::{self, Message, What};
use crate::mask::{Masker, Secrets};

/// The log of one step. Its two outputs are masked apart, as secrets may come in pieces.
pub(super) struct Log {
    file: File,
    secrets: Secrets,
    maskers: [Masker; 2],
    events: SyncSender<Message>,
    stage: Arc<str>,
    step: usize,
    /// Whether the file could not be written, which is said once.
    broken: bool,
}

impl Log {
    /// The log of a step, which may have begun before: what its action does at the beginning of the job stands in it, too.
    pub(super) fn open(
        path: &Path,
        secrets: &Secrets,
        events: SyncSender<Message>,
        stage: Arc<str>,
        step: usize,
    ) -> Result<Self, RunError> {
        let file = File::options()
            .append(true)
            .create(true)
            .open(path)
            .map_err(RunError::io("open", path))?;
        Ok(Self {
            file,
            secrets: secrets.clone(),
            maskers: [secrets.masker(), secrets.masker()],
            events,
            stage,
            step,
            broken: false,
        })
    }

    /// The number of the step.
    pub(super) fn step(&self) -> usize {
        self.step
    }

    /// Takes what one of the two outputs said.
    pub(super) fn push(&mut self, output: usize, bytes: &[u8]) {
        let mut masked = Vec::with_capacity(bytes.len());
        self.maskers[output].push(bytes, &mut masked);
        self.pass_on(masked);
    }

    /// Takes a line of the executor's own.
    pub(super) fn say(&mut self, text: &str) {
        self.push(0, format!("{text}\n").as_bytes());
    }

    /// Says why something failed and what can be done; gives the reason.
    pub(super) fn say_failure(&mut self, error: &impl Hint) -> String {
        let reason = Causes(error).to_string();
        self.say(&reason);
        if let Some(hint) = error.hint() {
            self.say(&format!("hint: {hint}"));
        }
        reason
    }

    /// Tells the loop something beside the log, in the order of what is said.
    pub(super) fn tell(&self, mut what: What) {
        what.hide(&self.secrets);
        message::send(&self.events, &self.stage, what);
    }

    /// Passes on what was held back; from now on other secrets hold.
    pub(super) fn change_secrets(&mut self, secrets: &Secrets) {
        self.secrets = secrets.clone();
        let before = std::mem::replace(&mut self.maskers, [secrets.masker(), secrets.masker()]);
        for masker in before {
            let mut masked = Vec::new();
            masker.finish(&mut masked);
            self.pass_on(masked);
        }
    }

    /// Passes on what was held back.
    pub(super) fn finish(mut self) {
        self.change_secrets(&Secrets::new([]));
    }

    fn pass_on(&mut self, masked: Vec<u8>) {
        if masked.is_empty() {
            return;
        }
        if let Err(error) = self.file.write_all(&masked)
            && !std::mem::replace(&mut self.broken, true)
        {
            // A full disk must not stop the step.
            tracing::warn!(%error, "cannot write the log of a step");
        }
        let step = self.step;
        let said = What::Output {
            step,
            bytes: masked,
        };
        message::send(&self.events, &self.stage, said);
    }
}
