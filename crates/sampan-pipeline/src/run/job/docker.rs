//! Actions that are containers, and images as actions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sampan_container::{Exit, Network};

use super::action::{Place, Used};
use super::beginning::mounts;
use super::composite::{Frame, Performed};
use super::hash_files::Workspace;
use super::options::split;
use super::post::PostAction;
use super::process::Process;
use super::{Job, JobError, Post, RUNNER, evaluate};
use crate::built_in::files::Root;
use crate::github::Texts;
use crate::github::action::ContainerAction;
use crate::github::environment::input_variables;
use crate::graph::Container;
use crate::run::build_context::BuildContext;
use crate::run::description::{Parts, Program, describe};
use crate::run::environment::Variables;
use crate::run::forward::Stopped;
use crate::run::images::{Unpacked, unpack};
use crate::run::limited::Limit;
use crate::run::log::Log;
use crate::run::step::{Limits, StepError, run_container};
use crate::run::{ImageBuild, RunError, folder};

/// A container of a step of its own.
pub(super) struct OwnContainer {
    pub(super) image: Arc<Unpacked>,
    pub(super) entrypoint: Option<Vec<String>>,
    pub(super) command: Vec<String>,
}

impl Job {
    /// `docker://IMAGE`.
    pub(super) fn run_image(
        &self,
        frame: &mut Frame<'_, '_>,
        image: &str,
        used: Used,
        log: &mut Log,
    ) -> Result<Performed, StepError> {
        let (inputs, mut variables) = (used.inputs, used.variables);
        let input = |name: &str| {
            let mut inputs = inputs.iter();
            let found = inputs.find(|(given, _)| given.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        let own = OwnContainer {
            image: frame.run.image_of(image)?,
            entrypoint: input("entrypoint").map(|line| split(&line)),
            command: input("args").map(|line| split(&line)).unwrap_or_default(),
        };
        variables.extend(input_variables(&inputs));
        self.run_in_own(frame, own, variables, log)
    }

    /// An action that is a container.
    pub(super) fn docker(
        &self,
        frame: &mut Frame<'_, '_>,
        action: &ContainerAction,
        place: &Place,
        used: &Used,
        log: &mut Log,
    ) -> Result<Performed, StepError> {
        let (image, variables, mut command) = self.ready(frame, action, place, used, log)?;
        let given = |name: &str| used.inputs.get(name).map(|line| split(line));
        if let Some(args) = given("args").filter(|_| action.args.is_empty()) {
            command = args;
        }
        let entrypoint = given("entrypoint")
            .or_else(|| action.entrypoint.as_ref().map(|entry| vec![entry.clone()]));
        self.leave_container(frame, action, used, (&image, &variables));
        let own = OwnContainer {
            image,
            entrypoint,
            command,
        };
        self.run_in_own(frame, own, variables, log)
    }

    /// Leaves what an action does at the end of the job.
    pub(super) fn leave_container(
        &self,
        frame: &Frame<'_, '_>,
        action: &ContainerAction,
        used: &Used,
        (image, variables): (&Arc<Unpacked>, &Variables),
    ) {
        if let Some(post) = &action.post {
            self.leave(Post {
                site: frame.site(),
                title: used.step.clone(),
                condition: post.condition.clone(),
                what: PostAction::Container {
                    image: Arc::clone(image),
                    entrypoint: post.program.clone(),
                    variables: variables.clone(),
                },
            });
        }
    }

    /// The image, the variables and the arguments of an action that is a container.
    pub(super) fn ready(
        &self,
        frame: &Frame<'_, '_>,
        action: &ContainerAction,
        place: &Place,
        used: &Used,
        log: &mut Log,
    ) -> Result<(Arc<Unpacked>, Variables, Vec<String>), StepError> {
        let image = match action.image.strip_prefix("docker://") {
            Some(image) => frame.run.image_of(image)?,
            None => build(frame, &action.image, place, log)?,
        };
        let (inputs, mut variables) = (&used.inputs, used.variables.clone());
        let (command, own) = self.arguments(frame, action, inputs, &variables)?;
        // What the step says has precedence over what its action says.
        for (name, value) in own {
            variables.entry(name).or_insert(value);
        }
        variables.extend(input_variables(inputs));
        Ok((image, variables, command))
    }

    /// Runs the first process of a container of its own. It gets what the action has saved, and may save more.
    pub(super) fn run_in_own(
        &self,
        frame: &mut Frame<'_, '_>,
        own: OwnContainer,
        mut variables: Variables,
        log: &mut Log,
    ) -> Result<Performed, StepError> {
        self.add_saved(&frame.site(), &mut variables);
        let process = Process {
            args: Vec::new(),
            folder: frame.run.stage.workspace.path.clone(),
            variables,
            files: self.files.of_process()?,
            container: Some(own),
        };
        self.run_process(frame, process, log)
    }

    /// The arguments and variables of an action that is a container.
    fn arguments(
        &self,
        frame: &Frame<'_, '_>,
        action: &ContainerAction,
        inputs: &BTreeMap<String, String>,
        variables: &Variables,
    ) -> Result<(Vec<String>, Variables), StepError> {
        let mut inner = frame.inner(inputs, variables.clone());
        inner.steps = None;
        let workspace = Workspace::of(frame.run);
        let contexts = self.contexts(&inner, variables, &workspace);
        let arguments = action
            .args
            .iter()
            .map(|argument| evaluate(argument, &contexts))
            .collect::<Result<Vec<_>, _>>()?;
        let mut own = Variables::new();
        if let Texts::Each(texts) = &action.env {
            for (name, text) in texts {
                own.insert(name.clone(), evaluate(text, &contexts)?);
            }
        }
        Ok((arguments, own))
    }

    /// Runs a process that is the first one of a container of its own.
    pub(super) fn run_own(
        &self,
        frame: &Frame<'_, '_>,
        own: OwnContainer,
        variables: &Variables,
        take: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<(Exit, Stopped), StepError> {
        let run = frame.run;
        let scratch = run.folders.scratch(frame.number);
        let upper = scratch.join("upper");
        std::fs::create_dir_all(&upper).map_err(RunError::io("make", &upper))?;
        let mut variables = variables.clone();
        variables.insert("HOME".to_owned(), format!("{RUNNER}/home"));
        let program = Program {
            entrypoint: own.entrypoint,
            command: own.command,
            variables,
            folder: Some(run.stage.workspace.path.clone()),
            mounts: mounts(&self.root),
        };
        let spec = describe(Parts {
            data: &run.shared.executor.data,
            run: run.shared.run.folder,
            trust: run.shared.run.trust,
            stage: run.stage,
            folders: &run.folders,
            container: &Container::default(),
            image: &own.image,
            program,
            upper,
            network: Network::Namespace(self.place.namespace.path().to_owned()),
            hosts: run.network.hosts().to_vec(),
            host_name: &run.stage.name,
        })?;
        let limits = Limits {
            interrupts: &[(&run.ends, frame.passed)],
            deadline: frame.deadline,
        };
        let runtime = &run.shared.executor.runtime;
        let ran = run_container(runtime, &spec, &limits, take, &mut |_| {});
        folder::remove(&scratch)?;
        ran
    }
}

/// Builds the image of an action from its Dockerfile.
fn build(
    frame: &Frame<'_, '_>,
    dockerfile: &str,
    place: &Place,
    log: &mut Log,
) -> Result<Arc<Unpacked>, StepError> {
    let shared = frame.run.shared;
    let scratch = frame.run.folders.scratch(frame.number);
    let files = copy_files(frame, dockerfile, place, scratch.join("build"))?;
    let request = ImageBuild {
        context: files.context(),
        dockerfile: files.dockerfile.clone(),
        ..ImageBuild::default()
    };
    let limit = Limit {
        passed: frame.passed,
        deadline: frame.deadline,
    };
    let (built, _) = frame.run.limited(&limit, |_, ports| {
        ports.build_image(&request, &mut |bytes| log.push(0, bytes))
    });
    drop(files);
    folder::remove(&scratch)?;
    let descriptor = built?;
    let name = format!("{}/{dockerfile}", place.inside);
    Ok(Arc::new(unpack(shared.executor, &name, &descriptor)?))
}

/// Copies an action with its Dockerfile, which lies in its repository or in the workspace, and is no link out of these.
fn copy_files(
    frame: &Frame<'_, '_>,
    dockerfile: &str,
    place: &Place,
    target: PathBuf,
) -> Result<BuildContext, StepError> {
    let workspace = frame.run.folders.workspace();
    let (root, inside) = match place.folder.strip_prefix(&workspace) {
        Ok(inside) => (&workspace, inside),
        Err(_) => (&place.folder, Path::new("")),
    };
    let file = inside.join(dockerfile.trim_start_matches('/'));
    let copy = Root::open(root).and_then(|root| BuildContext::copy(&root, (inside, &file), target));
    copy.map_err(|source| {
        let reference = format!("{}/{dockerfile}", place.inside);
        JobError::Action { reference, source }.into()
    })
}
