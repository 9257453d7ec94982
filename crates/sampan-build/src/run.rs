//! RUN: a container over the layers so far, whose changes become the next layer.

mod output;
mod stubs;

use std::collections::BTreeMap;
use std::path::PathBuf;

use sampan_container::{
    ContainerSpec, Exit, Mount, Network, Process, RootFs, Runtime, Signal, User,
};

use crate::error::StepError;
use crate::event::Stream;
use crate::interrupt::Interrupt;
use crate::workspace::{LABEL, Scratch};
use stubs::Stubs;

/// The host name that commands see; always the same, for some write it down.
const HOST_NAME: &str = "sampan-build";

/// A command to run in a build.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<String>,
    pub(crate) cwd: String,
    pub(crate) user: User,
    pub(crate) network: Network,
    pub(crate) mounts: Vec<Mount>,
    /// The stage, for people who list containers.
    pub(crate) image: String,
}

/// Runs the commands of one build.
#[derive(Debug)]
pub(crate) struct Runner<'a> {
    pub(crate) runtime: &'a Runtime,
    pub(crate) interrupt: &'a Interrupt,
    /// Marks the containers as those of this build.
    pub(crate) build: &'a str,
}

impl Runner<'_> {
    /// Runs `command` over `lower` (topmost first) and leaves its changes in the upper folder of
    /// `scratch`.
    pub(crate) fn run(
        &self,
        scratch: &Scratch,
        lower: &[PathBuf],
        command: Command,
        output: &mut dyn FnMut(Stream, String),
    ) -> Result<(), StepError> {
        let targets = command.mounts.iter().map(|mount| mount.target.as_path());
        let stubs = Stubs::expected(lower, targets);
        let spec = self.spec(scratch, lower, command);
        let exit = self.run_container(&spec, output)?;
        if self.interrupt.is_triggered() {
            return Err(StepError::Interrupted);
        }
        if exit.code != 0 {
            return Err(StepError::Command {
                code: exit.code,
                oom_killed: exit.oom_killed,
            });
        }
        stubs.remove(&scratch.upper(), lower)
    }

    fn spec(&self, scratch: &Scratch, lower: &[PathBuf], command: Command) -> ContainerSpec {
        ContainerSpec {
            image: command.image,
            rootfs: RootFs {
                lower: lower.to_vec(),
                upper: Some(scratch.upper()),
                ..RootFs::default()
            },
            process: Process {
                args: command.args,
                env: command.env,
                cwd: command.cwd,
                user: command.user,
                ..Process::default()
            },
            hostname: Some(HOST_NAME.to_owned()),
            mounts: command.mounts,
            network: command.network,
            labels: BTreeMap::from([(LABEL.to_owned(), self.build.to_owned())]),
            ..ContainerSpec::default()
        }
    }

    fn run_container(
        &self,
        spec: &ContainerSpec,
        output: &mut dyn FnMut(Stream, String),
    ) -> Result<Exit, StepError> {
        let id = self.runtime.create(spec)?;
        let mut run = || {
            let attachment = self.runtime.attach(&id)?;
            self.interrupt
                .set_running(Some((self.runtime.clone(), id.clone())));
            self.runtime.start(&id)?;
            // An interrupt between the two may have found nothing to kill.
            if self.interrupt.is_triggered() {
                self.runtime.kill(&id, Signal::KILL)?;
            }
            output::forward(attachment, output);
            self.runtime.wait_blocking(&id)
        };
        let exit = run();
        self.interrupt.set_running(None);
        let removed = self.runtime.remove(&id, true);
        let exit = exit?;
        removed?;
        Ok(exit)
    }
}
