//! Who answers now: the current snapshot, compiled, and the backends that outlive snapshots.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sampan_model::routing::{PoolId, Routing};
use tokio::sync::watch;

use crate::affinity::Affinity;
use crate::backend::{Backend, Ticket};
use crate::dns::zone::Zone;
use crate::routes::Routes;

/// How often draining looks again although nothing has ended.
const LOOK: Duration = Duration::from_millis(50);

/// The current table, and every backend that is in it or still has something under way.
pub(crate) struct Directory {
    routing: watch::Receiver<Arc<Routing>>,
    table: watch::Sender<Table>,
    backends: Mutex<HashMap<SocketAddr, Arc<Backend>>>,
}

/// One snapshot, compiled.
pub(crate) struct Table {
    pub(crate) routing: Arc<Routing>,
    routes: Routes,
    pools: BTreeMap<PoolId, Arc<PoolState>>,
    zone: Arc<Zone>,
}

/// One pool of a table.
pub(crate) struct PoolState {
    pub(crate) id: PoolId,
    endpoints: Vec<Arc<Backend>>,
    affinity: Option<Arc<Affinity>>,
    /// Where the search for the least loaded endpoint starts, so that equals take turns.
    turn: AtomicUsize,
}

/// Why nobody was picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Missing {
    /// No route is for this host and path.
    Route,
    /// No endpoint of this pool is ready that has not been tried.
    Endpoint(PoolId),
}

/// Who asks, and who has already failed to answer.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) client: IpAddr,
    pub(crate) tried: &'a [SocketAddr],
}

impl Directory {
    pub(crate) fn new(routing: watch::Receiver<Arc<Routing>>) -> Self {
        let empty = Table {
            routing: Arc::default(),
            routes: Routes::default(),
            pools: BTreeMap::new(),
            zone: Arc::default(),
        };
        let this = Self {
            routing,
            table: watch::Sender::new(empty),
            backends: Mutex::default(),
        };
        this.refresh();
        this
    }

    /// Brings the table up to the newest snapshot. When it returns, no request can newly go to an endpoint that the
    /// snapshot lacks, and all that went before are counted.
    pub(crate) fn refresh(&self) {
        let mut backends = self.backends.lock().unwrap_or_else(PoisonError::into_inner);
        let routing = self.routing.borrow().clone();
        if Arc::ptr_eq(&routing, &self.table.borrow().routing) {
            return;
        }
        let table = Table::new(routing, &self.table.borrow(), &mut backends);
        let current = table.endpoints();
        self.table.send_replace(table);
        for (address, backend) in backends.iter() {
            if !current.contains(address) {
                backend.retire();
            }
        }
        backends.retain(|address, backend| current.contains(address) || backend.load() > 0);
    }

    /// Follows the snapshots until their sender is gone.
    pub(crate) async fn follow(&self) {
        let mut routing = self.routing.clone();
        while routing.changed().await.is_ok() {
            self.refresh();
        }
    }

