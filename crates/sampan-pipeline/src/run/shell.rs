//! The container in which a step of an earlier run ran, for somebody who wants to look around in it.

use std::collections::BTreeMap;

use sampan_container::{ContainerSpec, Network};

use super::description::{Parts, Program, StageFolders, describe};
use super::environment::{self, SoFar};
use super::images::Images;
use super::{Executor, ImageRequest, Run, RunError, Source, folder, prepare};
use crate::graph::{Action, Container, Deferred, EnvironmentValue, Stage, Step};

/// What is run in place of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shell<'a> {
    /// The stage's id.
    pub stage: &'a str,
    /// The step's name.
    pub step: &'a str,
    /// The command line.
    pub command: &'a [String],
    /// Whether somebody sits at a terminal.
    pub terminal: bool,
}

impl Executor {
    /// Describes a container with the image, the environment and the mounts of a step, over the workspace that `run.folder`
    /// has kept of it. Services are not there, nor what only the run could tell.
    ///
    /// # Errors
    /// [`RunError`] when there is no such step, or its workspace is gone.
    pub fn shell(&self, run: &Run<'_>, shell: &Shell<'_>) -> Result<ContainerSpec, RunError> {
        let graph = prepare::graph(run)?;
        let refuse = |reason| RunError::Resume {
            folder: run.folder.to_owned(),
            step: shell.step.to_owned(),
            reason,
        };
        let stage = graph.stage(shell.stage);
        let stage = stage.ok_or_else(|| refuse("the pipeline has no such stage now"))?;
        let step = stage.step(shell.step);
        let step = step.ok_or_else(|| refuse("the stage has no such step now"))?;
        let folders = StageFolders {
            root: run.folder.join("stages").join(folder::name(&stage.id)),
        };
        if !folders.workspace().is_dir() {
            return Err(refuse("its workspace was not kept"));
        }
        let container = container(run, stage, step)
            .ok_or_else(|| refuse("it has no container that is known beforehand"))?;
        let Deferred::Now(name) = &container.image else {
            return Err(refuse("only the run can tell its image"));
        };
        let request = ImageRequest {
            name,
            pull: container.pull,
            login: None,
        };
        let image = Images::default().unpack(self, run.ports, &request);
        let image = image.map_err(|source| RunError::Shell(Box::new(source)))?;
        let place = match &container.working_directory {
            Some(Deferred::Now(folder)) if folder.starts_with('/') => folder.clone(),
            Some(Deferred::Now(folder)) => crate::path::join(&stage.workspace.path, folder),
            _ => stage.workspace.path.clone(),
        };
        let mut variables = known(step, run)?;
        environment::put_status(&mut variables, graph.dialect, &SoFar::default());
        let mut spec = describe(Parts {
            data: &self.data,
            run: run.folder,
            trust: run.trust,
            stage,
            folders: &folders,
            container: &container,
            image: &image,
            program: Program {
                entrypoint: Some(shell.command.to_vec()),
                variables,
                folder: Some(place),
                ..Program::default()
            },
            upper: folders.root.join("steps").join("shell").join("upper"),
            network: Network::Bridge { ports: Vec::new() },
            hosts: Vec::new(),
            host_name: &step.name,
        })
        .map_err(|source| RunError::Shell(Box::new(source)))?;
        // What is changed beside the workspace goes with the container.
        spec.rootfs.upper = None;
        spec.auto_remove = true;
        spec.process.terminal = shell.terminal;
        spec.process.stdin = true;
        spec.process.stdin_once = true;
        Ok(spec)
    }
}

/// The container of a step, or the one of its job.
fn container(run: &Run<'_>, stage: &Stage, step: &Step) -> Option<Container> {
    if let Some(own) = step.container.as_ref().or(stage.container.as_ref()) {
        return Some(own.clone());
    }
    let Source::GitHub(source) = &run.source else {
        return None;
    };
    let mut labels = stage.platform.labels.iter();
    let image = labels.find_map(|(label, _)| source.runners.get(&label.to_lowercase()))?;
    Some(Container {
        image: Deferred::Now(image.clone()),
        ..Container::default()
    })
}

/// The variables that are known without the run.
fn known(step: &Step, run: &Run<'_>) -> Result<BTreeMap<String, String>, RunError> {
    let mut environment = step.environment.clone();
    if let Action::Run {
        environment: own, ..
    }
    | Action::Uses {
        environment: own, ..
    } = &step.action
    {
        environment.extend(own.clone());
    }
    environment.retain(|_, value| !matches!(value, EnvironmentValue::Later(_)));
    environment::resolve(&environment, run.secrets, &mut |_| Ok(String::new()))
}
