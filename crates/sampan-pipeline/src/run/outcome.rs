//! How a run went, or stands: what is shown at its end and kept in `state.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::RunError;
use super::masks::hide;
use crate::github::command::Annotation;
use crate::mask::Secrets;
use crate::plan::{End, State};
use crate::results::Results;

/// How a run went.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcome {
    /// How it ended; `None` while it goes on, and when it was killed.
    pub end: Option<End>,
    /// Why it ended so, where that is not by its stages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it began, in milliseconds since 1970.
    pub began: i64,
    /// When it ended, in milliseconds since 1970.
    pub ended: Option<i64>,
    /// The stages in the order of the graph.
    pub stages: Vec<StageOutcome>,
    /// What steps said beside their logs, with the stage and the step.
    #[serde(skip)]
    pub annotations: Vec<(String, String, Annotation)>,
    /// Summaries of steps in Markdown, with the stage and the step.
    pub summaries: Vec<(String, String, String)>,
    /// What was found in files with tests, coverage and findings.
    #[serde(skip)]
    pub results: Results,
    /// What was masked in what its steps said.
    #[serde(skip)]
    pub(super) masks: Vec<Secrets>,
}

/// How a stage went.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StageOutcome {
    /// The stage's id.
    pub id: String,
    /// The name of its folders in `logs/` and `stages/`.
    pub folder: String,
    /// Where the source tree lies in its workspace; empty where that is the whole of it.
    #[serde(default)]
    pub sources: PathBuf,
    /// Where it stands.
    pub state: State,
    /// When it began, in milliseconds since 1970.
    pub began: Option<i64>,
    /// When it ended, in milliseconds since 1970.
    pub ended: Option<i64>,
    /// Why it ended so, where that is not by its steps.
    #[serde(default)]
    pub reason: Option<String>,
    /// Its steps in the order of the file.
    pub steps: Vec<StepOutcome>,
    /// Values for later stages.
    pub outputs: BTreeMap<String, String>,
}

/// How a step went.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StepOutcome {
    /// The step's name.
    pub name: String,
    /// The name of its log without `.log`.
    pub log: String,
    /// Where it stands.
    pub state: State,
    /// When it began, in milliseconds since 1970.
    pub began: Option<i64>,
    /// When it ended, in milliseconds since 1970.
    pub ended: Option<i64>,
    /// Why it ended so, where that is not by its exit code.
    pub reason: Option<String>,
    /// Whether it went wrong and the stage went on as if it had not.
    #[serde(default)]
    pub ignored: bool,
    /// The number of the snapshot that holds the workspace as it was before the step.
    pub snapshot: Option<u64>,
}

impl Outcome {
    /// How the run in a folder stands or went.
    ///
    /// # Errors
    /// [`RunError`] when the folder has no readable `state.json`.
    pub fn read(run: &Path) -> Result<Self, RunError> {
        super::state::read(run)
    }

    /// A text with what was masked in what the steps said, for what is read from their files.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for masks in &self.masks {
            text = hide(&text, masks);
        }
        text
    }

    /// The stage with this id.
    #[must_use]
    pub fn stage(&self, id: &str) -> Option<&StageOutcome> {
        self.stages.iter().find(|stage| stage.id == id)
    }
}

impl StageOutcome {
    /// The step with this name.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&StepOutcome> {
        self.steps.iter().find(|step| step.name == name)
    }
}
