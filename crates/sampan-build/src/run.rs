//! RUN: a container over the layers so far, whose changes become the next layer.

mod output;
mod stubs;

use std::collections::BTreeMap;
use std::path::PathBuf;

use sampan_container::{ContainerSpec, Exit, Mount, Network, Process, RootFs, Runtime, User};

use crate::error::StepError;
use crate::event::Stream;
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

/// Runs `command` over `lower` (topmost first) and leaves its changes in the upper folder of
/// `scratch`. `build` marks the container as one of this build.
pub(crate) fn run(
    runtime: &Runtime,
    build: &str,
    scratch: &Scratch,
    lower: &[PathBuf],
    command: Command,
    output: &mut dyn FnMut(Stream, String),
) -> Result<(), StepError> {
    let targets = command.mounts.iter().map(|mount| mount.target.as_path());
    let stubs = Stubs::expected(lower, targets);
    let spec = ContainerSpec {
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
        labels: BTreeMap::from([(LABEL.to_owned(), build.to_owned())]),
        ..ContainerSpec::default()
    };
    let exit = run_container(runtime, &spec, output)?;
    if exit.code != 0 {
        return Err(StepError::Command {
            code: exit.code,
            oom_killed: exit.oom_killed,
        });
    }
    stubs.remove(&scratch.upper(), lower)
}

fn run_container(
    runtime: &Runtime,
    spec: &ContainerSpec,
    output: &mut dyn FnMut(Stream, String),
) -> Result<Exit, StepError> {
    let id = runtime.create(spec)?;
    let mut run = || {
        let attachment = runtime.attach(&id)?;
        runtime.start(&id)?;
        output::forward(attachment, output);
        runtime.wait_blocking(&id)
    };
    let exit = run();
    let removed = runtime.remove(&id, true);
    let exit = exit?;
    removed?;
    Ok(exit)
}
