//! Connections that stop being HTTP: web sockets and other upgrades.

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use sampan_supervise::{Shutdown, Tasks};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::endpoint::EndpointStream;
use crate::backend::Ticket;
use crate::tunnel::{self, Side};
use sampan_model::Causes;

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
            let client = side::<TcpStream>(client, |stream| stream);
            let endpoint = side(endpoint, EndpointStream::into_inner);
            if let (Some(client), Some(endpoint)) = (client, endpoint) {
                tunnel::relay(client, endpoint, self.ticket.into_tunnel(), &shutdown).await;
            }
        });
    }
}

/// The socket beneath, with what was read from it ahead.
fn side<S>(upgraded: Upgraded, into_stream: fn(S) -> TcpStream) -> Option<Side>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Ok(parts) = upgraded.downcast::<TokioIo<S>>() else {
        tracing::error!("an upgraded connection has another kind of socket than it began with");
        return None;
    };
    Some(Side {
        stream: into_stream(parts.io.into_inner()),
        early: parts.read_buf,
    })
}
