//! A service that speaks the protocol of S3 and checks signatures, on the loopback, which can be cut off.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::{AbortHandle, JoinSet};

const ACCESS_KEY: &str = "registry";
pub(crate) const SECRET_KEY: &str = "not-for-others";

/// The service, with its buckets in a folder of its own.
pub(crate) struct Service {
    root: TempDir,
    address: SocketAddr,
    s3: S3Service,
    /// How many connections were made.
    connections: Arc<AtomicUsize>,
    accepting: Mutex<Option<Accepting>>,
    /// Present until the end.
    runtime: Option<Runtime>,
}

struct Accepting {
    task: AbortHandle,
    /// Ends when all connections are gone, too.
    ended: mpsc::Receiver<()>,
}

impl Service {
    pub(crate) fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(root.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let service = Self {
            root,
            address: listener.local_addr().unwrap(),
            s3: builder.build(),
            connections: Arc::default(),
            accepting: Mutex::default(),
            runtime: Some(runtime),
        };
        service.accept(listener, Some(service.s3.clone()));
        service
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder of the buckets; each object is a file there.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Makes a bucket for the registry in `data`, and says what its configuration says of it.
    pub(crate) fn provide(&self, bucket: &str, data: &Path) -> String {
        std::fs::create_dir(self.root().join(bucket)).unwrap();
        write_keys(data, SECRET_KEY);
        format!(
            "storage: {{s3: {{bucket: {bucket}, endpoint: 'http://{}', allowHttp: true, prefix: site, \
             credentials: keys/s3}}}}",
            self.address
        )
    }

    /// How many uploads in parts have neither been completed nor given up.
    pub(crate) fn open_uploads(&self) -> usize {
        let entries = self.root().read_dir().unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(".upload-")).count()
    }

    /// How many connections were made until now.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Breaks all connections and refuses new ones.
    pub(crate) fn cut(&self) {
        if let Some(accepting) = self.accepting.lock().unwrap().take() {
            accepting.task.abort();
            accepting.ended.recv().unwrap_err();
        }
    }

    /// Serves again.
    pub(crate) fn mend(&self) {
        self.cut();
        let listener = TcpListener::bind(self.address).unwrap();
        self.accept(listener, Some(self.s3.clone()));
    }

    /// Goes on accepting connections, but says nothing.
    pub(crate) fn fall_silent(&self) {
        self.cut();
        self.accept(TcpListener::bind(self.address).unwrap(), None);
    }

    /// Accepts connections, which are held when there is nobody to serve them.
    fn accept(&self, listener: TcpListener, s3: Option<S3Service>) {
        listener.set_nonblocking(true).unwrap();
        let connections = Arc::clone(&self.connections);
        let (guard, ended) = mpsc::channel();
        let runtime = self.runtime.as_ref().unwrap();
        let accepting = runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let mut served = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (s3, guard) = (s3.clone(), guard.clone());
                served.spawn(async move {
                    let _guard = guard;
                    let Some(s3) = s3 else {
                        let _socket = socket;
                        return std::future::pending().await;
                    };
                    let http = Builder::new(TokioExecutor::new());
                    // A connection that breaks is the client's matter.
                    drop(http.serve_connection(TokioIo::new(socket), s3).await);
                });
            }
        });
        *self.accepting.lock().unwrap() = Some(Accepting {
            task: accepting.abort_handle(),
            ended,
        });
    }
}

/// Writes the keys for the bucket of the registry in `data`.
pub(crate) fn write_keys(data: &Path, secret: &str) {
    std::fs::create_dir_all(data.join("keys")).unwrap();
    let text =
        format!("[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {secret}\n");
    std::fs::write(data.join("keys/s3"), text).unwrap();
}

impl Drop for Service {
    fn drop(&mut self) {
        self.cut();
        // A test may end within a runtime of its own, where nobody may wait for this one.
        self.runtime.take().unwrap().shutdown_background();
    }
}
