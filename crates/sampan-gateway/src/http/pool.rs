//! Connections to one endpoint that can take a request.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::{Request, Response};

use super::body::RequestBody;
use super::protocol::Protocol;

/// Unused connections kept per endpoint; more are closed after use.
const LIMIT: usize = 64;
/// How long a connection that has just been given back may take to become usable again.
const SETTLE: Duration = Duration::from_millis(10);

/// The sending half of a connection to an endpoint.
pub(crate) enum Sender {
    /// For one request at a time.
    Http1(http1::SendRequest<RequestBody>),
    /// For many; clones share the connection.
    Http2(http2::SendRequest<RequestBody>),
}

impl Sender {
    /// Sends a request and waits for the head of the response.
    pub(crate) async fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, TrySendError<Request<RequestBody>>> {
        match self {
            Self::Http1(sender) => sender.try_send_request(request).await,
            Self::Http2(sender) => sender.try_send_request(request).await,
        }
    }
}

/// The usable connections of one endpoint. Unused ones are stacked: the most recent is used first, so that the rest
/// can age. One of HTTP/2 is shared by all requests that speak it.
pub(crate) struct IdlePool(Mutex<State>);

struct State {
    open: bool,
    unused: Vec<(http1::SendRequest<RequestBody>, Instant)>,
    shared: Option<http2::SendRequest<RequestBody>>,
}

impl Default for IdlePool {
    fn default() -> Self {
        Self(Mutex::new(State {
            open: true,
            unused: Vec::new(),
            shared: None,
        }))
    }
}

impl IdlePool {
    /// A usable connection that has not waited longer than `max_idle`.
    pub(crate) async fn take(&self, protocol: Protocol, max_idle: Duration) -> Option<Sender> {
        match protocol {
            Protocol::Http1 => self.unused(max_idle).await.map(Sender::Http1),
            Protocol::Http2 => {
                let shared = self.state().shared.clone();
                shared
                    .filter(|sender| !sender.is_closed())
                    .map(Sender::Http2)
            }
        }
    }

    async fn unused(&self, max_idle: Duration) -> Option<http1::SendRequest<RequestBody>> {
        loop {
            let (mut sender, since) = self.state().unused.pop()?;
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

    /// Lets others share a new connection, if they can, unless the endpoint has been retired.
    pub(crate) fn share(&self, sender: &Sender) {
        let mut state = self.state();
        if let Sender::Http2(sender) = sender
            && state.open
        {
            state.shared = Some(sender.clone());
        }
    }

    /// Keeps a connection whose last exchange is complete, unless the endpoint has been retired.
    pub(crate) fn give_back(&self, sender: Sender) {
        let mut state = self.state();
        if let Sender::Http1(sender) = sender
            && state.open
            && state.unused.len() < LIMIT
            && !sender.is_closed()
        {
            state.unused.push((sender, Instant::now()));
        }
    }

    /// Closes all connections once they are unused, and from now on each that is given back.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.open = false;
        state.unused = Vec::new();
        state.shared = None;
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
            .unused
            .retain(|(sender, since)| !sender.is_closed() && since.elapsed() <= keep);
        state.unused.shrink_to_fit();
        state.shared.take_if(|sender| sender.is_closed());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
