//! HTTP as clients see it; `curl` is the client where it can be.

use std::net::SocketAddr;
use std::time::Duration;

use sampan_gateway::Limits;
use sampan_model::routing::{HostMatch, HttpRoute, PathMatch, Routing};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::server::Server;
use crate::site::{Site, address, eventually, everything_to, output, pool, ready};

async fn curl(site: &Site, path: &str, arguments: &[&str]) -> String {
    let url = format!("http://{}{path}", site.http());
    let mut all = vec!["-s", "-S", "--max-time", "15", "-w", "\n%{http_code}"];
    all.extend_from_slice(arguments);
    all.push(&url);
    output("curl", &all).await
}

/// Sends bytes as they are, and returns all that comes back until the end.
async fn raw(gateway: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(gateway)
        .await
        .expect("the gateway listens");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it is sent");
    let mut response = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut response));
    // A reset after the response is as good as an end.
    drop(reading.await.expect("the connection is closed in time"));
    String::from_utf8_lossy(&response).into_owned()
}

#[tokio::test]
async fn requests_are_routed_by_host_and_path() {
    let (shop, api) = (Server::start("shop").await, Server::start("api").await);
    let route = |host: &str, path: &str, service: &str| HttpRoute {
        host: HostMatch::Exact(host.into()),
        path: PathMatch::Prefix(path.into()),
        pool: pool(service),
    };
    let site = Site::start(Routing {
        pools: [
            (pool("shop"), ready(&[shop.address])),
            (pool("api"), ready(&[api.address])),
            (pool("empty"), ready(&[])),
        ]
        .into(),
        http: vec![
            route("shop.example", "/", "shop"),
            route("shop.example", "/api", "api"),
            route("empty.example", "/", "empty"),
            route("unknown.example", "/", "unknown"),
        ],
        ..Routing::default()
    });
    let host = |name: &str| format!("Host: {name}");
    let ask = async |name: &str, path: &str| curl(&site, path, &["-H", &host(name)]).await;
    assert_eq!(ask("shop.example", "/").await, "shop\n200");
    assert_eq!(ask("SHOP.example:80", "/api/x").await, "api\n200");
    let missing = ask("other.example", "/").await;
    assert!(
        missing.contains("other.example") && missing.ends_with("404"),
        "{missing}"
    );
    for name in ["empty", "unknown"] {
        let empty = ask(&format!("{name}.example"), "/").await;
        assert!(empty.contains(name) && empty.ends_with("503"), "{empty}");
    }
    let figures = site.handle.stats();
    assert_eq!((figures.requests, figures.answered), (5, [0, 2, 0, 1, 2]));
    site.stop().await;
}

#[tokio::test]
async fn an_endpoint_learns_who_asked_and_nothing_about_our_connection() {
    let server = Server::start("a").await;
    let site = Site::start(everything_to(&[server.address]));
    let seen = curl(
        &site,
        "/head?q=1",
        &[
            "-H",
            "Host: shop.example",
            "-H",
            "X-Forwarded-For: 6.6.6.6",
            "-H",
            "Connection: x-a",
            "-H",
            "X-A: 1",
        ],
    )
    .await;
    assert!(seen.starts_with("GET /head?q=1 HTTP/1.1"), "{seen}");
    for part in [
        r#""host": "shop.example""#,
        r#""x-forwarded-for": "127.0.0.1""#,
        r#""x-forwarded-proto": "http""#,
        r#""x-forwarded-host": "shop.example""#,
    ] {
        assert!(seen.contains(part), "{seen}");
    }
    assert!(!seen.contains("x-a") && !seen.contains("6.6.6.6"), "{seen}");
    site.stop().await;
}