    /// Told of every new table.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Table> {
        self.table.subscribe()
    }

    /// The names of the current snapshot.
    pub(crate) fn zone(&self) -> Arc<Zone> {
        self.table.borrow().zone.clone()
    }

    /// Picks who answers a request for `host` and `path`, and counts the request there.
    pub(crate) fn pick_route(
        &self,
        host: &str,
        path: &str,
        asker: Asker<'_>,
    ) -> Result<Ticket, Missing> {
        let table = self.table.borrow();
        table
            .routes
            .find(host, path)
            .ok_or(Missing::Route)?
            .pick(asker)
    }

    /// Picks who answers a connection to `pool`, and counts the connection there.
    pub(crate) fn pick_pool(&self, pool: &PoolId, asker: Asker<'_>) -> Result<Ticket, Missing> {
        let table = self.table.borrow();
        let Some(state) = table.pools.get(pool) else {
            return Err(Missing::Endpoint(pool.clone()));
        };
        state.pick(asker)
    }

    /// Waits until nothing is under way to any endpoint at `ip`, at most `limit`; returns whether that is so.
    pub(crate) async fn wait_idle(&self, ip: IpAddr, limit: Duration) -> bool {
        self.refresh();
        let backends: Vec<_> = {
            let all = self.backends.lock().unwrap_or_else(PoisonError::into_inner);
            all.values()
                .filter(|backend| backend.address.ip() == ip)
                .cloned()
                .collect()
        };
        for backend in &backends {
            backend.drain();
        }
        let all_idle = async {
            for backend in &backends {
                while !backend.is_idle() {
                    tokio::select! {
                        () = backend.changed() => {}
                        () = tokio::time::sleep(LOOK) => {}
                    }
                }
            }
        };
        tokio::time::timeout(limit, all_idle).await.is_ok()
    }

    /// Closes connections that have not been used for `keep`, and forgets backends that have ended.
    pub(crate) fn tidy(&self, keep: Duration) {
        let current = self.table.borrow().endpoints();
        let mut backends = self.backends.lock().unwrap_or_else(PoisonError::into_inner);
        backends.retain(|address, backend| {
            backend.idle.close_unused(keep);
            current.contains(address) || backend.load() > 0
        });
    }

    /// Closes all connections that are not in use.
    pub(crate) fn close(&self) {
        let backends = self.backends.lock().unwrap_or_else(PoisonError::into_inner);
        backends.values().for_each(|backend| backend.retire());
    }
}

impl Table {
    fn new(
        routing: Arc<Routing>,
        previous: &Table,
        backends: &mut HashMap<SocketAddr, Arc<Backend>>,
    ) -> Self {
        let mut pools: BTreeMap<PoolId, Arc<PoolState>> = BTreeMap::new();
        for (id, pool) in &routing.pools {
            let mut state = PoolState::empty(id.clone());
            state.affinity = pool.affinity.map(|timeout| {
                let kept = previous.pools.get(id).and_then(|old| old.affinity.clone());
                kept.filter(|affinity| affinity.timeout == timeout)
                    .unwrap_or_else(|| Arc::new(Affinity::new(timeout)))
            });
            for &address in &pool.endpoints {
                let backend = backends
                    .entry(address)
                    .or_insert_with(|| Arc::new(Backend::new(address)));
                backend.enlist();
                state.endpoints.push(backend.clone());
            }
            pools.insert(id.clone(), Arc::new(state));
        }
        let routes = Routes::new(&routing.http, |route| {
            pools
                .get(&route.pool)
                .cloned()
                .unwrap_or_else(|| Arc::new(PoolState::empty(route.pool.clone())))
        });
        let serial = previous.zone.serial.wrapping_add(1);
        Self {
            zone: Arc::new(Zone::new(routing.clone(), serial)),
            routing,
            routes,
            pools,
        }
    }

    fn endpoints(&self) -> HashSet<SocketAddr> {
        let all = self.pools.values().flat_map(|pool| &pool.endpoints);
        all.map(|backend| backend.address).collect()
    }
}

impl PoolState {
    /// A pool without endpoints.
    pub(crate) fn empty(id: PoolId) -> Self {
        Self {
            id,
            endpoints: Vec::new(),
            affinity: None,
            turn: AtomicUsize::new(0),
        }
    }

    fn pick(&self, asker: Asker<'_>) -> Result<Ticket, Missing> {
        let now = Instant::now();
        let usual = self
            .affinity
            .as_ref()
            .and_then(|affinity| affinity.recall(asker.client, now));
        let backend = usual
            .and_then(|address| {
                self.candidates(asker)
                    .find(|backend| backend.address == address)
            })
            .or_else(|| self.least_loaded(asker))
            .ok_or_else(|| Missing::Endpoint(self.id.clone()))?;
        if let Some(affinity) = &self.affinity {
            affinity.note(asker.client, backend.address, now);
        }
        Ok(Ticket::new(backend.clone()))
    }

