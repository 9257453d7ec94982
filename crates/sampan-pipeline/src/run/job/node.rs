//! Actions that are programs of Node.js.

use std::collections::BTreeMap;

use super::action::Used;
use super::composite::{Frame, Performed};
use super::docker::OwnContainer;
use super::post::PostAction;
use super::process::Process;
use super::{Job, JobError, Post};
use crate::github::action::Hook;
use crate::github::environment::input_variables;
use crate::plan::End;
use crate::run::environment::Variables;
use crate::run::log::Log;
use crate::run::step::StepError;

/// An action that is a program of Node.js.
pub(super) struct Node<'n> {
    pub(super) main: &'n str,
    pub(super) pre: Option<&'n Hook>,
    pub(super) post: Option<&'n Hook>,
    /// Where the action lies in containers.
    pub(super) inside: &'n str,
}

impl Job {
    /// Runs an action.
    pub(super) fn node(
        &self,
        frame: &mut Frame<'_, '_>,
        node: &Node<'_>,
        used: Used,
        log: &mut Log,
    ) -> Result<Performed, StepError> {
        let (reference, mut variables) = (used.reference, used.variables);
        variables.extend(input_variables(&used.inputs));
        let mut saved = BTreeMap::new();
        if let Some(pre) = node.pre {
            let path = crate::path::join(node.inside, &pre.program);
            let (performed, kept) =
                self.run_node(frame, &reference, path, variables.clone(), log)?;
            saved.extend(kept);
            if performed.ending.end != End::Success {
                return Ok(performed);
            }
        }
        add_state(&mut variables, &saved);
        let path = crate::path::join(node.inside, node.main);
        let (performed, kept) = self.run_node(frame, &reference, path, variables.clone(), log)?;
        saved.extend(kept);
        if let Some(post) = node.post {
            add_state(&mut variables, &saved);
            self.state().posts.push(Post {
                number: frame.number,
                title: used.step,
                condition: post.condition.clone(),
                what: PostAction::Node {
                    reference,
                    program: post.program.clone(),
                    action_path: node.inside.to_owned(),
                    variables,
                },
            });
        }
        Ok(performed)
    }

    /// Runs a program of Node.js, in the job's container where that has it.
    pub(super) fn run_node(
        &self,
        frame: &mut Frame<'_, '_>,
        reference: &str,
        path: String,
        variables: Variables,
        log: &mut Log,
    ) -> Result<(Performed, BTreeMap<String, String>), StepError> {
        let container = if self.has_program("node") {
            None
        } else {
            let Some(image) = &self.given.node_image else {
                let reference = reference.to_owned();
                return Err(JobError::NoNode { reference }.into());
            };
            Some(OwnContainer {
                image: frame.run.image_of(image)?,
                entrypoint: Some(vec!["node".to_owned()]),
                command: vec![path.clone()],
            })
        };
        let process = Process {
            args: vec!["node".to_owned(), path],
            folder: frame.run.stage.workspace.path.clone(),
            variables,
            files: self.files.of_process()?,
            container,
        };
        self.run_process_with_state(frame, process, log)
    }
}

fn add_state(variables: &mut Variables, saved: &BTreeMap<String, String>) {
    for (name, value) in saved {
        variables.insert(format!("STATE_{name}"), value.clone());
    }
}
