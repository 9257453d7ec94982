//! Actions that are programs of Node.js.

use std::collections::BTreeMap;

use super::action::Used;
use super::composite::{Frame, Performed};
use super::docker::OwnContainer;
use super::post::PostAction;
use super::process::Process;
use super::{Job, JobError, Post, Site};
use crate::config;
use crate::github::action::Hook;
use crate::github::environment::input_variables;
use crate::run::environment::Variables;
use crate::run::log::Log;
use crate::run::step::StepError;

/// An action that is a program of Node.js.
pub(super) struct Node<'n> {
    /// What it runs on: `node20`.
    pub(super) version: &'n str,
    pub(super) main: &'n str,
    pub(super) post: Option<&'n Hook>,
    /// Where the action lies in containers.
    pub(super) inside: &'n str,
}

/// A program of an action.
#[derive(Debug, Clone)]
pub(super) struct NodeProgram {
    pub(super) reference: String,
    /// What it runs on: `node20`.
    pub(super) version: String,
    /// Where it lies in containers.
    pub(super) path: String,
}

impl Node<'_> {
    /// One of its programs.
    pub(super) fn program(&self, reference: &str, program: &str) -> NodeProgram {
        NodeProgram {
            reference: reference.to_owned(),
            version: self.version.to_owned(),
            path: crate::path::join(self.inside, program),
        }
    }
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
        let main = node.program(&used.reference, node.main);
        let variables = self.begin_node(frame, node, used);
        self.run_node(frame, &main, variables, log)
    }

    /// Leaves what an action does at the end of the job, and gives the variables of its programs.
    pub(super) fn begin_node(
        &self,
        frame: &Frame<'_, '_>,
        node: &Node<'_>,
        used: Used,
    ) -> Variables {
        let mut variables = used.variables;
        variables.extend(input_variables(&used.inputs));
        if let Some(post) = node.post {
            self.leave(Post {
                site: frame.site(),
                title: used.step,
                condition: post.condition.clone(),
                what: PostAction::Node {
                    program: node.program(&used.reference, &post.program),
                    action_path: node.inside.to_owned(),
                    variables: variables.clone(),
                },
            });
        }
        variables
    }

    /// Runs a program of Node.js, in the job's container where that has it. It gets what the action has saved, and may
    /// save more.
    pub(super) fn run_node(
        &self,
        frame: &mut Frame<'_, '_>,
        program: &NodeProgram,
        mut variables: Variables,
        log: &mut Log,
    ) -> Result<Performed, StepError> {
        let container = if self.has_program("node") {
            None
        } else {
            let image = config::node_image(&self.given.node, &program.version);
            let image = image.ok_or_else(|| JobError::NoNode {
                reference: program.reference.clone(),
                version: program.version.clone(),
            })?;
            Some(OwnContainer {
                image: frame.run.image_of(image)?,
                entrypoint: Some(vec!["node".to_owned()]),
                command: vec![program.path.clone()],
            })
        };
        self.add_saved(&frame.site(), &mut variables);
        let process = Process {
            args: vec!["node".to_owned(), program.path.clone()],
            folder: frame.run.stage.workspace.path.clone(),
            variables,
            files: self.files.of_process()?,
            container,
        };
        self.run_process(frame, process, log)
    }

    /// Adds what an action has saved so far to the variables of its next process.
    pub(super) fn add_saved(&self, site: &Site, variables: &mut Variables) {
        let state = self.state();
        let saved: Option<&BTreeMap<String, String>> = state.saved.get(site);
        for (name, value) in saved.into_iter().flatten() {
            variables.insert(format!("STATE_{name}"), value.clone());
        }
    }
}
