//! Keeping the connections of one client with one endpoint.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Clients remembered per pool; beyond it, the memory of the expired ones is taken back, then new ones are not remembered.
const LIMIT: usize = 16_384;

/// Who was served by whom, for a limited time after the last connection.
#[derive(Debug)]
pub(crate) struct Affinity {
    pub(crate) timeout: Duration,
    clients: Mutex<HashMap<IpAddr, (SocketAddr, Instant)>>,
}

impl Affinity {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            clients: Mutex::default(),
        }
    }

    /// The endpoint that served `client` last.
    pub(crate) fn recall(&self, client: IpAddr, now: Instant) -> Option<SocketAddr> {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients
            .get(&client)
            .filter(|(_, seen)| now.duration_since(*seen) < self.timeout)
            .map(|(endpoint, _)| *endpoint)
    }

    /// Remembers that `endpoint` serves `client`.
    pub(crate) fn note(&self, client: IpAddr, endpoint: SocketAddr, now: Instant) {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= LIMIT && !clients.contains_key(&client) {
            clients.retain(|_, (_, seen)| now.duration_since(*seen) < self.timeout);
        }
        if clients.len() < LIMIT || clients.contains_key(&client) {
            clients.insert(client, (endpoint, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_remembered_until_the_timeout_after_its_last_connection() {
        let affinity = Affinity::new(Duration::from_secs(10));
        let client = IpAddr::from([10, 0, 0, 1]);
        let endpoint = SocketAddr::from(([10, 0, 0, 2], 80));
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(affinity.recall(client, start), None);
        affinity.note(client, endpoint, start);
        assert_eq!(affinity.recall(client, after(9)), Some(endpoint));
        affinity.note(client, endpoint, after(9));
        assert_eq!(affinity.recall(client, after(18)), Some(endpoint));
        assert_eq!(affinity.recall(client, after(19)), None);
    }
}
