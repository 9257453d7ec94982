//! Scripts of `run`.

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, openat2};

use super::composite::{Frame, Performed};
use super::files::SCRIPT;
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
        files.write(SCRIPT, script.text.as_bytes(), 0o755)?;
        let program = match &shell.otherwise {
            Some(otherwise) if !self.has_program(&shell.program) => otherwise,
            _ => &shell.program,
        };
        let mut args = vec![program.clone()];
        args.extend(shell.arguments(&files.path(SCRIPT)));
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

    /// Whether a folder of the container has a program; links are followed as they are there, such as `/bin` to `usr/bin`.
    fn has_file(&self, folder: &str, name: &str) -> bool {
        let path = crate::path::join(folder, name);
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let found = openat2(&self.container_root, &path, flags, Mode::empty(), resolve)
            .and_then(rustix::fs::fstat);
        found.is_ok_and(|found| {
            FileType::from_raw_mode(found.st_mode) == FileType::RegularFile
                && found.st_mode & 0o111 != 0
        })
    }
}
