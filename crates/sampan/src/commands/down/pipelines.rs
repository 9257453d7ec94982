//! Runs of pipelines: those that go on are ended, and what others have left is taken away.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sampan_pipeline::run::{self, LiveRun};

use crate::context::Context;
use crate::failure::{Failure, OrFail as _};

/// How long a process may take to vanish once it was killed.
const KILL_LIMIT: Duration = Duration::from_secs(30);

/// Ends all runs, each in its own way as long as the grace lasts.
pub(super) fn end(grace: Duration, context: &Context) -> Result<usize, Failure> {
    let live = run::live(context.data())?;
    if live.is_empty() {
        return Ok(0);
    }
    let count = live.len();
    let _waiting = context
        .ui()
        .spinner(format!("ending {count} runs of pipelines"));
    if !grace.is_zero() {
        signal(&live, Signal::SIGTERM)?;
        if wait(grace, context)?.is_empty() {
            return Ok(count);
        }
    }
    signal(&run::live(context.data())?, Signal::SIGKILL)?;
    match wait(KILL_LIMIT, context)?.first() {
        None => Ok(count),
        Some(run) => Err(Failure::new(format!(
            "the run in `{}` does not end",
            run.folder.display()
        ))
        .with_hint(format!("look at process {}", run.process))),
    }
}

/// The runs that go on when the time is over; none as soon as there are none.
fn wait(limit: Duration, context: &Context) -> Result<Vec<LiveRun>, Failure> {
    let deadline = Instant::now() + limit;
    loop {
        let live = run::live(context.data())?;
        if live.is_empty() || Instant::now() > deadline {
            return Ok(live);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(live: &[LiveRun], signal: Signal) -> Result<(), Failure> {
    for run in live {
        let Ok(process) = i32::try_from(run.process) else {
            continue;
        };
        match kill(Pid::from_raw(process), signal) {
            Ok(()) | Err(nix::Error::ESRCH) => {}
            Err(error) => return Err(error).or_fail(format!("cannot end process {process}")),
        }
    }
    Ok(())
}
