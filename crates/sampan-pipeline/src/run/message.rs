//! What stages and steps tell the loop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Sender, SyncSender};
use std::time::Duration;

use super::masks::hide;
use super::turn::Turn;
use crate::github::command::Annotation;
use crate::mask::Secrets;
use crate::plan::End;
use crate::results::Results;

/// How many messages wait at most; with their sizes they bound what a run holds in memory.
pub(super) const LIMIT_MESSAGES: usize = 64;

/// Something that a stage tells.
#[derive(Debug)]
pub(super) struct Message {
    /// The stage's id.
    pub(super) stage: Arc<str>,
    pub(super) what: What,
}

/// Tells the loop something about a stage.
pub(super) fn send(events: &SyncSender<Message>, stage: &Arc<str>, what: What) {
    let message = Message {
        stage: Arc::clone(stage),
        what,
    };
    // Nobody listens when the loop has failed; then the run is being ended.
    if events.send(message).is_err() {
        tracing::debug!("nobody listens to the run");
    }
}

/// What a stage tells; steps are named by their numbers.
#[derive(Debug)]
pub(super) enum What {
    StepBegan {
        step: usize,
        snapshot: Option<u64>,
        /// Dropped when this has been written down.
        written: Sender<()>,
    },
    Output {
        step: usize,
        bytes: Vec<u8>,
    },
    StepEnded {
        step: usize,
        ending: Ending,
        /// Whether the stage goes on as if it had ended well.
        ignored: bool,
        duration: Duration,
    },
    StepSkipped {
        step: usize,
        reason: String,
    },
    Group {
        step: usize,
        title: String,
    },
    GroupEnd {
        step: usize,
    },
    Annotation {
        step: usize,
        annotation: Annotation,
    },
    Summary {
        step: usize,
        text: String,
    },
    /// How the stage stands in one of its groups.
    Turn {
        number: usize,
        turn: Turn,
    },
    /// Nothing but that the run is to end.
    Wake,
    /// The last message of a stage.
    Ended(StageEnd),
}

impl What {
    /// Masks secrets in all texts but those of logs, which were masked as they came, and outputs, which go on as they are
    /// or not at all.
    pub(super) fn hide(&mut self, masks: &Secrets) {
        let mut texts: Vec<&mut String> = Vec::new();
        match self {
            Self::StepBegan { .. } | Self::Output { .. } | Self::GroupEnd { .. } | Self::Wake => {}
            Self::StepEnded { ending, .. } => texts.extend(&mut ending.reason),
            Self::StepSkipped { reason: text, .. }
            | Self::Group { title: text, .. }
            | Self::Summary { text, .. } => texts.push(text),
            Self::Annotation { annotation, .. } => {
                texts.push(&mut annotation.message);
                texts.extend(&mut annotation.title);
                texts.extend(&mut annotation.file);
            }
            Self::Turn { turn, .. } => match turn {
                Turn::Waits(text) | Turn::Ends(text) => texts.push(text),
                Turn::Came => {}
            },
            Self::Ended(end) => texts.extend(&mut end.reason),
        }
        for text in texts {
            *text = hide(text, masks);
        }
    }
}

/// Why something failed whose time was over.
pub(super) const TOO_LONG: &str = "it took longer than it may";

/// How a step ended.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    pub(super) end: End,
    /// Why, where it is not by its exit code.
    pub(super) reason: Option<String>,
}

impl Ending {
    pub(super) const SUCCESS: Self = Self {
        end: End::Success,
        reason: None,
    };

    pub(super) fn failed(reason: impl Into<String>) -> Self {
        Self {
            end: End::Failure(None),
            reason: Some(reason.into()),
        }
    }
}

/// How a stage ended.
#[derive(Debug)]
pub(super) struct StageEnd {
    pub(super) end: End,
    pub(super) reason: Option<String>,
    pub(super) outputs: BTreeMap<String, String>,
    pub(super) results: Results,
    /// What was masked in it, where that is more than the secrets of the run.
    pub(super) masks: Option<Secrets>,
    pub(super) duration: Duration,
}
