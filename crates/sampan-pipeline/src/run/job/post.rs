//! What actions leave to be done at the end of the job.

use std::collections::BTreeMap;
use std::sync::Arc;

use sampan_model::Causes;

use super::built_in::Call;
use super::composite::Frame;
use super::docker::OwnContainer;
use super::hash_files::Workspace;
use super::node::NodeProgram;
use super::{Job, Post};
use crate::built_in::BuiltIn;
use crate::github::environment::condition;
use crate::graph::{Expression, Step};
use crate::plan::End;
use crate::run::environment::Variables;
use crate::run::images::Unpacked;
use crate::run::log::Log;
use crate::run::stage_run::StageRun;
use crate::run::step::StepError;

/// What an action does at the end of the job.
#[derive(Debug, Clone)]
pub(super) enum PostAction {
    Node {
        program: NodeProgram,
        action_path: String,
        variables: Variables,
    },
    BuiltIn {
        built_in: BuiltIn,
        step: Box<Step>,
        inputs: BTreeMap<String, String>,
        variables: Variables,
    },
    Container {
        image: Arc<Unpacked>,
        entrypoint: String,
        variables: Variables,
    },
}

impl Job {
    /// Does what actions have left for the end of the job, the last first. False when something failed.
    pub(in crate::run) fn run_posts(&self, run: &StageRun<'_>) -> bool {
        let mut well = true;
        while let Some(post) = { self.state().posts.pop() } {
            let number = post.site.0;
            let Some(mut log) = run.open_log(number) else {
                continue;
            };
            let mut frame = Frame::of_job(run, number, Variables::new());
            frame.within.clone_from(&post.site.1);
            frame.passed = run.ends.times();
            frame.deadline = self.until(run);
            let ran = self.run_post(&mut frame, &post, &mut log);
            match ran {
                Ok(true) => {}
                Ok(false) => well = false,
                Err(error) => {
                    log.say(&Causes(&error).to_string());
                    well = false;
                }
            }
            log.finish();
        }
        well
    }

    fn run_post(
        &self,
        frame: &mut Frame<'_, '_>,
        post: &Post,
        log: &mut Log,
    ) -> Result<bool, StepError> {
        if !self.hook_runs(frame, post.condition.as_ref())? {
            return Ok(true);
        }
        log.say(&format!("Post {}", post.title));
        let performed = match &post.what {
            PostAction::Node {
                program,
                action_path,
                variables,
            } => {
                frame.action_path = Some(action_path.clone());
                self.run_node(frame, program, variables.clone(), log)?
            }
            PostAction::BuiltIn {
                built_in,
                step,
                inputs,
                variables,
            } => {
                let call = Call {
                    built_in,
                    step,
                    inputs,
                    variables,
                    post: true,
                };
                self.call_built_in(frame, &call, log).0
            }
            PostAction::Container {
                image,
                entrypoint,
                variables,
            } => {
                let own = OwnContainer {
                    image: Arc::clone(image),
                    entrypoint: Some(vec![entrypoint.clone()]),
                    command: Vec::new(),
                };
                self.run_in_own(frame, own, variables.clone(), log)?
            }
        };
        Ok(performed.ending.end == End::Success)
    }

    /// Leaves something to be done at the end of the job; once for each use of an action.
    pub(super) fn leave(&self, post: Post) {
        let mut state = self.state();
        if !state.posts.iter().any(|known| known.site == post.site) {
            state.posts.push(post);
        }
    }

    /// Whether what an action does before or after the steps is done now.
    pub(super) fn hook_runs(
        &self,
        frame: &Frame<'_, '_>,
        expression: Option<&Expression>,
    ) -> Result<bool, StepError> {
        let Some(expression) = expression else {
            return Ok(true);
        };
        let workspace = Workspace::of(frame.run);
        let variables = frame.variables(self);
        let contexts = self.contexts(frame, &variables, &workspace);
        condition(expression, &contexts).map_err(|source| StepError::Expression {
            expression: expression.expression.clone(),
            source: Box::new(source),
        })
    }
}
