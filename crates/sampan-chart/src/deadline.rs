//! Until when a rendering may go on, for functions that can take long by themselves.
//!
//! Functions see their arguments and nothing else; a rendering has a thread of its own, so the moment is kept there.

use std::cell::Cell;
use std::time::Instant;

use crate::limits;

thread_local! {
    static UNTIL: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Calls a function that may take until a moment.
pub(crate) fn during<T>(until: Instant, call: impl FnOnce() -> T) -> T {
    UNTIL.set(Some(until));
    let result = call();
    UNTIL.set(None);
    result
}

/// Until when the function may take that runs on this thread; outside of renderings as long as one of them.
pub(crate) fn until() -> Instant {
    UNTIL.get().unwrap_or_else(|| Instant::now() + limits::TIME)
}
