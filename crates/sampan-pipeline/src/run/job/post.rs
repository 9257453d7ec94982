//! What actions leave to be done at the end of the job.

use std::collections::BTreeMap;
use std::sync::Arc;

use sampan_model::Causes;

use super::built_in::Call;
use super::composite::Frame;
use super::docker::OwnContainer;
use super::hash_files::Workspace;
use super::{Job, Post};
use crate::built_in::BuiltIn;
use crate::github::environment::condition;
use crate::graph::Step;
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
        reference: String,
        program: String,
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
            let Some(mut log) = run.reopen_log(post.number) else {
                continue;
            };
            let masks = self.state().masks.clone();
            log.change_secrets(&masks);
            let mut frame = Frame::of_job(run, post.number, Variables::new());
            frame.passed = run.ends.times();
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
        if let Some(expression) = &post.condition {
            let workspace = Workspace::of(frame.run);
            let contexts = self.contexts(frame, &Variables::new(), &workspace);
            let holds = condition(expression, &contexts);
            let holds = holds.map_err(|source| StepError::Expression {
                expression: expression.expression.clone(),
                source: Box::new(source),
            })?;
            if !holds {
                return Ok(true);
            }
        }
        log.say(&format!("Post {}", post.title));
        let performed = match &post.what {
            PostAction::Node {
                reference,
                program,
                action_path,
                variables,
            } => {
                frame.action_path = Some(action_path.clone());
                let path = crate::path::join(action_path, program);
                self.run_node(frame, reference, path, variables.clone(), log)?
                    .0
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
}
