//! One step: a container over its image's layers and the workspace, or a built-in.

use std::path::{Path, PathBuf};
use std::time::Instant;

use sampan_container::{ContainerId, ContainerSpec, Exit, Network, Runtime, Signal};
use sampan_model::Hint;

use super::description::{DescriptionError, Parts, Program, bind, describe};
use super::environment::{self, SoFar, Variables};
use super::folder;
use super::forward::{Outputs, Stopped};
use super::images::ImageError;
use super::interrupt::{Interrupt, Registration};
use super::job::{JobError, apply_options};
use super::log::Log;
use super::message::{Ending, TOO_LONG};
use super::network::StageNetworkError;
use super::stage_run::StageRun;
use super::{PortError, RunError, SourceTarget};
use crate::expression::EvaluateError;
use crate::graph::{Action, Container, Deferred, Role, Step};
use crate::plan::End;
use crate::script;
use crate::secrets::Asker;

/// Where the script of a step lies in its container.
const SCRIPT: &str = "/.sampan/step.sh";

/// Why a step could not be run. It fails then.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error(transparent)]
    Network(#[from] StageNetworkError),
    #[error(transparent)]
    Description(#[from] DescriptionError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Port(#[from] PortError),
    #[error("cannot run the container")]
    Container(#[from] sampan_container::Error),
    #[error("cannot read what the step says")]
    Output(#[source] std::io::Error),
    #[error("{what} is known only in workflows of GitHub")]
    Late { what: &'static str },
    #[error("`{expression}` has no value")]
    Expression {
        expression: String,
        #[source]
        source: Box<EvaluateError>,
    },
    #[error(transparent)]
    Job(#[from] JobError),
}

impl Hint for StepError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Job(error) => error.hint(),
            Self::Port(error) => error.hint.clone(),
            _ => None,
        }
    }
}

/// A step of a stage whose steps are containers of their own.
pub(super) struct StepRun<'a> {
    pub(super) stage: &'a StageRun<'a>,
    pub(super) number: usize,
    pub(super) step: &'a Step,
    pub(super) so_far: SoFar,
}

impl StepRun<'_> {
    /// Runs the step. `began` is called once others may rely on it.
    pub(super) fn run(&self, log: &mut Log, began: &mut dyn FnMut(Option<&ContainerId>)) -> Ending {
        let scratch = self.stage.folders.scratch(self.number);
        let ran = self.run_in(&scratch, log, began);
        if let Err(error) = folder::remove(&scratch) {
            tracing::warn!(%error, "cannot remove the folder of a step");
        }
        match ran {
            Ok(ending) => ending,
            Err(error) => {
                let reason = log.say_failure(&error);
                Ending::failed(reason)
            }
        }
    }

    fn run_in(
        &self,
        scratch: &Path,
        log: &mut Log,
        began: &mut dyn FnMut(Option<&ContainerId>),
    ) -> Result<Ending, StepError> {
        let variables = self.variables()?;
        if let Some(Ok(built_in)) = crate::built_in::of(self.step) {
            began(None);
            return Ok(self.run_built_in(&built_in, &variables, log));
        }
        if self.step.role == Role::Clone {
            began(None);
            return self.clone_tree(log);
        }
        let container = self
            .step
            .container
            .as_ref()
            .ok_or(StepError::Late { what: "the image" })?;
        let upper = scratch.join("upper");
        std::fs::create_dir_all(&upper).map_err(RunError::io("make", &upper))?;
        let mut container = container.clone();
        let mut variables = variables;
        variables.extend(apply_options(self.stage, &mut container)?);
        let image = self.stage.image(&container)?;
        let program = self.program(scratch, &container, variables)?;
        let place = self.stage.network.place(self.number, self.step)?;
        let network = Network::Namespace(place.namespace.path().to_owned());
        let shared = self.stage.shared;
        let spec = describe(Parts {
            data: &shared.executor.data,
            run: shared.run.folder,
            trust: shared.run.trust,
            stage: self.stage.stage,
            folders: &self.stage.folders,
            container: &container,
            image: &image,
            program,
            upper,
            network,
            hosts: self.stage.network.hosts().to_vec(),
            host_name: &self.step.name,
        });
        let ran = spec
            .map_err(StepError::from)
            .and_then(|spec| self.run_container(&spec, log, began));
        self.stage.network.give_back(self.number, self.step, place);
        ran
    }

    fn variables(&self) -> Result<Variables, StepError> {
        let run = self.stage.shared.run;
        let secrets = run
            .secrets
            .of(&Asker::of_step(run.build, self.stage.stage, self.step));
        let mut variables = environment::resolve(&self.step.environment, &secrets, &mut |later| {
            self.stage.text(&Deferred::Later(later.clone()))
        })?;
        environment::put_status(&mut variables, self.stage.shared.dialect, &self.so_far);
        Ok(variables)
    }

    /// Brings the source tree into the workspace.
    fn clone_tree(&self, log: &mut Log) -> Result<Ending, StepError> {
        let workspace = &self.stage.stage.workspace;
        let inside = Path::new(&workspace.path)
            .strip_prefix(&workspace.base)
            .unwrap_or(Path::new(""));
        let folder = self.stage.folders.workspace();
        let target = SourceTarget::open(&folder, inside).map_err(RunError::io("open", &folder))?;
        log.say(&format!("the source tree is put into {}", workspace.path));
        self.stage.shared.run.tree.fill(&target)?;
        Ok(Ending::SUCCESS)
    }

    fn program(
        &self,
        scratch: &Path,
        container: &Container,
        mut variables: Variables,
    ) -> Result<Program, StepError> {
        let folder = match &container.working_directory {
            Some(Deferred::Now(folder)) if folder.starts_with('/') => Some(folder.clone()),
            Some(Deferred::Now(folder)) => {
                Some(crate::path::join(&self.stage.stage.workspace.path, folder))
            }
            Some(later @ Deferred::Later(_)) => Some(self.stage.text(later)?),
            None => None,
        };
        let mut program = Program {
            folder,
            ..Program::default()
        };
        match &self.step.action {
            Action::Image {
                entrypoint,
                command,
            } => {
                program.entrypoint = Some(entrypoint.clone()).filter(|own| !own.is_empty());
                program.command.clone_from(command);
            }
            Action::Plugin { .. } => {}
            Action::Commands {
                commands,
                entrypoint,
                shell,
            } => {
                let text = script::of_commands(commands);
                let path = scratch.join("step.sh");
                std::fs::write(&path, &text).map_err(RunError::io("write", &path))?;
                program.mounts.push(bind(path, SCRIPT, true));
                let shell = shell.as_deref().unwrap_or("/bin/sh");
                program.entrypoint = Some(if entrypoint.is_empty() {
                    vec![shell.to_owned(), "-e".to_owned(), SCRIPT.to_owned()]
                } else {
                    // Who brings an entry point finds the script where Woodpecker has it.
                    let encoded = base64::Engine::encode(
                        &base64::engine::general_purpose::STANDARD,
                        text.as_bytes(),
                    );
                    variables.insert("CI_SCRIPT".to_owned(), encoded);
                    entrypoint.clone()
                });
            }
            Action::Run { .. } | Action::Uses { .. } => {
                return Err(StepError::Late { what: "the action" });
            }
        }
        program.variables = variables;
        Ok(program)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let own = match &self.step.timeout {
            Some(Deferred::Now(limit)) => Instant::now().checked_add(*limit),
            _ => None,
        };
        own.into_iter().chain(self.stage.deadline).min()
    }

    fn run_container(
        &self,
        spec: &ContainerSpec,
        log: &mut Log,
        began: &mut dyn FnMut(Option<&ContainerId>),
    ) -> Result<Ending, StepError> {
        let mut interrupts = vec![(&self.stage.ends, 0)];
        if self.step.detached {
            interrupts.push((&self.stage.services, 0));
        }
        let limits = Limits {
            interrupts: &interrupts,
            deadline: self.deadline(),
        };
        let runtime = &self.stage.shared.executor.runtime;
        let (exit, stopped) = run_container(
            runtime,
            spec,
            &limits,
            &mut |output, bytes| log.push(output, bytes),
            began,
        )?;
        if self.stage.ends.is_triggered() {
            return Ok(Ending {
                end: End::Cancelled,
                reason: None,
            });
        }
        if self.step.detached && self.stage.services.is_triggered() {
            return Ok(Ending::SUCCESS);
        }
        let ending = ending(&exit, stopped);
        if let Some(reason) = &ending.reason {
            log.say(reason);
        }
        Ok(ending)
    }
}

