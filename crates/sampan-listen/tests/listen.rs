//! Connections as clients see them: curl for what is right, bare sockets for what is not.

#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use sampan_listen::{Authority, Certificates, Identity, Listener, Peer, Settings, Tls};
use sampan_supervise::Shutdown;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

/// Longer than anything here takes, shorter than anybody's patience.
const LIMIT: Duration = Duration::from_secs(20);

/// A server that says how it was asked. Requests for `/together` meet twice before they are answered: once all of them
/// have arrived, and once all of them may go.
struct Fixture {
    address: SocketAddr,
    shutdown: Shutdown,
    running: JoinHandle<()>,
}

impl Fixture {
    async fn start(settings: Settings, together: &Arc<Barrier>) -> Self {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let (address, shutdown) = (listener.address(), Shutdown::new());
        let together = Arc::clone(together);
        let service = service_fn(move |request| answer(request, Arc::clone(&together)));
        let running = tokio::spawn(listener.serve(service, settings, shutdown.clone()));
        Self {
            address,
            shutdown,
            running,
        }
    }

    async fn curl(&self, scheme: &str, options: &[&str]) -> Output {
        let url = format!("{scheme}://{}/", self.address);
        Command::new("curl")
            .args(["--silent", "--show-error", "--noproxy", "*"])
            .args(options)
            .arg(url)
            .output()
            .await
            .unwrap()
    }

