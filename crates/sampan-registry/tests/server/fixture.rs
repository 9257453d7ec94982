//! A running registry, and a client that says exactly what it is told.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use sampan_listen::Tls;
use sampan_oci::{ContentStore, Digest};
use sampan_registry::auth::UserFile;
use sampan_registry::collect::Pins;
use sampan_registry::{Config, Dependencies};
use sampan_store::Store;
use sampan_supervise::Shutdown;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::place::Place;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A registry with a data folder of its own.
pub(crate) struct Registry {
    data: TempDir,
    pub(crate) place: Place,
    config: Config,
    pins: Option<Arc<dyn Pins>>,
    running: Option<Running>,
}

struct Running {
    address: SocketAddr,
    shutdown: Shutdown,
    thread: JoinHandle<()>,
}

impl Registry {
    pub(crate) fn start() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        Self::pinned(config, None)
    }

    /// One whose rules of retention leave alone what `pins` say.
    pub(crate) fn pinned(config: Config, pins: Option<Arc<dyn Pins>>) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut registry = Self {
            place: Place::new(data.path()),
            data,
            config,
            pins,
            running: None,
        };
        registry.run();
        registry
    }

    /// Ends the server and starts another one on the same data.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.run();
    }

    /// The same with another configuration.
    pub(crate) fn reconfigure(&mut self, config: Config) {
        self.config = config;
        self.restart();
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.as_ref().unwrap().address
    }

    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// How many blobs are stored.
    pub(crate) fn stored(&self) -> usize {
        files(&self.blobs())
    }

    /// Where the blobs are files.
    pub(crate) fn blobs(&self) -> PathBuf {
        self.place.blobs(self.data())
    }

    /// How many uploads have not ended.
    pub(crate) fn uploads(&self) -> usize {
        files(&self.data().join("registry/uploads")) + files(&self.data().join("content/uploads"))
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::to(self.address())
    }

    /// One request on a connection of its own.
    pub(crate) fn ask(&self, request: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        self.connect().ask(request, headers, body)
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.ask(&format!("GET {path}"), &[], b"")
    }

    /// Pushes a blob in one request.
    pub(crate) fn push_blob(&self, repository: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of_bytes(bytes);
        let request = format!("POST /v2/{repository}/blobs/uploads/?digest={digest}");
        self.ask(&request, &[], bytes).expect(201);
        digest
    }

    pub(crate) fn push_manifest(
        &self,
        repository: &str,
        name: &str,
        media_type: &str,
        manifest: &Value,
    ) -> Reply {
        let request = format!("PUT /v2/{repository}/manifests/{name}");
        let headers = [("Content-Type", media_type)];
        self.ask(&request, &headers, manifest.to_string().as_bytes())
    }

    /// Pushes a small image whose layer is `content`; gives its digest.
    pub(crate) fn push_image(&self, repository: &str, tag: &str, content: &str) -> Digest {
        let manifest = self.image(repository, content);
        self.push_manifest(repository, tag, MANIFEST, &manifest)
            .expect(201);
        Digest::of_bytes(manifest.to_string().as_bytes())
    }

    /// The manifest of a small image whose blobs have been pushed.
    pub(crate) fn image(&self, repository: &str, content: &str) -> Value {
        let config = self.push_blob(repository, b"{}");
        let layer = self.push_blob(repository, content.as_bytes());
        image(config, &[layer])
    }

    fn run(&mut self) {
        let (address, waiting) = std::sync::mpsc::channel();
        let shutdown = Shutdown::new();
        let (data, config, signal) = (
            self.data().to_owned(),
            self.place.configured(&self.config),
            shutdown.clone(),
        );
        let pins = self.pins.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async move {
                let dependencies = Dependencies {
                    content: ContentStore::open(&data).unwrap(),
                    store: Store::open(&data.join("meta.db")).await.unwrap(),
                    accounts: Arc::new(UserFile::open(&data).unwrap()),
                    address: "127.0.0.1:0".parse().unwrap(),
                    tls: Tls::Off,
                    registries: sampan_registry::client::Settings::default(),
                    data,
                };
                let mut server = sampan_registry::build(config, dependencies).await.unwrap();
                if let Some(pins) = pins {
                    server = server.pinned_by(pins);
                }
                address.send(server.address()).unwrap();
                server.run(signal).await;
            });
        });
        let address = waiting.recv().unwrap();
        self.running = Some(Running {
            address,
            shutdown,
            thread,
        });
    }

    /// Ends the server.
    pub(crate) fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown.trigger();
            running.thread.join().unwrap();
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop();
    }
}

fn files(folder: &Path) -> usize {
    folder.read_dir().map_or(0, Iterator::count)
}

pub(crate) fn image(config: Digest, layers: &[Digest]) -> Value {
    let layers: Vec<Value> = layers
        .iter()
        .map(|digest| {
            json!({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": 1})
        })
        .collect();
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2},
        "layers": layers,
    })
}

/// A connection that is kept.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        Self(BufReader::new(stream))
    }

    /// Sends a request with a body of known length, and reads the answer.
    pub(crate) fn ask(&mut self, request: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let length = body.len().to_string();
        let mut headers = headers.to_vec();
        headers.push(("Content-Length", &length));
        self.head(request, &headers);
        self.send(body);
        self.reply(request)
    }

    pub(crate) fn head(&mut self, request: &str, headers: &[(&str, &str)]) {
        let mut text = format!("{request} HTTP/1.1\r\nHost: localhost\r\n");
        for (name, value) in headers {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        text.push_str("\r\n");
        self.send(text.as_bytes());
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        // A server that has answered already may have closed its side; what it said is what counts.
        drop(self.0.get_mut().write_all(bytes));
    }

    /// Reads the answer to `request`.
    pub(crate) fn reply(&mut self, request: &str) -> Reply {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).expect(&line).parse().unwrap();
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            match line.trim_end().split_once(": ") {
                Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
                None => break,
            }
        }
        let mut reply = Reply {
            request: request.to_owned(),
            status,
            headers,
            body: Vec::new(),
        };
        if !request.starts_with("HEAD ") && status != 304 && status >= 200 {
            let length = reply
                .find("content-length")
                .map_or(0, |text| text.parse().unwrap());
            reply.body = vec![0; length];
            self.0.read_exact(&mut reply.body).unwrap();
        }
        reply
    }
}

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Reply {
    request: String,
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// Makes sure of the status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        let Self { request, body, .. } = &self;
        let text = String::from_utf8_lossy(&body[..body.len().min(1000)]);
        assert_eq!(self.status, status, "{request}: {text}");
        self
    }

    /// Makes sure that it failed with a status and a code.
    #[track_caller]
    pub(crate) fn expect_error(self, status: u16, code: &str) -> Self {
        let reply = self.expect(status);
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(reply.json()["errors"][0]["code"], code, "{}", reply.request);
        reply
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.find(name);
        found.unwrap_or_else(|| panic!("{}: no `{name}` in {:?}", self.request, self.headers))
    }

    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let named = |(found, _): &&(String, String)| found.eq_ignore_ascii_case(name);
        let found = self.headers.iter().filter(named);
        found.map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}
