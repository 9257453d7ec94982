//! A step of an earlier run, to be looked at or gone on with.

use std::path::PathBuf;

use sampan_pipeline::plan::State;
use sampan_pipeline::run::{Options, Outcome, Resume, StageOutcome, StepOutcome};
use sampan_pipeline::secrets::Secret;

use super::execution::{Execution, failed};
use super::installation::Installation;
use super::pipeline::{self, Pipeline};
use super::runs::{Kept, Order, Runs};
use super::tree::Tree;
use super::{Which, logs};
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// A step of an earlier run, with the pipeline as it is now.
pub(super) struct Earlier {
    pub(super) kept: Kept,
    pub(super) order: Order,
    pub(super) stage: String,
    pub(super) step: String,
    tree: Tree,
    pipeline: Pipeline,
}

impl Earlier {
    /// The step that is meant; when none is named the first that failed, or in which the run was killed.
    pub(super) fn find(which: &Which, context: &Context) -> Result<Self, Failure> {
        let (number, name) = which.parts()?;
        let kept = Runs::of(context).find(number)?;
        let (order, outcome) = (kept.order()?, kept.outcome()?);
        let (stage, step) = match name {
            Some(name) => logs::one(&outcome, name)?,
            None => stopped(&outcome).ok_or_else(|| {
                Failure::new(format!("no step of run {} has failed", kept.number))
                    .with_hint("name a step; `sampan ci show` lists them")
                    .with_exit(Exit::NotFound)
            })?,
        };
        let tree = Tree::around(&order.tree, context)?;
        let files: Vec<PathBuf> = order
            .files
            .iter()
            .map(|file| tree.root().join(file))
            .collect();
        let (mut pipelines, errors) = pipeline::find(&tree, &files)?;
        if let Some(error) = errors.into_iter().next() {
            return Err(error.into());
        }
        let pipeline = pipelines.pop().ok_or_else(|| {
            Failure::new(format!("run {} had no files", kept.number)).with_exit(Exit::NotFound)
        })?;
        Ok(Self {
            stage: stage.id.clone(),
            step: step.name.clone(),
            kept,
            order,
            tree,
            pipeline,
        })
    }

    /// The step as the executor takes it.
    pub(super) fn point(&self) -> Resume {
        Resume {
            folder: self.kept.folder.clone(),
            stage: self.stage.clone(),
            step: self.step.clone(),
        }
    }

    /// The run with which it is gone on.
    pub(super) fn execution<'a>(
        &'a self,
        secrets: &'a [Secret],
        options: Options,
        (installation, context): (&'a Installation, &'a Context),
    ) -> Execution<'a> {
        Execution {
            context,
            tree: &self.tree,
            pipeline: &self.pipeline,
            order: self.order.clone(),
            installation,
            secrets,
            options,
            keep: false,
            lines: false,
        }
    }
}

/// Where a run has come to a stop: at the first step that failed, or at one that ran when it was killed.
fn stopped(outcome: &Outcome) -> Option<(&StageOutcome, &StepOutcome)> {
    if let Some(place) = failed(outcome).first() {
        return Some(*place);
    }
    let steps = outcome
        .stages
        .iter()
        .flat_map(|stage| stage.steps.iter().map(move |step| (stage, step)));
    // Services run as well, but nothing was kept for them.
    let mut running =
        steps.filter(|(_, step)| step.state == State::Runs && step.snapshot.is_some());
    running.next()
}
