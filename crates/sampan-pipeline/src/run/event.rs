//! What a run tells while it goes on.

use std::time::Duration;

use crate::github::command::Annotation;
use crate::plan::End;

/// Something that happened in a run. Stages and steps are named as in the graph; texts have secrets masked.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A stage began.
    StageBegan {
        /// The stage's id.
        stage: &'a str,
    },
    /// A stage, or the whole run where none is named, waits for its turn.
    Waits {
        /// The stage's id.
        stage: Option<&'a str>,
        /// Who is before, and where.
        on: &'a str,
    },
    /// A stage ended.
    StageEnded {
        /// The stage's id.
        stage: &'a str,
        /// How.
        end: End,
        /// How long it took.
        duration: Duration,
        /// Why, where it is not by its steps.
        reason: Option<&'a str>,
    },
    /// A stage does not run.
    StageSkipped {
        /// The stage's id.
        stage: &'a str,
        /// Why.
        reason: &'a str,
    },
    /// A stage took the place of one whose matrix has become known.
    StageAdded {
        /// The stage's id.
        stage: &'a str,
    },
    /// A step began.
    StepBegan {
        /// The stage's id.
        stage: &'a str,
        /// The step's name.
        step: &'a str,
    },
    /// A step said something.
    StepOutput {
        /// The stage's id.
        stage: &'a str,
        /// The step's name.
        step: &'a str,
        /// What it said; lines may come in several pieces.
        bytes: &'a [u8],
    },
    /// A step ended.
    StepEnded {
        /// The stage's id.
        stage: &'a str,
        /// The step's name.
        step: &'a str,
        /// How.
        end: End,
        /// How long it took.
        duration: Duration,
        /// Why, where it is not by its exit code.
        reason: Option<&'a str>,
    },
    /// A step does not run.
    StepSkipped {
        /// The stage's id.
        stage: &'a str,
        /// The step's name.
        step: &'a str,
        /// Why.
        reason: &'a str,
    },
    /// What a step says from now on can be folded under a title.
    Group {
        /// The stage's id.
        stage: &'a str,
        /// The step's name.
        step: &'a str,
        /// The title.
        title: &'a str,
    },
    /// The fold ends.
    GroupEnd {
        /// The stage's id.
        stage: &'a str,
        /// The step's name.
        step: &'a str,
    },
    /// A step said something that is shown with the results.
    Annotation {
        /// The stage's id.
        stage: &'a str,
        /// The step's name.
        step: &'a str,
        /// What it said.
        annotation: &'a Annotation,
    },
}
