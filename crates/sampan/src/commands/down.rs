//! `sampan down`: stops the server and everything that runs in an installation; data stays.

mod pipelines;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sampan_container::mounts;
use sampan_container::netns::NetNamespace;
use sampan_container::network::Bridge;
use sampan_container::{Error, Runtime};

use crate::context::Context;
use crate::failure::{Failure, OrFail as _};
use crate::server::{self, ServerFacts, ServerLock};

/// How long the server may take to stop once it has been told.
const SERVER_LIMIT: Duration = Duration::from_secs(30);

/// Arguments of `sampan down`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Give containers no time to end by themselves
    #[arg(long)]
    force: bool,
    /// How long each container may take to end by itself, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    grace: u64,
}

/// Stops the server and runs of pipelines first, so that nothing is started again, then containers, then the network.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    context.require_root("stopping pods")?;
    if !context.data().exists() {
        context.ui().note(format!(
            "there is no installation in `{}`",
            context.data().display()
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let (stopped, _lock) = stop_server(context)?;
    let runtime = context.runtime()?;
    let grace = Duration::from_secs(if args.force { 0 } else { args.grace });
    let runs = pipelines::end(grace, context)?;
    let containers = stop_containers(&runtime, grace, context)?;
    sampan_pipeline::run::clean(&runtime)?;
    release_pods(context.data())?;
    Bridge::remove(context.data())?;
    if context.json() {
        context.ui().json(
            &serde_json::json!({"server": stopped, "runs": runs, "containers": containers}),
        )?;
    } else {
        let server = if stopped { "the server, " } else { "" };
        let runs = match runs {
            0 => String::new(),
            1 => "1 run of a pipeline, ".to_owned(),
            runs => format!("{runs} runs of pipelines, "),
        };
        context.ui().line(format!(
            "stopped {server}{runs}{containers} containers; all data is kept"
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Stops the server, if there is one, and keeps others from starting. Says whether there was one.
fn stop_server(context: &Context) -> Result<(bool, ServerLock), Failure> {
    let mut stopped = false;
    let deadline = Instant::now() + SERVER_LIMIT;
    loop {
        if let Some(facts) = server::running(context.data())? {
            stop_process(&facts, context)?;
            stopped = true;
        }
        if let Some(lock) = ServerLock::try_take(context.data())? {
            return Ok((stopped, lock));
        }
        // A server is just starting: it holds the lock, and has not said yet which process it is.
        if Instant::now() > deadline {
            return Err(Failure::new(format!(
                "a server of `{}` is starting and does not get ready",
                context.data().display()
            ))
            .with_hint("look at `server.log` in that folder"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn stop_process(facts: &ServerFacts, context: &Context) -> Result<(), Failure> {
    let waiting = context.ui().spinner("stopping the server");
    kill(Pid::from_raw(facts.pid), Signal::SIGTERM)
        .or_fail(format!("cannot stop process {}", facts.pid))?;
    let deadline = Instant::now() + SERVER_LIMIT;
    while server::running(context.data())?.is_some() {
        if Instant::now() > deadline {
            match kill(Pid::from_raw(facts.pid), Signal::SIGKILL) {
                Ok(()) | Err(nix::Error::ESRCH) => {}
                Err(error) => {
                    return Err(error).or_fail(format!("cannot kill process {}", facts.pid));
                }
            }
        }
        waiting.set_label("stopping the server");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Stops all at once, so that the longest grace is the whole wait.
fn stop_containers(
    runtime: &Runtime,
    grace: Duration,
    context: &Context,
) -> Result<usize, Failure> {
    let containers = runtime.list()?;
    let waiting = context
        .ui()
        .spinner(format!("stopping {} containers", containers.len()));
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let stops: Vec<_> = containers
            .iter()
            .map(|container| {
                scope.spawn(move || {
                    let end = || {
                        if container.state.is_running() {
                            runtime.stop(&container.id, grace)?;
                        }
                        runtime.remove(&container.id, true)
                    };
                    match end() {
                        // It has removed itself, as it was to do at its end.
                        Err(Error::NoContainer(_)) => Ok(()),
                        outcome => outcome,
                    }
                })
            })
            .collect();
        stops
            .into_iter()
            .map(|stop| stop.join().expect("stopping a container does not panic"))
            .collect()
    });
    drop(waiting);
    for outcome in outcomes {
        outcome?;
    }
    Ok(containers.len())
}

/// Unpins the network namespaces of pods, and unmounts what is left of their volumes.
fn release_pods(data: &Path) -> Result<(), Failure> {
    let pods = match std::fs::read_dir(data.join("pods")) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        pods => pods.or_fail("cannot look at the pods")?,
    };
    for pod in pods {
        let pin = pod.or_fail("cannot look at the pods")?.path().join("netns");
        if pin.exists() {
            NetNamespace::remove(&pin)?;
        }
    }
    // Volumes in memory and parts of volumes stay mounted when the server was killed at the wrong moment. Whoever removes
    // the folder of the installation must not reach what is mounted there.
    Ok(mounts::unmount_below(&data.join("pods"))?)
}
