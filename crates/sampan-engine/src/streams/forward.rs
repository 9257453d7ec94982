//! Ports of a pod, forwarded: each connection is a pair of SPDY streams, one for its bytes and one
//! for what went wrong.

mod tunnel;

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Request};
use axum::response::Response;
use bytes::BytesMut;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use k8s_openapi::api::core::v1::Pod;
use sampan_container::netns::{NetNamespace, connect_locally};
use sampan_container::{ContainerId, Network, Runtime};
use sampan_model::Causes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Streams;
use super::spdy::{self, Accept, Gone, Stream};
use super::target;
use super::upgrade::{self, Upgrade};
use crate::error::Error;

/// The protocol of the streams.
const PROTOCOL: &str = "portforward.k8s.io";
/// SPDY inside of a WebSocket.
const TUNNELLED: &str = "SPDY/3.1+portforward.k8s.io";
/// Streams that wait for their other half.
const MOST_UNPAIRED: usize = 256;
/// How much is read from the pod at once.
const PIECE_BYTES: usize = 32 * 1024;
/// How long a connection to the pod may take to come about.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Where the ports of a pod are.
#[derive(Debug, Clone)]
struct Place {
    runtime: Runtime,
    /// Its containers; the network of one is the network of all.
    containers: Vec<ContainerId>,
}

/// Answers a request to forward ports.
pub(super) async fn serve(
    streams: &Streams,
    pod: &Pod,
    request: Request,
) -> Result<Response, Error> {
    let status = pod.status.as_ref();
    let phase = status
        .and_then(|status| status.phase.as_deref())
        .unwrap_or_default();
    let place = Place {
        runtime: streams.runtime().clone(),
        containers: target::running(pod),
    };
    if place.containers.is_empty() {
        return Err(Error::BadRequest(format!(
            "unable to forward port because pod is not running. Current status={phase}"
        )));
    }
    let streams = streams.clone();
    match Upgrade::of(request.headers())? {
        Upgrade::WebSocket => {
            let (mut parts, _) = request.into_parts();
            let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &())
                .await
                .map_err(|error| Error::BadRequest(error.to_string()))?
                .protocols([TUNNELLED]);
            if upgrade.selected_protocol().is_none() {
                return Err(Error::BadRequest(format!(
                    "unable to upgrade: the client does not speak {TUNNELLED}"
                )));
            }
            Ok(upgrade.on_upgrade(async move |socket| {
                streams.run("port forward", carry(tunnel::open(socket), place));
            }))
        }
        Upgrade::Spdy => {
            let protocol = upgrade::stream_protocol(request.headers(), &[PROTOCOL])?;
            upgrade::to_spdy(request, protocol, move |io| {
                streams.run("port forward", carry(io, place));
            })
        }
    }
}

/// Carries connections until the client leaves.
async fn carry(io: impl AsyncRead + AsyncWrite, pod: Place) {
    let (accept, work) = spdy::serve(io);
    tokio::select! {
        worked = work => {
            if let Err(error) = worked {
                tracing::debug!(%error, "a forwarding connection has broken off");
            }
        }
        () = forward(accept, pod) => {}
    }
}

/// The two streams of a connection, as they come.
#[derive(Default)]
struct Pair {
    data: Option<Stream>,
    error: Option<Stream>,
}

async fn forward(mut accept: Accept, pod: Place) {
    let mut unpaired: HashMap<String, Pair> = HashMap::new();
    let mut connections = FuturesUnordered::new();
    loop {
        tokio::select! {
            stream = accept.next() => {
                let Some(stream) = stream else { return };
                if let Some((port, data, error)) = pair(&mut unpaired, stream) {
                    connections.push(connection(pod.clone(), port, (data, error)));
                }
            }
            Some(ended) = connections.next() => {
                if ended.is_err() {
                    return;
                }
            }
        }
    }
}

/// Keeps a stream until the other one of its connection is there.
fn pair(unpaired: &mut HashMap<String, Pair>, stream: Stream) -> Option<(u16, Stream, Stream)> {
    let header = |name: &str| stream.headers.get(name).cloned().unwrap_or_default();
    let port: u16 = header("port").parse().ok()?;
    // Old clients number no connections and open the streams of one after the other.
    let id = format!("{port}/{}", header("requestid"));
    if unpaired.len() >= MOST_UNPAIRED && !unpaired.contains_key(&id) {
        return None;
    }
    let pair = unpaired.entry(id.clone()).or_default();
    match header("streamtype").as_str() {
        "data" => pair.data = Some(stream),
        "error" => pair.error = Some(stream),
        _ => return None,
    }
    if pair.data.is_none() || pair.error.is_none() {
        return None;
    }
    let pair = unpaired.remove(&id)?;
    Some((port, pair.data?, pair.error?))
}

impl Place {
    /// Connects to a port where the pod's own programs would: servers may listen on localhost only.
    async fn connect(self, port: u16) -> Result<TcpStream, String> {
        let connect = move || self.connect_blocking(port);
        let socket = tokio::task::spawn_blocking(connect)
            .await
            .map_err(|error| error.to_string())??;
        socket
            .set_nonblocking(true)
            .and_then(|()| TcpStream::from_std(socket))
            .map_err(|error| error.to_string())
    }

    fn connect_blocking(&self, port: u16) -> Result<std::net::TcpStream, String> {
        let spec = self
            .containers
            .iter()
            .find_map(|id| self.runtime.spec(id).ok());
        match spec.map(|spec| spec.network) {
            Some(Network::Namespace(path)) => NetNamespace::open(&path)
                .and_then(|namespace| namespace.connect(port, CONNECT_LIMIT))
                .map_err(|error| Causes(&error).to_string()),
            Some(Network::Host) => {
                connect_locally(port, CONNECT_LIMIT).map_err(|error| error.to_string())
            }
            _ => Err("the pod has no network any more".to_owned()),
        }
    }
}

/// One connection to the pod.
async fn connection(pod: Place, port: u16, (data, error): (Stream, Stream)) -> Result<(), Gone> {
    match pod.connect(port).await {
        Ok(socket) => copy(socket, data, &error).await?,
        Err(failure) => {
            let text = format!("cannot connect to port {port} of the pod: {failure}");
            error.output.send(text.into()).await?;
            data.output.finish().await?;
        }
    }
    error.output.finish().await
}

/// Copies both ways until both sides have ended.
async fn copy(socket: TcpStream, mut data: Stream, error: &Stream) -> Result<(), Gone> {
    let (mut from_pod, mut to_pod) = socket.into_split();
    let inward = async {
        while let Some(piece) = data.input.recv().await {
            to_pod.write_all(&piece).await?;
        }
        to_pod.shutdown().await
    };
    let outward = async {
        loop {
            let mut piece = BytesMut::with_capacity(PIECE_BYTES);
            match from_pod.read_buf(&mut piece).await {
                Ok(0) => break,
                Ok(_) => data.output.send(piece.freeze()).await?,
                Err(failure) => {
                    let text = format!("the connection to the pod has broken off: {failure}");
                    error.output.send(text.into()).await?;
                    break;
                }
            }
        }
        data.output.finish().await
    };
    // The pod's end is the connection's end: clients close their half only after it.
    let inward = async {
        let ended: io::Result<()> = inward.await;
        if let Err(failure) = ended {
            tracing::debug!(%failure, "a pod reads no more");
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        sent = outward => sent,
        () = inward => Ok(()),
    }
}
