//! The turn of a run as a whole, where its workflow excludes others.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

use super::turn::{Group, Name, PAUSE, Ticket, Turn};
use super::workflow::WorkflowRun;
use super::{Event, Executor, Run, RunError};
use crate::graph::{Deferred, Dialect};

/// The turn of a run.
#[derive(Debug, Default)]
pub(super) struct RunTurn {
    /// The group, where the workflow names one.
    pub(super) group: Option<Group>,
    ticket: Option<Ticket>,
    /// Why the run was cancelled.
    reason: Mutex<Option<String>>,
}

impl RunTurn {
    /// Waits until the run may go on. A run whose place was taken by another is cancelled.
    pub(super) fn wait(
        executor: &Executor,
        run: &Run<'_>,
        workflow: Option<&WorkflowRun<'_>>,
        events: &mut dyn FnMut(Event<'_>),
    ) -> Result<Self, RunError> {
        let Some(concurrency) = workflow.and_then(WorkflowRun::concurrency) else {
            return Ok(Self::default());
        };
        let no_value = |expression: &str| RunError::Concurrency {
            expression: expression.to_owned(),
        };
        let name = match &concurrency.group {
            Deferred::Now(name) if name.is_empty() => return Err(no_value("")),
            Deferred::Now(name) => name,
            Deferred::Later(later) => return Err(no_value(&later.expression)),
        };
        let cancels = match &concurrency.cancels {
            Deferred::Now(cancels) => *cancels,
            Deferred::Later(later) => return Err(no_value(&later.expression)),
        };
        let name = Name {
            dialect: Dialect::GitHub,
            group: name,
            own: false,
            limit: concurrency.limit,
            queue: concurrency.queue,
        };
        let group = Group::new(&executor.data, &run.build.repository.slug(), &name);
        let who = format!(
            "run {}",
            run.folder.file_name().unwrap_or_default().display()
        );
        let mut turn = Self {
            group: Some(group.clone()),
            ..Self::default()
        };
        match group.enter(&who, cancels)? {
            Some(ticket) => turn.ticket = await_turn(ticket, run, &turn, events)?,
            None => turn.cancel(
                run,
                format!(
                    "as many as may wait already for the concurrency group `{}`",
                    name.group
                ),
            ),
        }
        if turn.ticket.is_none() {
            // Without its turn nothing begins, not even what is there for every end.
            while run.interrupt.times() < 2 {
                run.interrupt.trigger();
            }
        }
        Ok(turn)
    }

    fn cancel(&self, run: &Run<'_>, reason: String) {
        if let Ok(mut kept) = self.reason.lock() {
            *kept = Some(reason);
        }
        run.interrupt.trigger();
    }

    /// Why the run was cancelled, where it was for the sake of another.
    pub(super) fn reason(&self) -> Option<String> {
        self.reason.lock().ok().and_then(|reason| reason.clone())
    }

    /// Keeps the place until the run is over, and ends the run when another wants it.
    pub(super) fn keep(&self, ticket: Ticket, run: &Run<'_>, over: &Receiver<()>) {
        ticket.keep(over, &mut |turn| {
            if let Turn::Ends(reason) = turn {
                self.cancel(run, reason);
            }
        });
    }

    /// The place, for whoever keeps it.
    pub(super) fn take(&mut self) -> Option<Ticket> {
        self.ticket.take()
    }
}

/// Waits for the turn of a ticket; gives none where the run is to end before.
fn await_turn(
    mut ticket: Ticket,
    run: &Run<'_>,
    turn: &RunTurn,
    events: &mut dyn FnMut(Event<'_>),
) -> Result<Option<Ticket>, RunError> {
    let (wakes, woken) = channel();
    let _registration = run.interrupt.on_trigger(move |_| {
        if wakes.send(()).is_err() {
            tracing::debug!("nobody waits any more");
        }
    });
    let mut told = None;
    while !run.interrupt.is_triggered() {
        match ticket.look()? {
            Turn::Came => return Ok(Some(ticket)),
            Turn::Ends(reason) => turn.cancel(run, reason),
            Turn::Waits(on) if told.as_ref() != Some(&on) => {
                events(Event::Waits {
                    stage: None,
                    on: &on,
                });
                told = Some(on);
            }
            Turn::Waits(_) => {}
        }
        match woken.recv_timeout(PAUSE) {
            Ok(()) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok(None)
}
