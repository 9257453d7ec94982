//! A request and its answer, for the log and the figures.

use std::sync::Arc;
use std::time::Instant;

use http::Method;
use sampan_listen::Peer;

use crate::auth::Actor;
use crate::metrics::Metrics;

/// The status of a request whose client did not wait for the answer, as proxies write it.
const GONE: u16 = 499;

/// One request from its beginning to the last byte of its answer.
#[derive(Debug)]
pub(super) struct Exchange {
    metrics: Arc<Metrics>,
    peer: Option<Peer>,
    route: &'static str,
    method: Method,
    path: String,
    agent: String,
    actor: String,
    status: u16,
    sent_bytes: u64,
    since: Instant,
}

impl Exchange {
    /// A request begins.
    pub(super) fn begin<B>(metrics: &Arc<Metrics>, request: &http::Request<B>) -> Self {
        metrics.begin();
        let agent = request.headers().get(http::header::USER_AGENT);
        let agent = agent.and_then(|agent| agent.to_str().ok());
        Self {
            metrics: Arc::clone(metrics),
            peer: request.extensions().get().copied(),
            route: "unknown",
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            agent: agent.unwrap_or_default().to_owned(),
            actor: String::new(),
            status: GONE,
            sent_bytes: 0,
            since: Instant::now(),
        }
    }

    /// It turned out to be about this.
    pub(super) fn route(&mut self, route: &'static str) {
        self.route = route;
    }

    /// It turned out to be from this caller.
    pub(super) fn actor(&mut self, actor: &Actor) {
        self.actor = actor.to_string();
    }

    /// The head of the answer is known.
    pub(super) fn answered(&mut self, status: http::StatusCode) {
        self.status = status.as_u16();
    }

    /// Bytes of the answer have been handed over.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.sent_bytes += bytes as u64;
        self.metrics.sent(bytes);
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.metrics.end(self.route, &self.method, self.status);
        tracing::info!(
            target: "sampan_registry::access",
            peer = self.peer.map(|peer| tracing::field::display(peer.address)),
            actor = self.actor,
            method = %self.method,
            path = self.path,
            status = self.status,
            sent_bytes = self.sent_bytes,
            milliseconds = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX),
            agent = self.agent,
            "request"
        );
    }
}
