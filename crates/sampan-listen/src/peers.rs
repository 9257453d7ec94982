//! How many connections each peer has.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The bits of an address of IPv6 that name a network; whoever has one has all addresses in it.
const NETWORK: u128 = !0 << 64;

/// The connections of all peers; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Peers {
    limit: usize,
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A connection of a peer, counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Guest {
    peers: Peers,
    network: IpAddr,
}

impl Peers {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            counts: Arc::default(),
        }
    }

    /// Counts a connection, unless the peer has enough. The machine itself may have as many as there are: proxies may
    /// bring others from there.
    pub(crate) fn admit(&self, address: IpAddr) -> Option<Guest> {
        let network = network(address.to_canonical());
        let mut counts = self.lock();
        let count = counts.entry(network).or_default();
        if *count >= self.limit && !network.is_loopback() {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Guest {
            peers: self.clone(),
            network,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut counts = self.peers.lock();
        if let Some(count) = counts.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.network);
            }
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) if !address.is_loopback() => {
            Ipv6Addr::from_bits(address.to_bits() & NETWORK).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_gets_its_part_only() {
        let peers = Peers::new(2);
        let admit = |address: &str| peers.admit(address.parse().unwrap());
        let first = admit("192.0.2.1").unwrap();
        let second = admit("::ffff:192.0.2.1").unwrap();
        assert!(admit("192.0.2.1").is_none());
        let others = [
            admit("192.0.2.2"),
            admit("2001:db8::1"),
            admit("2001:db8::2"),
        ];
        assert!(others.iter().all(Option::is_some));
        assert!(admit("2001:db8::3").is_none());
        let local: Vec<_> = (0..5)
            .map(|_| admit("127.0.0.1").or(admit("::1")))
            .collect();
        assert!(local.iter().all(Option::is_some));
        drop(first);
        let again = admit("192.0.2.1").unwrap();
        drop((second, again, others, local));
        assert!(peers.lock().is_empty());
    }
}
