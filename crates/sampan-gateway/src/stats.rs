//! What the gateway counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start; written from everywhere, read through [`Figures`].
#[derive(Debug, Default)]
pub(crate) struct Stats {
    pub(crate) http_connections: AtomicU64,
    pub(crate) http_open: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) answered: [AtomicU64; 5],
    pub(crate) retries: AtomicU64,
    pub(crate) tunnels: AtomicU64,
    pub(crate) tunnels_open: AtomicU64,
    pub(crate) tunnels_failed: AtomicU64,
    pub(crate) datagrams: AtomicU64,
    pub(crate) dns_questions: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Connections that HTTP clients have opened.
    pub http_connections: u64,
    /// Those of them that are open.
    pub http_open: u64,
    /// HTTP requests received.
    pub requests: u64,
    /// Final responses sent, by class: 1xx (upgrades), 2xx, 3xx, 4xx, 5xx.
    pub answered: [u64; 5],
    /// Further attempts at a request or connection because one endpoint did not take it.
    pub retries: u64,
    /// Connections to service addresses.
    pub tunnels: u64,
    /// Those of them that are open.
    pub tunnels_open: u64,
    /// Those of them that found no endpoint.
    pub tunnels_failed: u64,
    /// Datagrams from clients to service addresses.
    pub datagrams: u64,
    /// Questions to the DNS.
    pub dns_questions: u64,
}

/// Adds one to a counter.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// One that is open for as long as this value lives.
pub(crate) struct Gauge<'a>(&'a AtomicU64);

impl<'a> Gauge<'a> {
    pub(crate) fn hold(counter: &'a AtomicU64) -> Self {
        count(counter);
        Self(counter)
    }
}

impl Drop for Gauge<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Stats {
    /// Counts a final response by its class.
    pub(crate) fn count_status(&self, status: http::StatusCode) {
        if let Some(class) = self.answered.get(usize::from(status.as_u16() / 100) - 1) {
            count(class);
        }
    }

    pub(crate) fn figures(&self) -> Figures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Figures {
            http_connections: read(&self.http_connections),
            http_open: read(&self.http_open),
            requests: read(&self.requests),
            answered: std::array::from_fn(|class| read(&self.answered[class])),
            retries: read(&self.retries),
            tunnels: read(&self.tunnels),
            tunnels_open: read(&self.tunnels_open),
            tunnels_failed: read(&self.tunnels_failed),
            datagrams: read(&self.datagrams),
            dns_questions: read(&self.dns_questions),
        }
    }
}