/// What ends a container before its time.
pub(super) struct Limits<'a> {
    /// Each with how often it was triggered before: that is passed by.
    pub(super) interrupts: &'a [(&'a Interrupt, u32)],
    pub(super) deadline: Option<Instant>,
}

/// A container that is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Guarded {
    runtime: Runtime,
    pub(super) id: ContainerId,
}

impl Guarded {
    /// Creates a container.
    pub(super) fn create(
        runtime: &Runtime,
        spec: &ContainerSpec,
    ) -> Result<Self, sampan_container::Error> {
        Ok(Self {
            runtime: runtime.clone(),
            id: runtime.create(spec)?,
        })
    }

    /// Kills it when the run is ended early, for as long as the guard lives.
    fn kill_on(&self, interrupt: &Interrupt, passed: u32) -> Registration {
        let (runtime, id) = (self.runtime.clone(), self.id.clone());
        interrupt.on_trigger(move |times| {
            if times > passed {
                kill(&runtime, &id);
            }
        })
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if let Err(error) = self.runtime.remove(&self.id, true) {
            tracing::warn!(%error, container = %self.id, "cannot remove the container of a step");
        }
    }
}

fn kill(runtime: &Runtime, id: &ContainerId) {
    if let Err(error) = runtime.kill(id, Signal::KILL) {
        // It ended in this very moment, or has not been started.
        tracing::debug!(%error, container = %id, "cannot kill the container of a step");
    }
}