    fn candidates<'a>(&'a self, asker: Asker<'a>) -> impl Iterator<Item = &'a Arc<Backend>> {
        let start = self.turn.load(Ordering::Relaxed) % self.endpoints.len().max(1);
        let (before, after) = self.endpoints.split_at(start);
        after
            .iter()
            .chain(before)
            .filter(move |backend| !asker.tried.contains(&backend.address))
    }

    fn least_loaded<'a>(&'a self, asker: Asker<'a>) -> Option<&'a Arc<Backend>> {
        self.turn.fetch_add(1, Ordering::Relaxed);
        self.candidates(asker)
            .min_by_key(|backend| (backend.is_shunned(), backend.load()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sampan_model::routing::Pool;

    fn id() -> PoolId {
        PoolId {
            namespace: "default".into(),
            service: "web".into(),
            port: "80".into(),
        }
    }

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 80))
    }

    fn snapshot(endpoints: &[u8], affinity: Option<Duration>) -> Arc<Routing> {
        let pool = Pool {
            endpoints: endpoints.iter().copied().map(address).collect(),
            affinity,
        };
        Arc::new(Routing {
            pools: [(id(), pool)].into(),
            ..Routing::default()
        })
    }

    fn asker(tried: &[SocketAddr]) -> Asker<'_> {
        let client = IpAddr::from([127, 0, 0, 1]);
        Asker { client, tried }
    }

    fn picked(directory: &Directory, tried: &[SocketAddr]) -> Option<(SocketAddr, Ticket)> {
        let ticket = directory.pick_pool(&id(), asker(tried)).ok()?;
        Some((ticket.backend().address, ticket))
    }

    #[test]
    fn the_least_loaded_endpoint_is_picked_and_failures_are_avoided() {
        let (_sender, receiver) = watch::channel(snapshot(&[1, 2], None));
        let directory = Directory::new(receiver);
        let (first, held) = picked(&directory, &[]).expect("two are ready");
        let (second, _held) = picked(&directory, &[]).expect("two are ready");
        assert_ne!(first, second);
        drop(held);
        for _ in 0..3 {
            assert_eq!(picked(&directory, &[]).expect("two are ready").0, first);
        }
        assert!(picked(&directory, &[address(1), address(2)]).is_none());
        let (_, shunned) = picked(&directory, &[second]).expect("one is left");
        shunned.backend().shun();
        drop(shunned);
        assert_eq!(picked(&directory, &[]).expect("two are ready").0, second);
    }

    #[test]
    fn affinity_survives_a_new_snapshot_and_ends_with_the_endpoint() {
        let sticky = Some(Duration::from_mins(1));
        let (sender, receiver) = watch::channel(snapshot(&[1, 2, 3], sticky));
        let directory = Directory::new(receiver);
        let (first, _held) = picked(&directory, &[]).expect("three are ready");
        assert_eq!(picked(&directory, &[]).expect("three are ready").0, first);
        sender.send_replace(snapshot(&[1, 2, 3, 4], sticky));
        directory.refresh();
        assert_eq!(picked(&directory, &[]).expect("four are ready").0, first);
        let rest: Vec<u8> = (1..=4).filter(|&last| address(last) != first).collect();
        sender.send_replace(snapshot(&rest, sticky));
        directory.refresh();
        assert_ne!(picked(&directory, &[]).expect("three are ready").0, first);
    }

    #[tokio::test]
    async fn waiting_for_idle_sees_the_newest_snapshot_and_the_requests_before_it() {
        let (sender, receiver) = watch::channel(snapshot(&[1], None));
        let directory = Directory::new(receiver);
        let (first, request) = picked(&directory, &[]).expect("one is ready");
        sender.send_replace(snapshot(&[2], None));
        assert!(
            !directory
                .wait_idle(first.ip(), Duration::from_millis(1))
                .await
        );
        assert_eq!(picked(&directory, &[]).expect("one is ready").0, address(2));
        let waiting = directory.wait_idle(first.ip(), Duration::from_secs(10));
        let ending = async { drop(request) };
        assert!(tokio::join!(waiting, ending).0);
        assert!(directory.wait_idle(address(9).ip(), Duration::ZERO).await);
    }
}
