//! Commands in a container that leave something behind or do not end. Needs root.

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
