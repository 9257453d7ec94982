//! Connections to one endpoint that wait for their next request.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::client::conn::http1::SendRequest;

use super::body::RequestBody;

/// Connections kept per endpoint; more are closed after use.
const LIMIT: usize = 64;
/// How long a connection that has just been given back may take to become usable again.
const SETTLE: Duration = Duration::from_millis(10);

/// The sending half of a connection to an endpoint.
pub(crate) type Sender = SendRequest<RequestBody>;

/// A stack of unused connections: the most recent is used first, so that the rest can age.
pub(crate) struct IdlePool(Mutex<State>);

struct State {
    open: bool,
    connections: Vec<(Sender, Instant)>,
}

impl Default for IdlePool {
    fn default() -> Self {
        Self(Mutex::new(State {
            open: true,
            connections: Vec::new(),
        }))
    }
}

impl IdlePool {
    /// A usable connection that has not waited longer than `max_idle`.
    pub(crate) async fn take(&self, max_idle: Duration) -> Option<Sender> {
        loop {
            let (mut sender, since) = self.state().connections.pop()?;
            if sender.is_closed() || since.elapsed() > max_idle {
                continue;
            }
            if sender.is_ready() {
                return Some(sender);
            }
            if let Ok(Ok(())) = tokio::time::timeout(SETTLE, sender.ready()).await {
                return Some(sender);
            }
        }
    }

    /// Keeps a connection whose last exchange is complete, unless the endpoint has been retired.
    pub(crate) fn give_back(&self, sender: Sender) {
        let mut state = self.state();
        if state.open && state.connections.len() < LIMIT && !sender.is_closed() {
            state.connections.push((sender, Instant::now()));
        }
    }

    /// Closes all connections, and from now on each that is given back.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.open = false;
        state.connections = Vec::new();
    }

    /// Keeps connections again.
    pub(crate) fn open(&self) {
        self.state().open = true;
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state().open
    }

    /// Closes connections that have waited longer than `keep`.
    pub(crate) fn close_unused(&self, keep: Duration) {
        let mut state = self.state();
        state
            .connections
            .retain(|(sender, since)| !sender.is_closed() && since.elapsed() <= keep);
        state.connections.shrink_to_fit();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
