//! What stages and steps tell the loop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::github::command::Annotation;
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

/// What a stage tells; steps are named by their numbers.
#[derive(Debug)]
pub(super) enum What {
    StepBegan {
        step: usize,
        snapshot: Option<u64>,
    },
    Output {
        step: usize,
        bytes: Vec<u8>,
    },
    StepEnded {
        step: usize,
        ending: Ending,
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
    /// The last message of a stage.
    Ended(StageEnd),
}

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
    pub(super) duration: Duration,
}
