//! One process of a step: its variables, its commands to the runner, and what it hands over at its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use sampan_container::{Exec, ExecSpec, Exit, Signal};
use sampan_model::Causes;

use super::composite::{Frame, Performed};
use super::files::{NAMES, ProcessFiles};
use super::problems::Scan;
use super::{Job, JobError, Site};
use crate::github::command::{Command, Commands, Said};
use crate::github::environment::defaults;
use crate::github::file_command;
use crate::plan::End;
use crate::run::environment::{Variables, lines};
use crate::run::forward::{DRAIN_LIMIT, Outputs, Stopped};
use crate::run::limited::Limit;
use crate::run::log::Log;
use crate::run::message::{Ending, What};
use crate::run::stage_run::StageRun;
use crate::run::step::{StepError, ending};

/// A process of a step.
pub(super) struct Process {
    pub(super) args: Vec<String>,
    pub(super) folder: String,
    pub(super) variables: Variables,
    pub(super) files: ProcessFiles,
    /// The container in which it is the first process; the job's own when absent.
    pub(super) container: Option<super::docker::OwnContainer>,
}

/// What a process said to its runner.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) outputs: BTreeMap<String, String>,
    saved: BTreeMap<String, String>,
    variables: Vec<(String, String)>,
    paths: Vec<String>,
    /// Why the step fails although its process may end well.
    failed: Option<String>,
    /// Whether texts are to be masked that the log does not know yet.
    masks_changed: bool,
    /// Whether nothing more is shown, since not everything can be masked.
    pub(super) is_withheld: bool,
    /// What looks for problems in both outputs.
    pub(super) scans: [Scan; 2],
    /// What ends the process before its time.
    pub(super) limit: Limit,
}

impl Told {
    /// Takes what a process says on one of its outputs.
    fn hear(
        &mut self,
        said: Said<'_>,
        output: usize,
        (job, run): (&Job, &StageRun<'_>),
        log: &mut Log,
    ) {
        let (step, masks) = (log.step(), &run.masks);
        if let Said::Command(Command::AddMask(text)) = said {
            self.masks_changed = true;
            if masks.add(&text).is_err() && !std::mem::replace(&mut self.is_withheld, true) {
                let reason = "more texts are to be masked than can be; what follows is not shown";
                log.say(&format!("Error: {reason}"));
                self.failed.get_or_insert_with(|| reason.to_owned());
            }
            return;
        }
        if std::mem::take(&mut self.masks_changed) {
            log.change_secrets(&masks.current());
        }
        let command = match said {
            Said::Text(_) if self.is_withheld => return,
            Said::Text(bytes) => return job.text(run, output, bytes, self, log),
            Said::Command(command) => command,
        };
        match command {
            Command::Debug(_)
            | Command::Annotation(_)
            | Command::Group(_)
            | Command::AddMatcher(_)
            | Command::RemoveMatcher { .. }
                if self.is_withheld => {}
            Command::SetOutput { name, value } => drop(self.outputs.insert(name, value)),
            Command::SaveState { name, value } => drop(self.saved.insert(name, value)),
            Command::SetEnvironment { name, value } => self.variables.push((name, value)),
            Command::AddPath(path) => self.paths.push(path),
            Command::Debug(text) => log.say(&format!("Debug: {text}")),
            Command::Annotation(annotation) => {
                let severity = annotation.severity.name();
                log.say(&format!("{severity}: {}", annotation.message));
                log.tell(What::Annotation { step, annotation });
            }
            Command::Group(title) => {
                log.tell(What::Group {
                    step,
                    title: title.clone(),
                });
                log.say(&title);
            }
            Command::EndGroup => log.tell(What::GroupEnd { step }),
            Command::Refused(error) => {
                log.say(&format!("Error: {error}"));
                if error.fails_step() {
                    self.failed.get_or_insert_with(|| error.to_string());
                }
            }
            Command::AddMatcher(_) | Command::RemoveMatcher { .. } => {
                if let Err(error) = job.change_matchers(run, &command, self) {
                    let reason = Causes(&error).to_string();
                    log.say(&format!("Error: {reason}"));
                    self.failed.get_or_insert(reason);
                }
            }
            Command::AddMask(_) | Command::Echo(_) | Command::Stop(_) | Command::Resume => {}
        }
    }

    /// Reads the files by which a process hands things over.
    fn take_files(&mut self, files: &ProcessFiles, log: &mut Log) -> Result<(), StepError> {
        let wrong = |name| move |source| JobError::Command { name, source };
        let variables =
            file_command::environment(&files.read("env")?).map_err(wrong("GITHUB_ENV"))?;
        for name in variables.blocked {
            log.say(&format!(
                "Error: the variable `{name}` cannot be set for others"
            ));
        }
        self.variables.extend(variables.set);
        let outputs = file_command::values(&files.read("output")?);
        self.outputs
            .extend(outputs.map_err(wrong("GITHUB_OUTPUT"))?);
        let saved = file_command::values(&files.read("state")?);
        self.saved.extend(saved.map_err(wrong("GITHUB_STATE"))?);
        self.paths.extend(file_command::paths(&files.read("path")?));
        let text = files.read("step_summary")?;
        let summary = file_command::summary(&text).map_err(wrong("GITHUB_STEP_SUMMARY"))?;
        if let Some(summary) = summary {
            log.tell(What::Summary {
                step: log.step(),
                text: summary.to_owned(),
            });
        }
        Ok(())
    }
}

impl Job {
    /// Runs a process and takes what it hands over.
    pub(super) fn run_process(
        &self,
        frame: &mut Frame<'_, '_>,
        mut process: Process,
        log: &mut Log,
    ) -> Result<Performed, StepError> {
        frame.command_files = NAMES
            .iter()
            .map(|name| (*name, process.files.path(name)))
            .collect();
        let unsecure = process
            .variables
            .get("ACTIONS_ALLOW_UNSECURE_COMMANDS")
            .is_some_and(|value| value == "true");
        let fixed = defaults(&self.github(frame), &super::runner(frame.run));
        process.variables.extend(fixed);
        let by = (self, frame.run);
        let mut told = Told {
            limit: Limit {
                passed: frame.passed,
                deadline: frame.deadline,
            },
            ..Told::default()
        };
        self.change_scans(&mut told);
        let mut commands = [Commands::new(unsecure), Commands::new(unsecure)];
        let (exit, stopped) = {
            let mut take = |output: usize, bytes: &[u8]| {
                commands[output].push(bytes, &mut |said| {
                    told.hear(said, output, by, log);
                });
            };
            match process.container.take() {
                Some(own) => self.run_own(frame, own, &process.variables, &mut take)?,
                None => self.execute(frame, &process, &mut take)?,
            }
        };
        for (output, commands) in commands.iter_mut().enumerate() {
            commands.finish(&mut |said| told.hear(said, output, by, log));
            self.finish_text(frame.run, output, &mut told, log);
        }
        told.take_files(&process.files, log)?;
        self.keep(&frame.site(), &mut told);
        let mut ended = if frame.run.ends.times() > frame.passed {
            Ending {
                end: End::Cancelled,
                reason: None,
            }
        } else {
            ending(&exit, stopped)
        };
        if let Some(reason) = told.failed.take()
            && ended.end == End::Success
        {
            ended = Ending::failed(reason);
        }
        if let Some(reason) = &ended.reason {
            log.say(reason);
        }
        Ok(Performed {
            ending: ended,
            outputs: told.outputs,
        })
    }