#[tokio::test]
async fn large_bodies_stream_both_ways() {
    let server = Server::start("a").await;
    let site = Site::start(everything_to(&[server.address]));
    let folder = std::env::temp_dir().join(format!("sampan-gateway-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("it can be made");
    let file = folder.join("body");
    let body: Vec<u8> = (0..8_000_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(&file, &body).expect("it can be written");
    let upload = format!("@{}", file.display());
    let back = folder.join("back");
    let back_text = back.display().to_string();
    for framing in ["Content-Length: 32000000", "Transfer-Encoding: chunked"] {
        let arguments = ["--data-binary", &upload, "-H", framing, "-o", &back_text];
        assert_eq!(curl(&site, "/echo", &arguments).await, "\n200");
        assert!(
            std::fs::read(&back).expect("it is there") == body,
            "{framing}"
        );
    }
    std::fs::remove_dir_all(&folder).expect("it can be removed");
    site.stop().await;
}

#[tokio::test]
async fn upgraded_connections_become_tunnels() {
    let server = Server::start("a").await;
    let site = Site::start(everything_to(&[server.address]));
    let mut stream = TcpStream::connect(site.http())
        .await
        .expect("the gateway listens");
    let head =
        "GET /upgrade HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: shout\r\n\r\nearly";
    stream.write_all(head.as_bytes()).await.expect("it is sent");
    let mut seen = String::new();
    while !seen.contains("EARLY") {
        let mut buffer = [0; 256];
        let read = stream.read(&mut buffer).await.expect("it goes on");
        assert_ne!(read, 0, "{seen}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    assert!(seen.starts_with("HTTP/1.1 101"), "{seen}");
    assert!(seen.contains("upgrade: shout"), "{seen}");
    stream.write_all(b"late").await.expect("it is sent");
    let mut answer = [0; 4];
    stream
        .read_exact(&mut answer)
        .await
        .expect("it is answered");
    assert_eq!(&answer, b"LATE");
    // A tunnel at rest does not hold up draining, and ends with it once the endpoint is out of service.
    let ip = server.address.ip();
    assert!(site.handle.wait_idle(ip, Duration::from_secs(10)).await);
    assert_eq!(site.handle.stats().tunnels_failed, 0);
    stream.write_all(b"more").await.expect("it is open");
    stream
        .read_exact(&mut answer)
        .await
        .expect("it is answered");
    site.publish(everything_to(&[]));
    assert!(site.handle.wait_idle(ip, Duration::from_secs(10)).await);
    assert_eq!(stream.read(&mut answer).await.expect("it ends in order"), 0);
    site.stop().await;
}

#[tokio::test]
async fn failures_of_endpoints_are_told_apart() {
    let server = Server::start("a").await;
    let limits = Limits {
        response: Duration::from_millis(200),
        ..Limits::default()
    };
    let site = Site::start_limited(limits, everything_to(&[server.address]));
    assert!(curl(&site, "/never", &[]).await.ends_with("504"));
    site.publish(everything_to(&[Server::nobody().await]));
    site.handle
        .wait_idle(server.address.ip(), Duration::ZERO)
        .await;
    assert!(curl(&site, "/", &[]).await.ends_with("502"));
    // One that refuses costs nothing when another answers.
    site.publish(everything_to(&[Server::nobody().await, server.address]));
    site.handle
        .wait_idle(server.address.ip(), Duration::ZERO)
        .await;
    for _ in 0..5 {
        assert_eq!(curl(&site, "/echo", &["-d", "x"]).await, "x\n200");
    }
    site.stop().await;
}

#[tokio::test]
async fn malformed_and_ambiguous_requests_are_refused() {
    let server = Server::start("a").await;
    let site = Site::start(everything_to(&[server.address]));
    for request in [
        "GET / HTTP/1.1\r\nconnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n",
        "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: +3\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nhost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nx: 1\r\n y: 2\r\n\r\n",
        "CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\nconnection: close\r\n\r\n",
        "nonsense\r\n\r\n",
    ] {
        let response = raw(site.http(), request).await;
        assert!(
            response.starts_with("HTTP/1.1 400"),
            "{request:?} {response:?}"
        );
    }
    let header = format!("x: {}\r\n", "y".repeat(70_000));
    let request = format!("GET / HTTP/1.1\r\nhost: a\r\n{header}\r\n");
    let response = raw(site.http(), &request).await;
    assert!(response.starts_with("HTTP/1.1 431"), "{response:?}");
    site.stop().await;
}

#[tokio::test]
async fn a_second_request_cannot_hide_in_the_first() {
    let server = Server::start("a").await;
    let site = Site::start(everything_to(&[server.address]));
    // Both framings at once: the chunks count (RFC 9112, section 6.3), and the length is not passed on.
    let request = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 40\r\ntransfer-encoding: chunked\r\n\r\n\
         3\r\nabc\r\n0\r\n\r\nGET /head HTTP/1.1\r\nhost: a\r\n\r\n";
    let response = raw(site.http(), request).await;
    assert!(
        response.starts_with("HTTP/1.1 200") && response.contains("abc"),
        "{response}"
    );
    // What follows such a message may be anything, so the connection ends.
    assert_eq!(response.matches("HTTP/1.1").count(), 1, "{response}");
    assert_eq!(site.handle.stats().requests, 1);
    site.stop().await;
}

#[tokio::test]
async fn clients_that_dawdle_are_let_go() {
    let server = Server::start("a").await;
    let short = Duration::from_millis(200);
    let limits = Limits {
        head: short,
        body_idle: short,
        ..Limits::default()
    };
    let site = Site::start_limited(limits, everything_to(&[server.address]));
    for request in ["", "G", "GET / HTTP/1.1\r\nhost: a\r\n"] {
        // It ends, whatever it says.
        raw(site.http(), request).await;
    }
    let request =
        "POST /slow HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\nconnection: close\r\n\r\nabc";
    let response = raw(site.http(), request).await;
    assert!(response.starts_with("HTTP/1.1 408"), "{response}");
    site.stop().await;
}

#[tokio::test]
async fn clients_that_stop_reading_are_let_go() {
    let listener = TcpListener::bind((address(), 0)).await.expect("it is free");
    let endpoint = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("it accepts");
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n";
        stream.write_all(head).await.expect("the gateway reads");
        // More than all buffers on the way take, until the gateway breaks off.
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
    });
    let limits = Limits {
        body_idle: Duration::from_secs(1),
        ..Limits::default()
    };
    let site = Site::start_limited(limits, everything_to(&[endpoint]));
    let mut client = TcpStream::connect(site.http())
        .await
        .expect("the gateway listens");
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .expect("it is sent");
    eventually(async || (site.handle.stats().answered[1] == 1).then_some(())).await;
    eventually(async || (site.handle.stats().http_open == 0).then_some(())).await;
    drop(client);
    site.stop().await;
}

#[tokio::test]
async fn each_side_is_spoken_to_in_our_own_version() {
    let server = Server::start("a").await;
    let site = Site::start(everything_to(&[server.address]));
    // HTTP/1.1 demands the header that HTTP/1.0 does not know.
    let seen = raw(site.http(), "GET /head HTTP/1.0\r\n\r\n").await;
    assert!(
        seen.starts_with("HTTP/1.0 200") && seen.contains("GET /head HTTP/1.1"),
        "{seen}"
    );
    assert!(seen.contains(r#""host": """#), "{seen}");
    assert!(!seen.contains("x-forwarded-host"), "{seen}");
    site.stop().await;

    let listener = TcpListener::bind((address(), 0)).await.expect("it is free");
    let old = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("it accepts");
        let mut head = [0; 1024];
        let read = stream.read(&mut head).await.expect("the gateway asks");
        assert_ne!(read, 0);
        let answer = b"HTTP/1.0 200 OK\r\n\r\nold";
        stream.write_all(answer).await.expect("the gateway reads");
    });
    let site = Site::start(everything_to(&[old]));
    let request = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let answer = raw(site.http(), request).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("old"),
        "{answer}"
    );
    site.stop().await;
}

#[tokio::test]
async fn a_shutdown_lets_requests_in_flight_end() {
    let server = Server::start("a").await;
    let site = Site::start(everything_to(&[server.address]));
    let asking = curl(&site, "/slow", &[]);
    let stopping = async {
        eventually(async || (site.handle.stats().requests == 1).then_some(())).await;
        site.begin_stop();
    };
    let (answer, ()) = tokio::join!(asking, stopping);
    assert_eq!(answer, "a at last\n200");
    let address = site.http();
    site.stop().await;
    assert!(
        TcpStream::connect(address).await.is_err(),
        "nobody listens any more"
    );
}