    /// What the server answers; it must.
    async fn get(&self, scheme: &str, options: &[&str]) -> String {
        let output = self.curl(scheme, options).await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{options:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    async fn connect(&self, first: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(first).await.unwrap();
        stream
    }

    async fn stop(self) {
        self.shutdown.trigger();
        tokio::time::timeout(LIMIT, self.running)
            .await
            .unwrap()
            .unwrap();
    }
}

async fn answer(
    request: Request<Incoming>,
    together: Arc<Barrier>,
) -> Result<Response<String>, Infallible> {
    if request.uri().path() == "/together" {
        together.wait().await;
        together.wait().await;
    }
    if request.uri().path() == "/large" {
        return Ok(Response::new("a".repeat(64 << 20)));
    }
    let peer = request.extensions().get::<Peer>().unwrap();
    assert!(peer.address.ip().is_loopback());
    let text = format!("{:?} tls={}", request.version(), peer.tls);
    Ok(Response::new(text))
}

/// Everything that is sent until the other side closes the connection, which it must do in time.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(LIMIT, stream.read_to_end(&mut bytes)).await;
    // A reset is an end, too.
    drop(read.unwrap());
    String::from_utf8(bytes).unwrap()
}

fn alone() -> Arc<Barrier> {
    Arc::new(Barrier::new(1))
}

fn issued(data: &Path) -> Arc<Certificates> {
    let authority = Arc::new(Authority::load(data).unwrap());
    std::fs::write(data.join("trusted.crt"), authority.certificate()).unwrap();
    let identity = Identity {
        common_name: "sampan-test",
        names: vec!["registry.test".to_owned()],
        addresses: Vec::new(),
    };
    Arc::new(Certificates::issued(authority, identity))
}

#[tokio::test]
async fn plain_http_of_both_versions_is_served() {
    let f = Fixture::start(Settings::new(Tls::Off), &alone()).await;
    assert_eq!(f.get("http", &[]).await, "HTTP/1.1 tls=false");
    let second = f.get("http", &["--http2-prior-knowledge"]).await;
    assert_eq!(second, "HTTP/2.0 tls=false");
    f.stop().await;
}

#[tokio::test]
async fn one_port_serves_those_with_and_without_tls() {
    let directory = tempfile::tempdir().unwrap();
    let tls = Tls::Detected(issued(directory.path()));
    let f = Fixture::start(Settings::new(tls), &alone()).await;
    let trusted = directory.path().join("trusted.crt");
    let trust = ["--cacert", trusted.to_str().unwrap()];
    assert_eq!(f.get("http", &[]).await, "HTTP/1.1 tls=false");
    let second = f.get("http", &["--http2-prior-knowledge"]).await;
    assert_eq!(second, "HTTP/2.0 tls=false");
    assert_eq!(f.get("https", &trust).await, "HTTP/2.0 tls=true");
    let first = f.get("https", &["--http1.1", trust[0], trust[1]]).await;
    assert_eq!(first, "HTTP/1.1 tls=true");
    // The given name is in the certificate, another one is not.
    let port = f.address.port();
    let named = |name: &str| format!("{name}:{port}:{}", f.address);
    for (name, is_known) in [("registry.test", true), ("other.test", false)] {
        let (url, connect) = (format!("https://{name}:{port}/"), named(name));
        let status = Command::new("curl")
            .args(["--silent", "--noproxy", "*", "--connect-to", &connect])
            .args(trust)
            .arg(url)
            .output()
            .await
            .unwrap()
            .status;
        assert_eq!(status.success(), is_known, "{name}");
    }
    f.stop().await;
}

#[tokio::test]
async fn where_tls_is_demanded_nothing_else_is_spoken() {
    let directory = tempfile::tempdir().unwrap();
    let tls = Tls::Always(issued(directory.path()));
    let f = Fixture::start(Settings::new(tls), &alone()).await;
    assert!(!f.curl("http", &[]).await.status.success());
    let trusted = directory.path().join("trusted.crt");
    let trust = ["--cacert", trusted.to_str().unwrap()];
    assert_eq!(f.get("https", &trust).await, "HTTP/2.0 tls=true");
    f.stop().await;
}

#[tokio::test]
async fn the_authority_stays_and_a_lost_certificate_is_issued_again() {
    let directory = tempfile::tempdir().unwrap();
    let f = Fixture::start(
        Settings::new(Tls::Always(issued(directory.path()))),
        &alone(),
    )
    .await;
    let old = directory.path().join("old.crt");
    std::fs::rename(directory.path().join("trusted.crt"), &old).unwrap();
    f.stop().await;
    std::fs::remove_file(directory.path().join("keys/authority.crt")).unwrap();
    let f = Fixture::start(
        Settings::new(Tls::Always(issued(directory.path()))),
        &alone(),
    )
    .await;
    f.get("https", &["--cacert", old.to_str().unwrap()]).await;
    f.stop().await;
}

#[tokio::test]
async fn renewed_files_are_shown_and_broken_ones_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    for name in ["first", "second"] {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(path(&format!("{name}.crt")), made.cert.pem()).unwrap();
        std::fs::write(
            path(&format!("{name}.key")),
            made.signing_key.serialize_pem(),
        )
        .unwrap();
    }
    std::fs::copy(path("first.crt"), path("tls.crt")).unwrap();
    std::fs::copy(path("first.key"), path("tls.key")).unwrap();
    let certificates = Certificates::from_files(path("tls.crt"), path("tls.key")).unwrap();
    let f = Fixture::start(
        Settings::new(Tls::Detected(Arc::new(certificates))),
        &alone(),
    )
    .await;
    let (first, second) = (path("first.crt"), path("second.crt"));
    let trust_first = ["--cacert", first.to_str().unwrap()];
    let trust_second = ["--cacert", second.to_str().unwrap()];
    f.get("https", &trust_first).await;
    // Half of the renewal: the key does not belong to the certificate yet.
    std::fs::copy(path("second.crt"), path("tls.crt")).unwrap();
    f.get("https", &trust_first).await;
    std::fs::copy(path("second.key"), path("tls.key")).unwrap();
    f.get("https", &trust_second).await;
    assert!(!f.curl("https", &trust_first).await.status.success());
    std::fs::write(path("tls.crt"), "nothing of use").unwrap();
    f.get("https", &trust_second).await;
    std::fs::remove_file(path("tls.crt")).unwrap();
    f.get("https", &trust_second).await;
    f.stop().await;
    let missing = Certificates::from_files(path("tls.crt"), path("tls.key")).unwrap_err();
    assert!(missing.to_string().contains("tls.crt"), "{missing}");
}