    /// Runs a command in the job's container.
    fn execute(
        &self,
        frame: &Frame<'_, '_>,
        process: &Process,
        take: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<(Exit, Stopped), StepError> {
        let mut variables = process.variables.clone();
        let base = variables.get("PATH").unwrap_or(&self.path).clone();
        let paths = self.state().paths.clone();
        let path: Vec<&str> = paths.iter().rev().map(String::as_str).collect();
        let path = path.into_iter().chain([base.as_str()]).collect::<Vec<_>>();
        variables.insert("PATH".to_owned(), path.join(":"));
        let spec = ExecSpec {
            args: process.args.clone(),
            env: lines(&variables),
            cwd: Some(process.folder.clone()),
            ..ExecSpec::default()
        };
        let runtime = &frame.run.shared.executor.runtime;
        let mut exec = runtime.exec(self.id(), &spec)?;
        let mut outputs = Outputs::new(exec.stdout.take(), exec.stderr.take());
        let exec = Arc::new(exec);
        let kills = {
            let exec = Arc::clone(&exec);
            let passed = frame.passed;
            frame.run.ends.on_trigger(move |times| {
                if times > passed {
                    kill(&exec);
                }
            })
        };
        let ending = exec.ending();
        let mut stopped = outputs
            .forward(Some(ending), frame.deadline, take)
            .map_err(StepError::Output)?;
        if stopped == Stopped::Late {
            kill(&exec);
            outputs
                .forward(Some(ending), Some(Instant::now() + DRAIN_LIMIT), take)
                .map_err(StepError::Output)?;
            stopped = Stopped::Late;
        }
        drop(kills);
        let Some(mut exec) = Arc::into_inner(exec) else {
            return Err(StepError::Late { what: "the end" });
        };
        Ok((exec.wait_blocking()?, stopped))
    }

    /// Keeps what a process said for later steps, and for what its own action does later.
    fn keep(&self, site: &Site, told: &mut Told) {
        let mut state = self.state();
        if !told.saved.is_empty() {
            let saved = state.saved.entry(site.clone()).or_default();
            saved.append(&mut told.saved);
        }
        state.variables.extend(told.variables.drain(..));
        state.paths.append(&mut told.paths);
    }
}

fn kill(exec: &Exec) {
    if let Err(error) = exec.kill(Signal::KILL) {
        tracing::debug!(%error, "cannot kill the command of a step");
    }
}
