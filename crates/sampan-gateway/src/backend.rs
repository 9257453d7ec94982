//! One endpoint, and everything that is under way to it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use crate::http::pool::IdlePool;

/// How long an endpoint that refused a connection is asked only when no other is left.
const SHUN: Duration = Duration::from_secs(1);
/// A relayed connection whose last bytes came from the endpoint is at rest after this time.
const REST: Duration = Duration::from_millis(250);
/// One that waits for the endpoint may be a client that just listens; it is not waited for longer than this.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a connection that shall end looks whether it is at rest.
const LOOK: Duration = Duration::from_millis(20);

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Milliseconds since the first call, for timestamps that fit an atomic.
fn ticks() -> u64 {
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// One endpoint. It lives as long as it is in the table or something is under way to it.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    /// Connections that wait for their next HTTP request.
    pub(crate) idle: IdlePool,
    requests: AtomicUsize,
    pulses: Mutex<HashMap<u64, Arc<Pulse>>>,
    next_pulse: AtomicU64,
    shunned_until: AtomicU64,
    /// Whether relayed connections are to end once they are at rest.
    draining: watch::Sender<bool>,
    changed: Notify,
}

impl Backend {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            idle: IdlePool::default(),
            requests: AtomicUsize::new(0),
            pulses: Mutex::default(),
            next_pulse: AtomicU64::new(0),
            shunned_until: AtomicU64::new(0),
            draining: watch::Sender::new(false),
            changed: Notify::new(),
        }
    }

    /// Requests and connections under way; the measure for balancing.
    pub(crate) fn load(&self) -> usize {
        self.requests.load(Ordering::Acquire) + self.pulses().len()
    }

    /// Prefers other endpoints for a moment, because this one did not take a connection.
    pub(crate) fn shun(&self) {
        self.shunned_until
            .store(ticks() + millis(SHUN), Ordering::Relaxed);
    }

    pub(crate) fn is_shunned(&self) -> bool {
        let until = self.shunned_until.load(Ordering::Relaxed);
        until != 0 && ticks() < until
    }

    /// Takes the endpoint out of service: idle connections are closed, busy ones are not kept.
    pub(crate) fn retire(&self) {
        self.idle.close();
    }

    /// Puts the endpoint back into service.
    pub(crate) fn enlist(&self) {
        self.draining.send_replace(false);
        self.idle.open();
    }

    /// Whether the endpoint is out of service.
    pub(crate) fn is_retired(&self) -> bool {
        !self.idle.is_open()
    }

    /// Ends relayed connections as they come to rest, if the endpoint is out of service: its process is about to end,
    /// and until then its clients can still tell an unused connection that was closed from a failed request.
    pub(crate) fn drain(&self) {
        if self.is_retired() {
            self.draining.send_replace(true);
        }
    }

    /// Whether nothing is under way any more: no request, and no relayed connection that could carry one. Those of an
    /// endpoint in service may stay, as long as they are at rest.
    pub(crate) fn is_idle(&self) -> bool {
        let may_stay = !*self.draining.borrow();
        self.requests.load(Ordering::Acquire) == 0
            && self
                .pulses()
                .values()
                .all(|pulse| may_stay && pulse.is_resting())
    }

    /// Completes when a request or connection has ended since the last call.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn pulses(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Pulse>>> {
        self.pulses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An HTTP request that is counted at its backend until this is dropped.
pub(crate) struct Ticket(Arc<Backend>);

impl Ticket {
    pub(crate) fn new(backend: Arc<Backend>) -> Self {
        backend.requests.fetch_add(1, Ordering::AcqRel);
        Self(backend)
    }

    pub(crate) fn backend(&self) -> &Arc<Backend> {
        &self.0
    }

    /// Counts it as a relayed connection from here on.
    pub(crate) fn into_tunnel(self) -> TunnelTicket {
        let backend = self.0.clone();
        let id = backend.next_pulse.fetch_add(1, Ordering::Relaxed);
        let pulse = Arc::new(Pulse::default());
        backend.pulses().insert(id, pulse.clone());
        TunnelTicket { backend, pulse, id }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::AcqRel);
        self.0.changed.notify_one();
    }
}

/// A relayed connection that is counted at its backend until this is dropped.
pub(crate) struct TunnelTicket {
    backend: Arc<Backend>,
    pulse: Arc<Pulse>,
    id: u64,
}

impl TunnelTicket {
    pub(crate) fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Completes when the endpoint is drained and this connection has come to rest.
    pub(crate) async fn drained(&self) {
        let mut draining = self.backend.draining.subscribe();
        if draining.wait_for(|draining| *draining).await.is_ok() {
            self.pulse.rest().await;
        }
    }
}

impl Drop for TunnelTicket {
    fn drop(&mut self) {
        self.backend.pulses().remove(&self.id);
        self.backend.changed.notify_one();
    }
}

/// When, and in which direction, bytes last passed a relayed connection.
///
/// Such a connection can stay open for days (a database client's, a web socket), so draining cannot wait for its end;
/// it waits until no answer is under way.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// Twice the time of the last bytes, plus one when the client sent them.
    last: AtomicU64,
}

impl Pulse {
    /// Notes that bytes have passed.
    pub(crate) fn beat(&self, from_client: bool) {
        self.last
            .store(ticks() << 1 | u64::from(from_client), Ordering::Relaxed);
    }

    /// Completes when no answer seems to be under way.
    pub(crate) async fn rest(&self) {
        while !self.is_resting() {
            tokio::time::sleep(LOOK).await;
        }
    }

    fn is_resting(&self) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        let rest = if last & 1 == 1 { PATIENCE } else { REST };
        last == 0 || ticks().saturating_sub(last >> 1) >= millis(rest)
    }
}
