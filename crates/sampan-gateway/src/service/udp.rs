//! Datagrams to a service address: each client is given an endpoint, and a socket of its own towards it, so that the
//! answers find their way back.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sampan_model::routing::PoolId;
use sampan_supervise::Shutdown;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::Services;
use crate::backend::Backend;
use crate::directory::Asker;
use crate::stats::count;

/// The largest datagram there is.
const DATAGRAM_BYTES: usize = 65_535;

/// A client and who answers it.
struct Association {
    client: SocketAddr,
    backend: Arc<Backend>,
    socket: UdpSocket,
    /// Whether the client has sent something since the last look.
    spoke: AtomicBool,
    ended: AtomicBool,
}

impl Association {
    fn is_usable(&self) -> bool {
        !self.ended.load(Ordering::Acquire) && !self.backend.is_retired()
    }
}

/// Passes datagrams on until told to stop.
pub(super) async fn serve(
    socket: Arc<UdpSocket>,
    services: Arc<Services>,
    pool: watch::Receiver<PoolId>,
    stop: Shutdown,
) {
    let mut clients: HashMap<SocketAddr, Arc<Association>> = HashMap::new();
    // An association that has ended keeps its socket until it is taken out of the table.
    let mut sweep = tokio::time::interval(services.limits.datagram_idle);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let received = tokio::select! {
            ready = socket.readable() => ready.and_then(|()| receive(&socket)),
            _ = sweep.tick(), if !clients.is_empty() => {
                clients.retain(|_, association| association.is_usable());
                continue;
            }
            () = stop.triggered() => return,
        };
        let Ok((datagram, client)) = received else {
            // An answer of ours that found nobody is reported here; the next datagram is not concerned.
            continue;
        };
        count(&services.stats.datagrams);
        if clients.len() >= services.limits.connections {
            clients.retain(|_, association| association.is_usable());
        }
        let known = clients
            .get(&client)
            .filter(|association| association.is_usable())
            .cloned();
        let current = pool.borrow().clone();
        let association = match known {
            Some(association) => association,
            None if clients.len() >= services.limits.connections => continue,
            None => match associate(client, &current, &services).await {
                Ok(Some(association)) => {
                    let answers = answer(
                        association.clone(),
                        socket.clone(),
                        services.clone(),
                        stop.clone(),
                    );
                    services.tasks.spawn("datagram answers", answers);
                    clients.insert(client, association.clone());
                    association
                }
                Ok(None) => continue,
                Err(error) => {
                    tracing::debug!(%client, %error, "datagram cannot be passed on");
                    continue;
                }
            },
        };
        association.spoke.store(true, Ordering::Release);
        if let Err(error) = association.socket.try_send(&datagram) {
            tracing::debug!(%client, %error, "datagram lost");
        }
    }
}

async fn associate(
    client: SocketAddr,
    pool: &PoolId,
    services: &Services,
) -> io::Result<Option<Arc<Association>>> {
    let asker = Asker {
        client: client.ip(),
        tried: &[],
    };
    let Ok(ticket) = services.directory.pick_pool(pool, asker) else {
        return Ok(None);
    };
    let backend = ticket.backend().clone();
    let any = match backend.address.ip() {
        IpAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(backend.address).await?;
    let (spoke, ended) = (AtomicBool::new(true), AtomicBool::new(false));
    Ok(Some(Arc::new(Association {
        client,
        backend,
        socket,
        spoke,
        ended,
    })))
}

/// Carries answers back until neither side has spoken for a while.
async fn answer(
    association: Arc<Association>,
    service: Arc<UdpSocket>,
    services: Arc<Services>,
    stop: Shutdown,
) {
    let patience = services.limits.datagram_idle;
    loop {
        let ready = tokio::select! {
            ready = tokio::time::timeout(patience, association.socket.readable()) => ready,
            () = stop.triggered() => break,
        };
        if ready.is_err() {
            if association.spoke.swap(false, Ordering::AcqRel) {
                continue;
            }
            break;
        }
        match receive(&association.socket) {
            Ok((datagram, _)) => {
                if let Err(error) = service.send_to(&datagram, association.client).await {
                    tracing::debug!(client = %association.client, %error, "answer lost");
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => {
                tracing::debug!(endpoint = %association.backend.address, %error, "endpoint gone");
                association.backend.shun();
                break;
            }
        }
    }
    association.ended.store(true, Ordering::Release);
}

/// Takes one datagram; the buffer lives no longer than its datagram.
fn receive(socket: &UdpSocket) -> io::Result<(Vec<u8>, SocketAddr)> {
    let mut datagram = Vec::with_capacity(DATAGRAM_BYTES);
    let (_, sender) = socket.try_recv_buf_from(&mut datagram)?;
    Ok((datagram, sender))
}
