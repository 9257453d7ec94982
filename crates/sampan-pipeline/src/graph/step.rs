//! Steps: what runs in a stage.

use std::collections::BTreeMap;
use std::time::Duration;

use sampan_model::yaml::Location;
use serde::Serialize;

use super::{Container, Deferred, EnvironmentValue, RunWhen, Setting, Text, Verdict};

/// One container, built-in or action of a stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// The name that is unique within the stage; others need the step by it, and it is the host name of services.
    pub name: String,
    /// The name for people, where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Text>,
    /// Where the step is described.
    #[serde(serialize_with = "super::as_text")]
    pub location: Location,
    /// What the step is to its stage.
    pub role: Role,
    /// The names of the steps of the stage that must have ended before (or, when they are detached, have begun).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// Whether the step runs at all, as far as it is known before the run.
    pub verdict: Verdict,
    /// How the steps before must have ended.
    #[serde(skip_serializing_if = "RunWhen::is_default")]
    pub when: RunWhen,
    /// What a failure of the step means to its stage.
    #[serde(skip_serializing_if = "Failure::is_default")]
    pub failure: Failure,
    /// Whether the stage goes on while the step runs, and ends it at its own end.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub detached: bool,
    /// The container of the step; `None` when it runs in the stage's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// What the step does.
    pub action: Action,
    /// The whole environment by name, with all rules of precedence applied.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, EnvironmentValue>,
    /// When the step is ended by force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Deferred<Duration>>,
}

impl Step {
    /// Whether people call the step by this name: its own, its title, or that of its action without the version.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        let title = self.title.as_ref().and_then(Text::now);
        let is_action = match &self.action {
            Action::Uses { reference, .. } => reference.split('@').next() == Some(name),
            _ => false,
        };
        self.name == name || title.is_some_and(|title| title == name) || is_action
    }
}

/// What a step is to its stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It brings the source tree into the workspace.
    Clone,
    /// It serves the others until the stage ends.
    Service,
    /// A step as the file lists them.
    Step,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The image runs what it is made for, or what the step names instead.
    Image {
        /// Replaces the image's entry point.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        entrypoint: Vec<String>,
        /// Replaces the image's command.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        command: Vec<String>,
    },
    /// Commands of a shell, run one after the other until one fails, each echoed before.
    Commands {
        /// The commands; each may have several lines.
        commands: Vec<String>,
        /// Replaces the shell's call, where the step names an entry point beside its commands.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        entrypoint: Vec<String>,
        /// The shell.
        #[serde(skip_serializing_if = "Option::is_none")]
        shell: Option<String>,
    },
    /// A plugin: an image, or a built-in in its place, that reads settings from its environment.
    Plugin {
        /// The settings by their names in the file. The step's environment has them too, encoded.
        settings: BTreeMap<String, Setting>,
    },
    /// A script of GitHub's `run`.
    Run {
        /// The script.
        script: Text,
        /// How it is run.
        shell: Option<Shell>,
        /// The folder in which it begins; relative to the workspace.
        #[serde(skip_serializing_if = "Option::is_none")]
        working_directory: Option<Text>,
        /// The variables of the step alone. They may refer to those of the stage, and come before them.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        environment: BTreeMap<String, EnvironmentValue>,
    },
    /// An action of GitHub's `uses`.
    Uses {
        /// The action as written.
        reference: String,
        /// Its inputs.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        with: BTreeMap<String, Text>,
        /// The variables of the step alone. They may refer to those of the stage, and come before them.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        environment: BTreeMap<String, EnvironmentValue>,
    },
}

/// The shell of a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shell {
    /// A name (`bash`, `sh`, `python`, `pwsh`), or a command line with `{0}` for the script's file.
    pub command: Text,
}

/// What a failure means.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The stage fails; steps that are not there for failures are skipped.
    #[default]
    Fails,
    /// The stage fails, and what still runs in it is ended at once.
    FailsFast,
    /// The stage goes on as if nothing had happened, where the condition holds.
    Ignored(Deferred<bool>),
}

impl Failure {
    /// Whether it is the rule that holds where a file says nothing.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::Fails
    }
}
