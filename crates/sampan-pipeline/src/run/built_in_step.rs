//! A step in whose place a built-in runs.

use std::collections::BTreeMap;

use super::environment::Variables;
use super::forward::Stopped;
use super::limited::Limit;
use super::log::Log;
use super::message::{Ending, TOO_LONG};
use super::scene::Scene;
use super::step::StepRun;
use crate::built_in::BuiltIn;
use crate::plan::End;

impl StepRun<'_> {
    /// Runs the built-in of a step that is a plugin; it reads its settings from the environment.
    pub(super) fn run_built_in(
        &self,
        built_in: &BuiltIn,
        variables: &Variables,
        log: &mut Log,
    ) -> Ending {
        let shared = self.stage.shared;
        let limit = Limit {
            passed: 0,
            deadline: self.deadline(),
        };
        let (ended, stopped) = self.stage.limited(&limit, |interrupt, ports| {
            let mut scene = Scene {
                build: shared.run.build,
                stage: self.stage.stage,
                step: self.step,
                workspace: &self.stage.folders.workspace(),
                container_root: None,
                run_folder: shared.run.folder,
                data_folder: &shared.executor.data.join("ci"),
                environment: variables,
                inputs: &BTreeMap::new(),
                so_far: if self.so_far.failed {
                    End::Failure(None)
                } else {
                    End::Success
                },
                post: false,
                trust: shared.run.trust,
                layers: &[],
                tree: shared.run.tree,
                ports,
                interrupt,
                output: &mut |bytes| log.push(0, bytes),
            };
            built_in.run(&mut scene)
        });
        match ended {
            _ if self.stage.ends.is_triggered() => Ending {
                end: End::Cancelled,
                reason: None,
            },
            _ if stopped == Stopped::Late => {
                log.say(TOO_LONG);
                Ending::failed(TOO_LONG)
            }
            Ok(_) => Ending::SUCCESS,
            Err(error) => {
                let reason = log.say_failure(&error);
                Ending::failed(reason)
            }
        }
    }
}