/// Runs a container to its end and removes it.
pub(super) fn run_container(
    runtime: &Runtime,
    spec: &ContainerSpec,
    limits: &Limits<'_>,
    take: &mut dyn FnMut(usize, &[u8]),
    began: &mut dyn FnMut(Option<&ContainerId>),
) -> Result<(Exit, Stopped), StepError> {
    let container = Guarded::create(runtime, spec)?;
    let attachment = runtime.attach(&container.id)?;
    let mut outputs = Outputs::new(attachment.stdout, attachment.stderr);
    runtime.start(&container.id)?;
    // From here on there is something to kill; what was asked before is done now.
    let _kills: Vec<Registration> = limits
        .interrupts
        .iter()
        .map(|(interrupt, passed)| container.kill_on(interrupt, *passed))
        .collect();
    began(Some(&container.id));
    let stopped = outputs
        .forward(None, limits.deadline, take)
        .map_err(StepError::Output)?;
    if stopped == Stopped::Late {
        kill(runtime, &container.id);
        outputs
            .forward(None, None, take)
            .map_err(StepError::Output)?;
    }
    let exit = wait(runtime, &container.id, limits.deadline, stopped)?;
    Ok((exit, stopped))
}

/// Waits for a container whose output has ended; it may have closed it and run on.
fn wait(
    runtime: &Runtime,
    id: &ContainerId,
    deadline: Option<Instant>,
    stopped: Stopped,
) -> Result<Exit, StepError> {
    let Some(deadline) = deadline.filter(|_| stopped == Stopped::Ended) else {
        return Ok(runtime.wait_blocking(id)?);
    };
    let (told, ended) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let left = deadline.saturating_duration_since(Instant::now());
            if ended.recv_timeout(left) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                kill(runtime, id);
            }
        });
        let exit = runtime.wait_blocking(id);
        drop(told);
        Ok(exit?)
    })
}

/// How a step ended by how its process did.
pub(super) fn ending(exit: &Exit, stopped: Stopped) -> Ending {
    let reason = if stopped == Stopped::Late {
        Some(TOO_LONG.to_owned())
    } else if exit.oom_killed {
        Some("it needed more memory than it may have".to_owned())
    } else {
        exit.reason.clone()
    };
    let end = match exit.code {
        0 if stopped == Stopped::Ended => End::Success,
        code => End::Failure(Some(code)),
    };
    Ending { end, reason }
}

/// The path of the log of a step.
pub(super) fn log_path(logs: &Path, step: &str) -> PathBuf {
    logs.join(format!("{}.log", folder::name(step)))
}
