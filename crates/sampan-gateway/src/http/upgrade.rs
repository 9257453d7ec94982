//! Connections that stop being HTTP: web sockets and other upgrades.

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use sampan_supervise::{Shutdown, Tasks};
use tokio::net::TcpStream;

use super::Causes;
use crate::backend::Ticket;
use crate::tunnel::{self, Side};

/// An upgrade that the endpoint has agreed to.
pub(crate) struct Upgrade {
    pub(crate) client: OnUpgrade,
    pub(crate) endpoint: OnUpgrade,
    pub(crate) ticket: Ticket,
}

impl Upgrade {
    /// Relays bytes from when both sides have changed over until one ends.
    pub(crate) fn start(self, tasks: &Tasks, shutdown: &Shutdown) {
        let shutdown = shutdown.clone();
        tasks.spawn("upgrade", async move {
            let (client, endpoint) = match tokio::try_join!(self.client, self.endpoint) {
                Ok(both) => both,
                Err(error) => {
                    tracing::debug!(error = %Causes(&error), "upgrade failed");
                    return;
                }
            };
            if let (Some(client), Some(endpoint)) = (side(client), side(endpoint)) {
                tunnel::relay(client, endpoint, self.ticket.into_tunnel(), &shutdown).await;
            }
        });
    }
}

/// The socket beneath, with what was read from it ahead.
fn side(upgraded: Upgraded) -> Option<Side> {
    let parts = upgraded.downcast::<TokioIo<TcpStream>>();
    if parts.is_err() {
        tracing::error!("an upgraded connection is not a TCP stream");
    }
    let parts = parts.ok()?;
    Some(Side {
        stream: parts.io.into_inner(),
        early: parts.read_buf,
    })
}
