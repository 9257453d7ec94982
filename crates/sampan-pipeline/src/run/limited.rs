//! Work of this program in place of a step: it ends early with its stage, and when its time is over.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Instant;

use super::forward::Stopped;
use super::stage_run::StageRun;
use super::{Interrupt, Ports};

/// What ends work before its time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limit {
    /// How often the stage was asked to end before, which is passed by.
    pub(super) passed: u32,
    pub(super) deadline: Option<Instant>,
}

impl Limit {
    /// Whether the work is to end.
    pub(super) fn is_over(&self, run: &StageRun<'_>) -> bool {
        let is_late = |deadline| Instant::now() >= deadline;
        run.ends.times() > self.passed || self.deadline.is_some_and(is_late)
    }
}

impl StageRun<'_> {
    /// Does work with an interrupt of its own, and ports that end with it. Tells whether the time was over.
    pub(super) fn limited<T>(
        &self,
        limit: &Limit,
        work: impl FnOnce(&Interrupt, &dyn Ports) -> T,
    ) -> (T, Stopped) {
        let (interrupt, _guard) = self.ends.after(limit.passed);
        let ports = self.shared.run.ports;
        let own = ports.for_step(&interrupt);
        let ports = own.as_deref().unwrap_or(ports);
        within(limit.deadline, &interrupt, || work(&interrupt, ports))
    }
}

fn within<T>(
    deadline: Option<Instant>,
    interrupt: &Interrupt,
    work: impl FnOnce() -> T,
) -> (T, Stopped) {
    let Some(deadline) = deadline else {
        return (work(), Stopped::Ended);
    };
    std::thread::scope(|scope| {
        let (end, ended) = channel::<()>();
        let watch = scope.spawn(move || {
            let left = deadline.saturating_duration_since(Instant::now());
            let late = ended.recv_timeout(left) == Err(RecvTimeoutError::Timeout);
            if late {
                interrupt.trigger();
            }
            late
        });
        let done = work();
        drop(end);
        let late = watch.join().unwrap_or(false);
        (done, if late { Stopped::Late } else { Stopped::Ended })
    })
}
