//! What pipelines stand on: the images and actions that must be at hand before a run begins.
//!
//! [`Supplies`] collects them from graphs, workflows and actions; actions lead to more, which the caller reads and hands
//! in until nothing is new. [`check`] compares them with what is here and with the lock file, and finds everything that is
//! missing before anything runs.

pub mod actions;
mod check;
mod error;

use std::collections::{BTreeMap, BTreeSet};

use sampan_model::yaml::Location;

use crate::PipelineError;
use crate::github::action::{Action as ActionFile, Runs};
use crate::github::{self, Kind, Uses, Workflow};
use crate::graph::{Action, Graph, Stage, Step, Text};

pub use check::{Presence, Resolved, Stock, check};
pub use error::SupplyError;

/// What pipelines stand on, each with the first place that names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Supplies {
    /// Images as they are written.
    pub images: BTreeMap<String, Location>,
    /// Actions and workflows of other repositories, by `OWNER/REPOSITORY@VERSION`.
    pub actions: BTreeMap<String, Location>,
    /// The folders of those in which there are actions; empty for the root of a repository.
    pub action_paths: BTreeMap<String, BTreeSet<String>>,
    /// The labels of machines on which jobs without a container run.
    pub machines: BTreeMap<Vec<String>, Location>,
    /// Folders of the source tree with actions, which lead to more.
    pub local_actions: BTreeMap<String, Location>,
    /// Versions of Node.js that actions run on, such as `node20`.
    pub node: BTreeMap<String, Location>,
    /// Images that only the run can tell.
    pub later: Vec<(String, Location)>,
}

/// Which stages and steps of a graph are looked at.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// Whether also those that do not run this time.
    pub all: bool,
    /// Whether something is built in for a step, so that it needs nothing.
    pub is_built_in: &'a dyn Fn(&Step) -> bool,
}

impl Supplies {
    /// Adds what the stages and steps of a graph need.
    pub fn add_graph(&mut self, graph: &Graph, scope: &Scope<'_>) {
        let wanted = |runs: bool| runs || scope.all;
        for stage in graph
            .stages
            .iter()
            .filter(|stage| wanted(stage.verdict.runs()))
        {
            let steps = stage.steps.iter();
            let steps: Vec<&Step> = steps.filter(|step| wanted(step.verdict.runs())).collect();
            self.add_machine(stage, &steps);
            for step in steps {
                if !(scope.is_built_in)(step) {
                    self.add_step(step);
                }
            }
        }
    }

    /// Adds what the steps of an action need.
    ///
    /// # Errors
    /// [`PipelineError`] when a step of it asks for what Sampan does not do.
    pub fn add_action(
        &mut self,
        action: &ActionFile,
        location: &Location,
        scope: &Scope<'_>,
    ) -> Result<(), PipelineError> {
        match &action.runs {
            Runs::Composite { .. } => {
                for step in github::plan::composite(action)? {
                    if !(scope.is_built_in)(&step) {
                        self.add_step(&step);
                    }
                }
            }
            Runs::Container(container) => {
                if let Some(image) = container.image.strip_prefix("docker://") {
                    self.image(image, location);
                }
            }
            Runs::Node { version, .. } => {
                self.node
                    .entry(version.clone())
                    .or_insert_with(|| location.clone());
            }
        }
        Ok(())
    }

    /// Adds the workflows of other repositories that the jobs of a workflow call.
    pub fn add_calls(&mut self, workflow: &Workflow) {
        for job in &workflow.jobs {
            if let Kind::Call(called) = &job.kind
                && let Some(name) = action_name(&called.workflow)
            {
                self.actions
                    .entry(name)
                    .or_insert_with(|| called.location.clone());
            }
        }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn add_machine(&mut self, stage: &Stage, steps: &[&Step]) {
        match &stage.container {
            Some(container) => self.text(&container.image, &stage.location),
            None if steps.iter().any(|step| step.container.is_none()) => {
                let labels = stage.platform.labels.iter();
                let labels: BTreeSet<String> = labels.map(|(label, _)| label.clone()).collect();
                let labels = labels.into_iter().collect();
                self.machines
                    .entry(labels)
                    .or_insert_with(|| stage.location.clone());
            }
            None => {}
        }
    }

    fn add_step(&mut self, step: &Step) {
        if let Some(container) = &step.container {
            self.text(&container.image, &step.location);
        }
        if let Action::Uses { reference, .. } = &step.action {
            self.uses(reference, &step.location);
        }
    }

    fn uses(&mut self, reference: &str, location: &Location) {
        match Uses::parse(reference) {
            Ok(Uses::Image { image }) => self.image(&image, location),
            Ok(Uses::Local { path }) => {
                self.local_actions
                    .entry(path)
                    .or_insert_with(|| location.clone());
            }
            Ok(Uses::Repository {
                owner,
                repository,
                version,
                path,
            }) => {
                let name = format!("{owner}/{repository}@{version}");
                let paths = self.action_paths.entry(name.clone());
                paths.or_default().insert(path);
                self.actions.entry(name).or_insert_with(|| location.clone());
            }
            // Workflows were read before; what is wrong in them was said then.
            Err(_) => {}
        }
    }

    fn text(&mut self, image: &Text, location: &Location) {
        match image {
            Text::Now(image) => self.image(image, location),
            Text::Later(later) => {
                let one = (later.expression.clone(), later.location.clone());
                if !self.later.contains(&one) {
                    self.later.push(one);
                }
            }
        }
    }

    fn image(&mut self, image: &str, location: &Location) {
        if !image.is_empty() {
            self.images
                .entry(image.to_owned())
                .or_insert_with(|| location.clone());
        }
    }
}

/// `OWNER/REPOSITORY@VERSION` of an action or a workflow by its reference, which may have a path in between; nothing when
/// it is one of the source tree.
#[must_use]
pub fn action_name(reference: &str) -> Option<String> {
    let (path, version) = reference.split_once('@')?;
    let mut parts = path.split('/');
    let (owner, repository) = (parts.next()?, parts.next()?);
    let is_word = |text: &str| !text.is_empty() && text != "." && text != "..";
    (is_word(owner) && is_word(repository) && !version.is_empty())
        .then(|| format!("{owner}/{repository}@{version}"))
}
