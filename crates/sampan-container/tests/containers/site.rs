//! An installation for tests, with a root file system made of busybox.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use sampan_container::{ContainerSpec, Exit, Process, RootFs, Runtime, RuntimeConfig};

/// An installation of its own, cleared up when dropped.
pub(crate) struct Site {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) runtime: Runtime,
}

impl Site {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("sc")
            .tempdir_in("/tmp")
            .unwrap();
        let root = folder.path().join("root");
        for directory in ["bin", "etc", "tmp", "root"] {
            std::fs::create_dir_all(root.join(directory)).unwrap();
        }
        std::fs::copy("/bin/busybox", root.join("bin/busybox")).unwrap();
        for applet in [
            "sh", "cat", "echo", "sleep", "true", "id", "ls", "tty", "ip", "nc", "wget", "httpd",
            "ping",
        ] {
            std::os::unix::fs::symlink("busybox", root.join("bin").join(applet)).unwrap();
        }
        std::fs::write(
            root.join("etc/passwd"),
            "root:x:0:0::/root:/bin/sh\nanna:x:1000:100::/:/bin/sh\n",
        )
        .unwrap();
        std::fs::write(
            root.join("etc/group"),
            "root:x:0:\nusers:x:100:\nwheel:x:10:anna\n",
        )
        .unwrap();
        let shim = std::env::current_exe().unwrap();
        let shim = shim
            .parent()
            .unwrap()
            .parent()
            .unwrap()
            .join("examples/shim");
        let runtime = Runtime::new(RuntimeConfig {
            data: folder.path().join("data"),
            shim,
        });
        Self { folder, runtime }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    pub(crate) fn spec(&self, args: &[&str]) -> ContainerSpec {
        ContainerSpec {
            image: "busybox".to_owned(),
            rootfs: RootFs {
                lower: vec![self.root()],
                ..RootFs::default()
            },
            process: Process {
                args: args.iter().map(|arg| (*arg).to_owned()).collect(),
                ..Process::default()
            },
            ..ContainerSpec::default()
        }
    }

    /// Runs a container to its end: its output, its errors, its end.
    pub(crate) fn run(&self, spec: &ContainerSpec) -> (String, String, Exit) {
        let id = self.runtime.create(spec).unwrap();
        let mut attachment = self.runtime.attach(&id).unwrap();
        drop(attachment.stdin.take());
        self.runtime.start(&id).unwrap();
        let output = read(attachment.stdout.take().unwrap());
        let errors = read(attachment.stderr.take().unwrap());
        let exit = attachment.wait_blocking().unwrap();
        self.runtime.remove(&id, false).unwrap();
        (output, errors, exit)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for container in self.runtime.list().unwrap() {
            self.runtime.remove(&container.id, true).unwrap();
        }
    }
}

pub(crate) fn read(file: OwnedFd) -> String {
    let mut text = String::new();
    std::fs::File::from(file).read_to_string(&mut text).unwrap();
    text
}

pub(crate) fn write(file: OwnedFd, text: &str) {
    std::fs::File::from(file)
        .write_all(text.as_bytes())
        .unwrap();
}
