//! A small HTTP server that says what it was asked, and can be killed.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::site::address;

type Body = BoxBody<Bytes, hyper::Error>;

/// A server at an address of its own. Dropping it is like killing its process: all its connections break.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Starts a server that answers with `name`.
    pub(crate) async fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind((address(), 0))
            .await
            .expect("the address is free");
        let address = listener.local_addr().expect("it is bound");
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.expect("it accepts");
                stream.set_zero_linger().expect("it is a socket");
                connections.spawn(serve(stream, name));
            }
        });
        Self { address, accepting }
    }

    /// An address at which nobody listens.
    pub(crate) async fn nobody() -> SocketAddr {
        let listener = TcpListener::bind((address(), 0))
            .await
            .expect("the address is free");
        listener.local_addr().expect("it is bound")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(stream: TcpStream, name: &'static str) {
    let service =
        service_fn(move |request| async move { Ok::<_, Infallible>(answer(request, name).await) });
    let serving = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // Tests break connections on purpose.
    drop(serving.await);
}

async fn answer(mut request: Request<Incoming>, name: &'static str) -> Response<Body> {
    let path = request.uri().path().to_owned();
    match path.as_str() {
        "/head" => {
            let (parts, _) = request.into_parts();
            text(format!(
                "{} {} {:?}\n{:#?}",
                parts.method, parts.uri, parts.version, parts.headers
            ))
        }
        "/echo" => Response::new(request.into_body().boxed()),
        "/slow" => {
            tokio::time::sleep(Duration::from_millis(300)).await;
            text(format!("{name} at last"))
        }
        "/never" => std::future::pending().await,
        "/upgrade" => {
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let Ok(upgraded) = upgrade.await else { return };
                let mut upgraded = TokioIo::new(upgraded);
                let mut buffer = [0; 64];
                while let Ok(read @ 1..) = upgraded.read(&mut buffer).await {
                    let shouted = buffer[..read].to_ascii_uppercase();
                    if upgraded.write_all(&shouted).await.is_err() {
                        return;
                    }
                }
            });
            Response::builder()
                .status(101)
                .header("connection", "upgrade")
                .header("upgrade", "shout")
                .body(text(String::new()).into_body())
                .expect("it is well formed")
        }
        _ => text(name.into()),
    }
}

fn text(text: String) -> Response<Body> {
    Response::new(
        Full::new(Bytes::from(text))
            .map_err(|never| match never {})
            .boxed(),
    )
}
