//! HTTP/2 without TLS, as `curl` and gRPC speak it.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::handshake;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};

use crate::server::Server;
use crate::site::{Site, address, everything_to, output};

#[tokio::test]
async fn http2_clients_reach_servers_that_do_not_speak_it() {
    let server = Server::start("a").await;
    let site = Site::start(everything_to(&[server.address]));
    let url = |path: &str| format!("http://{}{path}", site.http());
    let (head, echo) = (url("/head"), url("/echo"));
    let curl = async |arguments: &[&str]| {
        let all = [
            &["-s", "--http2-prior-knowledge", "-w", " %{http_version}"],
            arguments,
        ]
        .concat();
        output("curl", &all).await
    };
    let seen = curl(&["-H", "Host: shop.example", &head]).await;
    assert!(
        seen.starts_with("GET /head HTTP/1.1") && seen.ends_with(" 2"),
        "{seen}"
    );
    assert!(seen.contains(r#""host": "shop.example""#), "{seen}");
    assert_eq!(curl(&["-d", "hello", &echo]).await, "hello 2");
    // Each cookie may come as a field of its own, and servers of HTTP/1.1 expect one field.
    let cookies = curl(&["-H", "Cookie: a=1", "-H", "Cookie: b=2", &head]).await;
    assert!(cookies.contains(r#""cookie": "a=1; b=2""#), "{cookies}");
    site.stop().await;
}

/// Answers as gRPC servers do, and says in a trailer who called.
async fn grpc_server(name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind((address(), 0)).await.expect("it is free");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(move |request: Request<Incoming>| async move {
                assert_eq!(request.headers()["te"], "trailers");
                let from = request.headers()["x-forwarded-for"].clone();
                let body = request
                    .into_body()
                    .collect()
                    .await
                    .expect("it is complete")
                    .to_bytes();
                let trailers = HeaderMap::from_iter([
                    (
                        http::HeaderName::from_static("grpc-status"),
                        HeaderValue::from_static("0"),
                    ),
                    (http::HeaderName::from_static("caller"), from),
                    (
                        http::HeaderName::from_static("server"),
                        HeaderValue::from_static(name),
                    ),
                ]);
                let body = Full::new(body).with_trailers(async move { Some(Ok(trailers)) });
                Ok::<_, Infallible>(Response::new(body))
            });
            let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
    address
}

#[tokio::test]
async fn calls_of_one_grpc_connection_are_spread_over_the_endpoints() {
    let site = Site::start(everything_to(&[
        grpc_server("a").await,
        grpc_server("b").await,
    ]));
    let stream = TcpStream::connect(site.http())
        .await
        .expect("the gateway listens");
    let (mut client, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .expect("it is new");
    tokio::spawn(connection);
    let mut servers = std::collections::BTreeSet::new();
    for _ in 0..4 {
        let request = Request::post("http://shop.example/shop.Cart/Add")
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Full::new(Bytes::from_static(b"\0\0\0\0\0")))
            .expect("it is well formed");
        let response = client.send_request(request).await.expect("it is answered");
        let body = response
            .into_body()
            .collect()
            .await
            .expect("it is complete");
        let trailers = body.trailers().expect("they are passed on").clone();
        assert_eq!(
            (&trailers["grpc-status"], &trailers["caller"]),
            (
                &"0".parse().expect("text"),
                &"127.0.0.1".parse().expect("text")
            )
        );
        assert_eq!(body.to_bytes(), &b"\0\0\0\0\0"[..]);
        servers.insert(trailers["server"].clone());
    }
    assert_eq!(servers.len(), 2);
    drop(client);
    site.stop().await;
}
