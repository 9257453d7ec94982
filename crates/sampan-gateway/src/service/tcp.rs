//! Connections to a service address.

use std::net::SocketAddr;
use std::sync::Arc;

use sampan_model::routing::PoolId;
use sampan_supervise::Shutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::{ATTEMPTS, Services};
use crate::backend::Ticket;
use crate::directory::Asker;
use crate::http::pause;
use crate::stats::{Gauge, count};
use crate::{socket, tunnel};

/// Accepts and relays connections until told to stop. Those that are open go on.
pub(super) async fn serve(
    listener: TcpListener,
    services: Arc<Services>,
    pool: watch::Receiver<PoolId>,
    stop: Shutdown,
) {
    let places = Arc::new(Semaphore::new(services.limits.connections));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.triggered() => return,
        };
        let (stream, client) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                pause(&error).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            tracing::warn!(%client, "too many connections to one service address");
            continue;
        };
        let (services, pool) = (services.clone(), pool.borrow().clone());
        let tasks = services.tasks.clone();
        tasks.spawn("service connection", async move {
            connection(stream, client, &pool, &services).await;
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, client: SocketAddr, pool: &PoolId, services: &Services) {
    count(&services.stats.tunnels);
    let Some((endpoint, ticket)) = connect(client, pool, services).await else {
        count(&services.stats.tunnels_failed);
        tracing::debug!(%client, %pool, "no endpoint takes the connection");
        // A reset is nearest to the refusal that a closed port gives; an orderly end would look like an empty answer.
        if let Err(error) = stream.set_zero_linger() {
            tracing::debug!(%error, "connection cannot be reset");
        }
        return;
    };
    if let Err(error) = socket::tune(&stream) {
        tracing::debug!(%client, %error, "client has gone");
        return;
    }
    let _open = Gauge::hold(&services.stats.tunnels_open);
    let shutdown = &services.shutdown;
    tunnel::relay(
        stream.into(),
        endpoint.into(),
        ticket.into_tunnel(),
        shutdown,
    )
    .await;
}

async fn connect(
    client: SocketAddr,
    pool: &PoolId,
    services: &Services,
) -> Option<(TcpStream, Ticket)> {
    let mut tried = Vec::new();
    for attempt in 0..ATTEMPTS {
        let asker = Asker {
            client: client.ip(),
            tried: &tried,
        };
        let ticket = services.directory.pick_pool(pool, asker).ok()?;
        if attempt > 0 {
            count(&services.stats.retries);
        }
        let address = ticket.backend().address;
        let opening = async {
            let stream = TcpStream::connect(address).await?;
            socket::tune(&stream)?;
            Ok::<_, std::io::Error>(stream)
        };
        match tokio::time::timeout(services.limits.connect, opening).await {
            Ok(Ok(stream)) => return Some((stream, ticket)),
            Ok(Err(error)) => tracing::debug!(endpoint = %address, %error, "cannot connect"),
            Err(_) => tracing::debug!(endpoint = %address, "cannot connect in time"),
        }
        ticket.backend().shun();
        tried.push(address);
    }
    None
}
