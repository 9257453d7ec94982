//! Built-ins in place of actions.

use std::collections::BTreeMap;
use std::os::fd::AsFd as _;

use super::action::Used;
use super::composite::{Frame, Performed};
use super::post::PostAction;
use super::{Job, Post, runner};
use crate::built_in::BuiltIn;
use crate::github::context::Conclusion;
use crate::github::environment::defaults;
use crate::graph::Step;
use crate::plan::End;
use crate::run::environment::Variables;
use crate::run::forward::Stopped;
use crate::run::limited::Limit;
use crate::run::log::Log;
use crate::run::message::{Ending, TOO_LONG, What};
use crate::run::scene::Scene;

/// A built-in with what it is called with.
pub(super) struct Call<'c> {
    pub(super) built_in: &'c BuiltIn,
    pub(super) step: &'c Step,
    pub(super) inputs: &'c BTreeMap<String, String>,
    pub(super) variables: &'c Variables,
    /// Whether it is called at the end of the job.
    pub(super) post: bool,
}

impl Job {
    /// Runs a built-in.
    pub(super) fn run_built_in(
        &self,
        frame: &Frame<'_, '_>,
        step: &Step,
        built_in: &BuiltIn,
        used: Used,
        log: &mut Log,
    ) -> Performed {
        let mut variables = used.variables;
        variables.extend(defaults(&self.github(frame), &runner(frame.run)));
        variables
            .entry("HOME".to_owned())
            .or_insert_with(|| self.home.clone());
        let call = Call {
            built_in,
            step,
            inputs: &used.inputs,
            variables: &variables,
            post: false,
        };
        let (performed, again) = self.call_built_in(frame, &call, log);
        if again {
            self.leave(Post {
                site: frame.site(),
                title: used.step,
                condition: None,
                what: PostAction::BuiltIn {
                    built_in: built_in.clone(),
                    step: Box::new(step.clone()),
                    inputs: used.inputs,
                    variables,
                },
            });
        }
        performed
    }

    /// Calls a built-in; the second value is whether it wants to be called again at the end of the job.
    pub(super) fn call_built_in(
        &self,
        frame: &Frame<'_, '_>,
        call: &Call<'_>,
        log: &mut Log,
    ) -> (Performed, bool) {
        let run = frame.run;
        let shared = run.shared;
        let status = self.state().status;
        let limit = Limit {
            passed: frame.passed,
            deadline: frame.deadline,
        };
        let (done, stopped) = run.limited(&limit, |interrupt, ports| {
            call.built_in.run(&mut Scene {
                build: shared.run.build,
                stage: run.stage,
                step: call.step,
                workspace: &run.folders.workspace(),
                container_root: Some(self.container_root.as_fd()),
                run_folder: shared.run.folder,
                data_folder: &shared.executor.data.join("ci"),
                environment: call.variables,
                inputs: call.inputs,
                so_far: match status {
                    Conclusion::Failure => End::Failure(None),
                    Conclusion::Cancelled => End::Cancelled,
                    Conclusion::Success | Conclusion::Skipped => End::Success,
                },
                post: call.post,
                trust: shared.run.trust,
                layers: &self.layers,
                tree: shared.run.tree,
                ports,
                interrupt,
                output: &mut |bytes| log.push(0, bytes),
            })
        });
        let ending = |end, reason| Performed {
            ending: Ending { end, reason },
            outputs: BTreeMap::new(),
        };
        if run.ends.times() > frame.passed {
            return (ending(End::Cancelled, None), false);
        }
        if stopped == Stopped::Late {
            log.say(TOO_LONG);
            let late = ending(End::Failure(None), Some(TOO_LONG.to_owned()));
            return (late, false);
        }
        match done {
            Ok(done) => {
                if let Some(summary) = &done.summary {
                    log.tell(What::Summary {
                        step: frame.number,
                        text: summary.clone(),
                    });
                }
                let mut state = self.state();
                state.variables.extend(done.environment);
                state.paths.extend(done.paths);
                let performed = Performed {
                    ending: Ending::SUCCESS,
                    outputs: done.outputs,
                };
                (performed, done.post)
            }
            Err(error) => {
                let reason = log.say_failure(&error);
                (ending(End::Failure(None), Some(reason)), false)
            }
        }
    }
}
