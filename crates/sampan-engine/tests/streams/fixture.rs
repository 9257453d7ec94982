//! A server with a runtime, and pods whose containers are started by hand.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use sampan_container::{
    ContainerId, ContainerSpec, Network, Process, RootFs, Runtime, RuntimeConfig,
};
use sampan_engine::objects::{Objects, ServiceNetwork};
use sampan_engine::server::{Server, ServerConfig};
use sampan_store::Store;
use sampan_supervise::{Shutdown, Tasks};
use serde_json::json;

pub(crate) struct Fixture {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) runtime: Runtime,
    objects: Objects,
    store: Store,
    shutdown: Shutdown,
    tasks: Tasks,
}

impl Fixture {
    pub(crate) async fn start() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("se")
            .tempdir_in("/tmp")
            .unwrap();
        root_file_system(&directory.path().join("root"));
        let store = Store::open(&directory.path().join("meta.db"))
            .await
            .unwrap();
        let shim = std::env::current_exe().unwrap();
        let shim = shim
            .ancestors()
            .nth(2)
            .unwrap()
            .join("examples/engine_shim");
        let runtime = Runtime::new(RuntimeConfig {
            data: directory.path().join("data"),
            shim,
        });
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
        let server = server.with_runtime(runtime.clone());
        let objects = server.objects().clone();
        std::fs::write(directory.path().join("kubeconfig"), server.kubeconfig()).unwrap();
        let (shutdown, tasks) = (Shutdown::new(), Tasks::new());
        tasks.spawn("server", server.run(shutdown.clone()));
        Self {
            directory,
            runtime,
            objects,
            store,
            shutdown,
            tasks,
        }
    }

    pub(crate) async fn stop(self) {
        self.shutdown.trigger();
        assert!(
            self.tasks.finish(Duration::from_secs(15)).await,
            "the server does not end"
        );
        self.store.close().await;
        for container in self.runtime.list().unwrap() {
            self.runtime.remove(&container.id, true).unwrap();
        }
    }

    /// A pod `name` whose container `main` runs this command.
    pub(crate) async fn pod(&self, name: &str, process: Process) -> ContainerId {
        let spec = ContainerSpec {
            image: "busybox".to_owned(),
            rootfs: RootFs {
                lower: vec![self.directory.path().join("root")],
                ..RootFs::default()
            },
            process,
            network: Network::Host,
            ..ContainerSpec::default()
        };
        let id = self.runtime.create(&spec).unwrap();
        self.runtime.start(&id).unwrap();
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"containers": [{"name": "main", "image": "busybox"}]},
        }))
        .unwrap();
        let mut pod = self.objects.create(&pod).await.unwrap();
        pod.status = serde_json::from_value(json!({
            "phase": "Running",
            "podIP": "127.0.0.1",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{
                "name": "main", "image": "busybox", "imageID": "", "ready": true,
                "restartCount": 0, "containerID": format!("sampan://{id}"),
                "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
            }],
        }))
        .unwrap();
        self.objects.update_status(&pod).await.unwrap();
        id
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of("kubectl", arguments)
    }

    pub(crate) fn command_of(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .env("KUBECONFIG", self.directory.path().join("kubeconfig"))
            .env("HOME", self.directory.path())
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    /// Runs kubectl to its end.
    pub(crate) async fn output(&self, arguments: &[&str]) -> Output {
        finish(self.command(arguments)).await
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
}

/// Runs a program to its end.
pub(crate) async fn finish(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

/// A process that runs a script.
pub(crate) fn script(text: &str) -> Process {
    Process {
        args: ["sh", "-c", text].map(str::to_owned).to_vec(),
        ..Process::default()
    }
}

fn root_file_system(root: &Path) {
    for directory in ["bin", "etc", "tmp"] {
        std::fs::create_dir_all(root.join(directory)).unwrap();
    }
    std::fs::copy("/bin/busybox", root.join("bin/busybox")).unwrap();
    for applet in [
        "sh", "cat", "echo", "sleep", "stty", "seq", "wc", "head", "tar",
    ] {
        std::os::unix::fs::symlink("busybox", root.join("bin").join(applet)).unwrap();
    }
}
