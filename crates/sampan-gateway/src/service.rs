//! Service addresses: one listener for each virtual address and node port of the snapshot.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sampan_model::routing::{PoolId, Routing, Transport};
use sampan_supervise::{Shutdown, Tasks};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;

use crate::bind;
use crate::config::{Limits, Sockets};
use crate::directory::Directory;
use crate::stats::Stats;

mod tcp;
mod udp;

/// How soon an address that could not be bound is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// Endpoints that are tried for one connection at most.
const ATTEMPTS: usize = 4;

/// What the listeners share.
pub(crate) struct Services {
    pub(crate) directory: Arc<Directory>,
    pub(crate) limits: Limits,
    pub(crate) sockets: Arc<dyn Sockets>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) shutdown: Shutdown,
    pub(crate) tasks: Tasks,
}

type Key = (SocketAddr, Transport);

/// A listener at work; it stops when this is dropped.
struct Running {
    pool: watch::Sender<PoolId>,
    stop: Shutdown,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.trigger();
    }
}

impl Services {
    /// Opens and closes listeners as snapshots come, until the shutdown.
    pub(crate) async fn follow(self: Arc<Self>) {
        let mut tables = self.directory.subscribe();
        let mut running: HashMap<Key, Running> = HashMap::new();
        let mut reported: HashSet<Key> = HashSet::new();
        loop {
            let wanted = wanted(&tables.borrow_and_update().routing);
            running.retain(|key, _| wanted.contains_key(key));
            reported.retain(|key| wanted.contains_key(key));
            for (key, pool) in wanted {
                if let Some(listener) = running.get(&key) {
                    // The same address may have become another service's.
                    listener.pool.send_if_modified(|current| {
                        let differs = *current != pool;
                        current.clone_from(&pool);
                        differs
                    });
                    continue;
                }
                match self.open(key, pool) {
                    Ok(listener) => {
                        reported.remove(&key);
                        running.insert(key, listener);
                    }
                    Err(error) => report(&mut reported, key, error),
                }
            }
            tokio::select! {
                changed = tables.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(RETRY), if !reported.is_empty() => {}
                () = self.shutdown.triggered() => return,
            }
        }
    }

    fn open(self: &Arc<Self>, (address, transport): Key, pool: PoolId) -> io::Result<Running> {
        let (pool, current) = watch::channel(pool);
        let stop = self.shutdown.child();
        match transport {
            Transport::Tcp => {
                let listener = TcpListener::from_std(bind::tcp(&*self.sockets, address)?)?;
                let work = tcp::serve(listener, self.clone(), current, stop.clone());
                self.tasks.spawn("service listener", work);
            }
            Transport::Udp => {
                let socket = UdpSocket::from_std(bind::udp(&*self.sockets, address)?)?;
                let work = udp::serve(Arc::new(socket), self.clone(), current, stop.clone());
                self.tasks.spawn("service datagrams", work);
            }
        }
        Ok(Running { pool, stop })
    }
}

/// The listeners of a snapshot. An address that two services claim goes to the first by name.
fn wanted(routing: &Routing) -> BTreeMap<Key, PoolId> {
    let mut wanted = BTreeMap::new();
    for listener in &routing.listeners {
        let pool = wanted
            .entry((listener.address, listener.transport))
            .or_insert_with(|| listener.pool.clone());
        if listener.pool < *pool {
            pool.clone_from(&listener.pool);
        }
    }
    wanted
}

/// Says once that an address cannot be bound.
fn report(reported: &mut HashSet<Key>, key: Key, error: io::Error) {
    if reported.insert(key) {
        let (address, transport) = key;
        let error = bind::explain("a service", address, error);
        tracing::warn!(?transport, error = %sampan_model::Causes(&error), "service address is not served");
    }
}
