//! Commands and attachments: a request becomes a session over WebSocket or SPDY.

mod spdy;
mod websocket;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Request};
use axum::response::Response;
use k8s_openapi::api::core::v1::Pod;
use tokio::sync::mpsc;

use super::Streams;
use super::options::RemoteOptions;
use super::process::{self, Input, Output, Peer};
use super::target::Target;
use super::upgrade::{self, Upgrade};
use crate::error::Error;

/// Messages that wait on their way between client and process.
const QUEUE: usize = 16;

/// The session's side of the two queues: what was received goes in, what is to be sent comes out.
struct Wire {
    input: mpsc::Sender<Input>,
    output: mpsc::Receiver<Output>,
}

fn wire() -> (Wire, Peer) {
    let (input, received) = mpsc::channel(QUEUE);
    let (sent, output) = mpsc::channel(QUEUE);
    (
        Wire { input, output },
        Peer {
            input: received,
            output: sent,
        },
    )
}

impl Streams {
    /// Runs a command in a container of the pod, or attaches to it.
    pub(super) async fn remote(
        &self,
        pod: &Pod,
        request: Request,
        exec: bool,
    ) -> Result<Response, Error> {
        let mut options = RemoteOptions::parse(request.uri().query().unwrap_or_default())?;
        if !exec {
            options.command.clear();
        } else if options.command.is_empty() {
            return Err(Error::BadRequest(
                "you must specify at least 1 command".to_owned(),
            ));
        }
        let id = Target::find(pod, options.container.as_deref())?.running()?;
        let runtime = self.runtime().clone();
        match Upgrade::of(request.headers())? {
            Upgrade::WebSocket => {
                let (mut parts, _) = request.into_parts();
                let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &())
                    .await
                    .map_err(|error| Error::BadRequest(error.to_string()))?
                    .protocols(websocket::PROTOCOLS.iter().copied());
                let Some(version) = websocket::Version::of(upgrade.selected_protocol()) else {
                    return Err(websocket::unknown_protocol());
                };
                let streams = self.clone();
                Ok(upgrade.on_upgrade(async move |socket| {
                    streams.run("remote command", async move {
                        let (wire, peer) = wire();
                        let session = process::run(runtime, id, options, peer);
                        tokio::join!(session, websocket::carry(socket, version, wire));
                    });
                }))
            }
            Upgrade::Spdy => {
                let protocol = upgrade::stream_protocol(request.headers(), &[spdy::PROTOCOL])?;
                let streams = self.clone();
                upgrade::to_spdy(request, protocol, move |io| {
                    let expected = spdy::Expected::of(&options);
                    streams.run("remote command", async move {
                        let (wire, peer) = wire();
                        let session = process::run(runtime, id, options, peer);
                        tokio::join!(session, spdy::carry(io, expected, wire));
                    });
                })
            }
        }
    }
}