#[tokio::test]
async fn who_is_slow_to_ask_loses_the_place() {
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings {
        connections: 1,
        handshake: Duration::from_millis(200),
        head: Duration::from_millis(200),
        ..Settings::new(Tls::Detected(issued(directory.path())))
    };
    let f = Fixture::start(settings, &alone()).await;
    let beginnings: [&[u8]; 5] = [
        b"",
        b"P",
        b"PRI * HTTP/2.0\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        &[0x16, 3, 1],
    ];
    for beginning in beginnings {
        let mut slow = f.connect(beginning).await;
        // There is one place only, so this waits for it.
        let next = tokio::time::timeout(LIMIT, f.get("http", &[])).await;
        assert_eq!(next.unwrap(), "HTTP/1.1 tls=false", "{beginning:?}");
        let told = until_closed(&mut slow).await;
        assert!(!told.contains("200 OK"), "{beginning:?}: {told}");
    }
    f.stop().await;
}

/// A GET over HTTP/2: the preface, empty settings, and the head of the request (RFC 9113; RFC 7541).
const SECOND: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\
    \x00\x00\x00\x04\x00\x00\x00\x00\x00\
    \x00\x00\x06\x01\x05\x00\x00\x00\x01\x82\x86\x84\x41\x01x";

#[tokio::test]
async fn who_asks_no_more_or_does_not_listen_loses_the_place() {
    let settings = Settings {
        connections: 1,
        head: Duration::from_millis(200),
        drain: Duration::from_millis(200),
        ..Settings::new(Tls::Off)
    };
    let f = Fixture::start(settings, &alone()).await;
    for request in [SECOND, b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let mut holding = f.connect(request).await;
        let mut first = [0; 9];
        holding.read_exact(&mut first).await.unwrap();
        let next = tokio::time::timeout(LIMIT, f.get("http", &[])).await;
        assert_eq!(next.unwrap(), "HTTP/1.1 tls=false", "{request:?}");
    }
    f.stop().await;
}

#[tokio::test]
async fn as_many_as_the_limit_are_served_at_the_same_time() {
    const CLIENTS: usize = 300;
    let settings = Settings {
        connections: CLIENTS,
        ..Settings::new(Tls::Off)
    };
    let f = Fixture::start(settings, &Arc::new(Barrier::new(CLIENTS))).await;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let request = b"GET /together HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        clients.push(f.connect(request).await);
    }
    for client in &mut clients {
        let answer = until_closed(client).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }
    f.stop().await;
}

#[tokio::test]
async fn the_drain_lets_a_running_request_end() {
    let together = Arc::new(Barrier::new(2));
    let f = Fixture::start(Settings::new(Tls::Off), &together).await;
    let mut idle = f.connect(b"").await;
    let mut kept = f.connect(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut head = [0; 15];
    kept.read_exact(&mut head).await.unwrap();
    let mut running = f
        .connect(b"GET /together HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    together.wait().await;
    f.shutdown.trigger();
    until_closed(&mut idle).await;
    until_closed(&mut kept).await;
    while TcpStream::connect(f.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    together.wait().await;
    let answer = until_closed(&mut running).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    f.stop().await;
}

#[tokio::test]
async fn the_drain_has_a_limit() {
    let settings = Settings {
        drain: Duration::from_millis(100),
        ..Settings::new(Tls::Off)
    };
    let together = Arc::new(Barrier::new(2));
    let f = Fixture::start(settings, &together).await;
    let mut running = f
        .connect(b"GET /together HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    together.wait().await;
    f.stop().await;
    assert_eq!(until_closed(&mut running).await, "");
}
