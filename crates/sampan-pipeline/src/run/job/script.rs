//! Scripts of `run`.

use std::path::PathBuf;

use super::composite::{Frame, Performed};
use super::process::Process;
use super::{Job, JobError};
use crate::github::shell::Invocation;
use crate::run::environment::Variables;
use crate::run::log::Log;
use crate::run::step::StepError;

/// A script with how it is run.
pub(super) struct Script {
    pub(super) text: String,
    pub(super) shell: Option<String>,
    pub(super) folder: Option<String>,
}

impl Job {
    pub(super) fn run_script(
        &self,
        frame: &mut Frame<'_, '_>,
        script: &Script,
        variables: Variables,
        log: &mut Log,
    ) -> Result<Performed, StepError> {
        // Where a file names a container, nothing is said of the shells that it has.
        let default = self.in_container.then_some("sh");
        let shell = script.shell.as_deref().or(default);
        let shell = Invocation::of(shell).map_err(JobError::Shell)?;
        let files = self.files.of_process()?;
        files.write("script", script.text.as_bytes(), 0o755)?;
        let program = match &shell.otherwise {
            Some(otherwise) if !self.has_program(&shell.program) => otherwise,
            _ => &shell.program,
        };
        let mut args = vec![program.clone()];
        args.extend(shell.arguments(&files.path("script")));
        let workspace = &frame.run.stage.workspace.path;
        let folder = match script.folder.as_deref() {
            Some(folder) if folder.starts_with('/') => folder.to_owned(),
            Some(folder) => crate::path::join(workspace, folder),
            None => workspace.clone(),
        };
        for line in script.text.lines() {
            log.say(&format!("+ {line}"));
        }
        let process = Process {
            args,
            folder,
            variables,
            files,
            container: None,
        };
        self.run_process(frame, process, log)
    }

    /// Whether a program is found in the job's container.
    pub(super) fn has_program(&self, name: &str) -> bool {
        let paths = self.state().paths.clone();
        let folders = paths.iter().rev().map(String::as_str);
        let mut folders = folders.chain(self.path.split(':'));
        folders.any(|folder| self.has_file(folder, name))
    }

    fn has_file(&self, folder: &str, name: &str) -> bool {
        let inside = PathBuf::from(folder.trim_start_matches('/')).join(name);
        for layer in &self.layers {
            let Ok(found) = std::fs::symlink_metadata(layer.join(&inside)) else {
                continue;
            };
            let kind = found.file_type();
            return kind.is_file() || kind.is_symlink();
        }
        // A folder may be a link (`/bin` to `usr/bin`), which is not followed; its target is a folder of its own.
        false
    }
}
