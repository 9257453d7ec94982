//! A server of its own for every test.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use sampan_engine::objects::ServiceNetwork;
use sampan_engine::server::{Server, ServerConfig};
use sampan_store::Store;
use sampan_supervise::{Shutdown, Tasks};

pub(crate) struct Fixture {
    pub(crate) directory: tempfile::TempDir,
    store: Store,
    shutdown: Shutdown,
    tasks: Tasks,
}

impl Fixture {
    pub(crate) async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap()).await
    }

    async fn start_in(directory: tempfile::TempDir) -> Self {
        let store = Store::open(&directory.path().join("meta.db"))
            .await
            .unwrap();
        let config = ServerConfig {
            listen: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0),
            node_name: "node".to_owned(),
            services: ServiceNetwork {
                network: Ipv4Addr::new(10, 200, 128, 0),
                prefix: 17,
                dns: Ipv4Addr::new(10, 200, 128, 10),
            },
            gateway: Ipv4Addr::new(10, 200, 0, 1),
        };
        let server = Server::bind(directory.path(), &store, config)
            .await
            .unwrap();
        std::fs::write(directory.path().join("kubeconfig"), server.kubeconfig()).unwrap();
        let (shutdown, tasks) = (Shutdown::new(), Tasks::new());
        tasks.spawn("server", server.run(shutdown.clone()));
        Self {
            directory,
            store,
            shutdown,
            tasks,
        }
    }

    pub(crate) async fn stop(self) -> tempfile::TempDir {
        self.shutdown.trigger();
        assert!(
            self.tasks.finish(Duration::from_secs(15)).await,
            "the server does not end"
        );
        self.store.close().await;
        self.directory
    }

    /// Takes the store away from the running server.
    pub(crate) async fn close_store(&self) {
        self.store.close().await;
    }

    pub(crate) async fn restart(self) -> Self {
        Self::start_in(self.stop().await).await
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command
            .env("KUBECONFIG", self.directory.path().join("kubeconfig"))
            .env("HOME", self.directory.path())
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    /// Runs kubectl to its end.
    pub(crate) async fn output(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    }

    /// What kubectl prints; it must succeed.
    pub(crate) async fn kubectl(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments).await;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "kubectl {arguments:?}: {text}{errors}"
        );
        text
    }

    /// What kubectl complains of; it must fail.
    pub(crate) async fn refused(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments).await;
        assert!(!output.status.success(), "kubectl {arguments:?} succeeded");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Writes a manifest; returns its path.
    pub(crate) fn manifest(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}
