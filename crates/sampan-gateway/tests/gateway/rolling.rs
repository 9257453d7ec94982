//! No request fails while endpoints come and go.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::server::Server;
use crate::site::{Site, everything_to};

/// A client that asks without pause, and expects each request to succeed.
struct Client {
    gateway: SocketAddr,
    keep_alive: bool,
    post: bool,
}

impl Client {
    async fn ask(&self, kept: &mut Option<SendRequest<Full<Bytes>>>) {
        let mut sender = match kept.take() {
            Some(sender) => sender,
            None => self.connect().await,
        };
        sender.ready().await.expect("the connection is kept");
        let (method, path) = if self.post {
            ("POST", "/echo")
        } else {
            ("GET", "/")
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "shop.example")
            .body(Full::new(Bytes::from_static(if self.post {
                b"order"
            } else {
                b""
            })))
            .expect("it is well formed");
        let response = sender
            .send_request(request)
            .await
            .expect("a response comes");
        let status = response.status();
        let body = response
            .into_body()
            .collect()
            .await
            .expect("it is complete")
            .to_bytes();
        assert_eq!(status, 200, "{body:?}");
        if self.keep_alive {
            *kept = Some(sender);
        }
    }

    async fn connect(&self) -> SendRequest<Full<Bytes>> {
        let stream = TcpStream::connect(self.gateway)
            .await
            .expect("the gateway listens");
        let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("it is new");
        tokio::spawn(connection);
        sender
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_during_a_rolling_update() {
    let mut servers = vec![Server::start("0").await, Server::start("0").await];
    let addresses = |servers: &[Server]| {
        servers
            .iter()
            .map(|server| server.address)
            .collect::<Vec<_>>()
    };
    let site = Site::start(everything_to(&addresses(&servers)));
    let (stop, answered) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let mut clients = tokio::task::JoinSet::new();
    for (keep_alive, post) in [(true, false), (false, false), (true, true), (false, true)].repeat(2)
    {
        let client = Client {
            gateway: site.http(),
            keep_alive,
            post,
        };
        let (stop, answered) = (stop.clone(), answered.clone());
        clients.spawn(async move {
            let mut kept = None;
            while !stop.load(Ordering::Acquire) {
                client.ask(&mut kept).await;
                answered.fetch_add(1, Ordering::AcqRel);
            }
        });
    }
    for _ in 0..30 {
        let target = answered.load(Ordering::Acquire) + 40;
        servers.push(Server::start("next").await);
        site.publish(everything_to(&addresses(&servers)));
        let old = servers.remove(0);
        site.publish(everything_to(&addresses(&servers)));
        let limit = Duration::from_secs(20);
        assert!(
            site.handle.wait_idle(old.address.ip(), limit).await,
            "requests end"
        );
        drop(old);
        while answered.load(Ordering::Acquire) < target && clients.try_join_next().is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    stop.store(true, Ordering::Release);
    while let Some(outcome) = clients.join_next().await {
        outcome.expect("no request failed");
    }
    assert!(answered.load(Ordering::Acquire) > 1000);
    assert_eq!(site.handle.stats().answered[4], 0);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_endpoint_costs_no_repeatable_request() {
    let mut servers = vec![Server::start("a").await, Server::start("b").await];
    let endpoints: Vec<_> = servers.iter().map(|server| server.address).collect();
    let site = Site::start(everything_to(&endpoints));
    let client = Client {
        gateway: site.http(),
        keep_alive: true,
        post: false,
    };
    let mut kept = None;
    for round in 0..200 {
        if round == 100 {
            servers.remove(0);
        }
        client.ask(&mut kept).await;
    }
    assert!(
        site.handle.stats().retries > 0,
        "the dead endpoint was noticed"
    );
    site.stop().await;
}
