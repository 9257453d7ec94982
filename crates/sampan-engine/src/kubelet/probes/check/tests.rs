//! Commands in a container that leave something behind or do not end, which needs root; requests over TLS.

use std::path::Path;

use sampan_container::{ContainerSpec, Network, Process, RootFs, RuntimeConfig};

use super::*;

/// A running container in a folder of its own.
struct Fixture {
    directory: tempfile::TempDir,
    runtime: Runtime,
    id: ContainerId,
}

impl Fixture {
    fn start() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("sc")
            .tempdir_in("/tmp")
            .unwrap();
        let root = directory.path().join("root");
        root_file_system(&root);
        let shim = std::env::current_exe().unwrap();
        let shim = shim
            .ancestors()
            .nth(2)
            .unwrap()
            .join("examples/engine_shim");
        let data = directory.path().join("data");
        let runtime = Runtime::new(RuntimeConfig { data, shim });
        let spec = ContainerSpec {
            rootfs: RootFs {
                lower: vec![root],
                upper: None,
                read_only: false,
            },
            process: Process {
                args: words(&["sleep", "300"]),
                ..Process::default()
            },
            network: Network::Host,
            ..ContainerSpec::default()
        };
        let id = runtime.create(&spec).unwrap();
        runtime.start(&id).unwrap();
        Self {
            directory,
            runtime,
            id,
        }
    }

    async fn run(&self, script: &str, seconds: u64) -> (Outcome, Duration) {
        let (command, limit) = (words(&["sh", "-c", script]), Duration::from_secs(seconds));
        let began = Instant::now();
        let outcome = exec(&self.runtime, &self.id, &command, limit).await;
        (outcome, began.elapsed())
    }

    fn stop(self) {
        self.runtime.remove(&self.id, true).unwrap();
        self.directory.close().unwrap();
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().copied().map(str::to_owned).collect()
}

fn root_file_system(root: &Path) {
    for directory in ["bin", "etc", "tmp"] {
        std::fs::create_dir_all(root.join(directory)).unwrap();
    }
    std::fs::copy("/bin/busybox", root.join("bin/busybox")).unwrap();
    for applet in ["sh", "echo", "sleep"] {
        std::os::unix::fs::symlink("busybox", root.join("bin").join(applet)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_leaves_behind_holds_nobody_up() {
    let fixture = Fixture::start();
    let (outcome, took) = fixture.run("sleep 60 & echo no; exit 1", 10).await;
    assert_eq!(outcome, Outcome::Failure("no".to_owned()));
    assert!(took < Duration::from_secs(5), "{took:?}");
    let (outcome, took) = fixture.run("sleep 60 & exit 0", 10).await;
    assert_eq!(outcome, Outcome::Success);
    assert!(took < Duration::from_secs(5), "{took:?}");
    let (outcome, took) = fixture.run("sleep 60 | sleep 60", 1).await;
    let Outcome::Failure(message) = outcome else {
        panic!("it cannot succeed");
    };
    assert!(message.ends_with("timed out after 1s"), "{message}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    fixture.stop();
}

#[tokio::test]
async fn a_request_over_tls_takes_any_certificate() {
    use tokio::io::AsyncWriteExt;
    let issued = rcgen::generate_simple_self_signed(vec!["elsewhere".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(issued.signing_key.serialize_der());
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], key.into())
        .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let server = async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = acceptor.accept(stream).await.unwrap();
        let mut asked = [0; 64];
        let count = stream.read(&mut asked).await.unwrap();
        assert!(asked[..count].starts_with(b"GET /health HTTP/1.1"));
        let answer = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    };
    let headers = [("Host".to_owned(), address.to_string())];
    let (outcome, ()) = tokio::join!(get(address, true, ("/health", &headers)), server);
    let busy = "HTTP probe failed with statuscode: 503".to_owned();
    assert_eq!(outcome, Ok(Outcome::Failure(busy)));
}
