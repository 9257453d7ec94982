//! Ending a run early, from another thread.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Ends a run early; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    state: Arc<State>,
}

type Action = Box<dyn Fn(u32) + Send>;

#[derive(Default)]
struct State {
    asked: AtomicU32,
    next: AtomicU64,
    /// What is done when the run is ended early, for as long as it is wanted.
    actions: Mutex<BTreeMap<u64, Action>>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("asked", &self.asked)
            .finish_non_exhaustive()
    }
}

impl Interrupt {
    /// Cancels the run: what runs is ended, and only what is there for that goes on. A second call ends that too.
    pub fn trigger(&self) {
        let actions = self.actions();
        let asked = self.state.asked.fetch_add(1, Ordering::SeqCst) + 1;
        for action in actions.values() {
            action(asked);
        }
    }

    /// Whether the run was asked to end.
    #[must_use]
    pub fn is_triggered(&self) -> bool {
        self.times() > 0
    }

    /// How often the run was asked to end.
    #[must_use]
    pub fn times(&self) -> u32 {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// Does something at each call of [`Self::trigger`], and now when there was one, until the guard is dropped. It gets
    /// how often that was, and must not wait.
    #[must_use]
    pub fn on_trigger(&self, action: impl Fn(u32) + Send + 'static) -> Registration {
        let mut actions = self.actions();
        let number = self.state.next.fetch_add(1, Ordering::SeqCst);
        match self.times() {
            0 => {}
            times => action(times),
        }
        actions.insert(number, Box::new(action));
        Registration {
            interrupt: self.clone(),
            number,
        }
    }

    /// An interrupt for something that begins when this one was triggered `passed` times, which is passed by. Later it is
    /// triggered with this one, for as long as the guard lives.
    pub(super) fn after(&self, passed: u32) -> (Self, Registration) {
        let own = Self::default();
        let later = own.clone();
        let guard = self.on_trigger(move |times| {
            while times > passed && later.times() < times {
                later.trigger();
            }
        });
        (own, guard)
    }

    fn actions(&self) -> MutexGuard<'_, BTreeMap<u64, Action>> {
        self.state
            .actions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that is done when a run is ended early; no longer once this is dropped.
#[derive(Debug)]
pub struct Registration {
    interrupt: Interrupt,
    number: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.interrupt.actions().remove(&self.number);
    }
}
