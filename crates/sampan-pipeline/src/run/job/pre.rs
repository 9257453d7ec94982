//! What actions do before the first step of the job.

use super::Job;
use super::action::{Place, Used};
use super::composite::Frame;
use super::docker::OwnContainer;
use super::node::Node;
use crate::github::Uses;
use crate::github::action::{Action as ActionFile, Hook, Runs};
use crate::github::context::Conclusion;
use crate::github::plan::composite;
use crate::graph::{Action, Step};
use crate::plan::End;
use crate::run::log::Log;
use crate::run::stage::Done;
use crate::run::stage_run::StageRun;
use crate::run::step::StepError;

impl Job {
    /// Does what the actions of other repositories do before the first step, in the order of the steps. As on GitHub, those
    /// of the tree do nothing then: it is not there yet. False when something failed.
    pub(in crate::run) fn run_pres(&self, run: &StageRun<'_>, done: &Done) -> bool {
        let mut well = true;
        for (number, step) in run.stage.steps.iter().enumerate() {
            if !step.verdict.runs() || done.contains_key(&number) {
                continue;
            }
            // A job that is gone on with has done it before.
            let Some(reference) = reference(step).filter(|now| !self.is_prepared(step, now)) else {
                continue;
            };
            // What is wrong with a step is said when it runs.
            if let Ok(variables) = self.job_variables(run, step) {
                let mut frame = Frame::of_job(run, number, variables);
                frame.is_step = true;
                frame.passed = run.ends.times();
                frame.deadline = self.until(run);
                if self.pres_of(&mut frame, step) {
                    let mut state = self.state();
                    state
                        .prepared
                        .insert(step.name.clone(), reference.to_owned());
                } else {
                    well = false;
                }
            }
        }
        well
    }

    fn is_prepared(&self, step: &Step, reference: &str) -> bool {
        let state = self.state();
        state.prepared.get(&step.name).map(String::as_str) == Some(reference)
    }

    /// The same for what one step uses.
    fn pres_of(&self, frame: &mut Frame<'_, '_>, step: &Step) -> bool {
        let Action::Uses { reference, .. } = &step.action else {
            return true;
        };
        let is_elsewhere = matches!(Uses::parse(reference), Ok(Uses::Repository { .. }));
        if !is_elsewhere || crate::built_in::of(step).is_some() {
            return true;
        }
        let variables = self.step_variables(frame, step);
        let used = variables.and_then(|variables| self.used(frame, step, variables));
        let opened = used.and_then(|mut used| {
            let (place, action) = self.open(frame, &mut used)?;
            Ok((used, place, action))
        });
        let Ok((used, place, action)) = opened else {
            return true;
        };
        if let Runs::Composite { .. } = &action.runs {
            return self.pres_within(frame, &action, used);
        }
        let pre = match &action.runs {
            Runs::Node { pre, .. } => pre.as_ref(),
            Runs::Container(own) => own.pre.as_ref(),
            Runs::Composite { .. } => None,
        };
        pre.is_none_or(|pre| self.run_pre(frame, pre, (used, &place, &action)))
    }

    /// The same for the steps of a composite action.
    fn pres_within(&self, frame: &Frame<'_, '_>, action: &ActionFile, used: Used) -> bool {
        let inner = frame.inner(&used.inputs, used.variables);
        let steps = composite(action).unwrap_or_default();
        let mut well = true;
        for (place, step) in steps.iter().enumerate() {
            well &= self.pres_of(&mut inner.of_step(place), step);
        }
        well
    }

    fn run_pre(
        &self,
        frame: &mut Frame<'_, '_>,
        pre: &Hook,
        (used, place, action): (Used, &Place, &ActionFile),
    ) -> bool {
        let Some(mut log) = frame.run.open_log(frame.number) else {
            return true;
        };
        let runs = self.hook_runs(frame, pre.condition.as_ref());
        let ran = runs.and_then(|runs| {
            if !runs {
                return Ok(true);
            }
            log.say(&format!("Pre {}", used.step));
            self.before(frame, pre, (used, place, action), &mut log)
        });
        let well = ran.unwrap_or_else(|error| {
            log.say_failure(&error);
            false
        });
        if !well {
            self.state().status = Conclusion::Failure;
        }
        log.finish();
        well
    }

    /// What is left for the end of the job is done also when the step itself does not run.
    fn before(
        &self,
        frame: &mut Frame<'_, '_>,
        pre: &Hook,
        (used, place, action): (Used, &Place, &ActionFile),
        log: &mut Log,
    ) -> Result<bool, StepError> {
        let performed = match &action.runs {
            Runs::Composite { .. } => return Ok(true),
            Runs::Node {
                version,
                main,
                post,
                ..
            } => {
                let node = Node {
                    version,
                    main,
                    post: post.as_ref(),
                    inside: &place.inside,
                };
                let program = node.program(&used.reference, &pre.program);
                let variables = self.begin_node(frame, &node, used);
                self.run_node(frame, &program, variables, log)?
            }
            Runs::Container(own) => {
                let (image, variables, _) = self.ready(frame, own, place, &used, log)?;
                self.leave_container(frame, own, &used, (&image, &variables));
                let own = OwnContainer {
                    image,
                    entrypoint: Some(vec![pre.program.clone()]),
                    command: Vec::new(),
                };
                self.run_in_own(frame, own, variables, log)?
            }
        };
        Ok(performed.ending.end == End::Success)
    }
}

/// The action that a step uses.
pub(super) fn reference(step: &Step) -> Option<&str> {
    match &step.action {
        Action::Uses { reference, .. } => Some(reference),
        _ => None,
    }
}
