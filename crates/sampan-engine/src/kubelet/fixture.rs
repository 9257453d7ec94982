//! A container to try things with. Needs root.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sampan_container::{
    ContainerId, ContainerSpec, Mount, Network, Process, RootFs, Runtime, RuntimeConfig,
};
use tokio::time::Instant;

use super::probes::check::{self, Action, Outcome};

/// A container in a folder of its own.
pub(crate) struct Fixture {
    directory: tempfile::TempDir,
    pub(crate) runtime: Runtime,
    pub(crate) id: ContainerId,
}

impl Fixture {
    /// A container that does nothing; it is created, but not started yet.
    pub(crate) fn create(mounts: Vec<Mount>) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("sc")
            .tempdir_in("/tmp")
            .unwrap();
        let root = directory.path().join("root");
        root_file_system(&root);
        let data = directory.path().join("data");
        let shim = shim();
        let runtime = Runtime::new(RuntimeConfig { data, shim });
        let spec = ContainerSpec {
            rootfs: RootFs {
                lower: vec![root],
                upper: None,
                read_only: false,
                directories: Vec::new(),
            },
            process: Process {
                args: words(&["sleep", "300"]),
                ..Process::default()
            },
            network: Network::Host,
            mounts,
            ..ContainerSpec::default()
        };
        let id = runtime.create(&spec).unwrap();
        Self {
            directory,
            runtime,
            id,
        }
    }

    /// Starts it.
    pub(crate) fn start(self) -> Self {
        self.runtime.start(&self.id).unwrap();
        self
    }

    /// Runs a script in it, as a probe would; tells how long that took.
    pub(crate) async fn run(&self, script: &str, seconds: u64) -> (Outcome, Duration) {
        let action = Action::Exec(words(&["sh", "-c", script]));
        let limit = Duration::from_secs(seconds);
        let began = Instant::now();
        let outcome = check::check(&action, &self.runtime, &self.id, limit).await;
        (outcome, began.elapsed())
    }

    /// Removes it.
    pub(crate) fn stop(self) {
        self.runtime.remove(&self.id, true).unwrap();
        self.directory.close().unwrap();
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().copied().map(str::to_owned).collect()
}

/// The example that is built beside the tests.
fn shim() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.ancestors().nth(2).unwrap();
    built.join("examples/engine_shim")
}

fn root_file_system(root: &Path) {
    for directory in ["bin", "etc", "tmp"] {
        std::fs::create_dir_all(root.join(directory)).unwrap();
    }
    std::fs::copy("/bin/busybox", root.join("bin/busybox")).unwrap();
    for applet in ["sh", "echo", "sleep", "cat"] {
        std::os::unix::fs::symlink("busybox", root.join("bin").join(applet)).unwrap();
    }
}
