//! An installation of its own for one test.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::{Finished, Namespace, Server};

/// A data folder, the binary under test and, for a site, a network namespace.
#[derive(Debug)]
pub struct Installation {
    binary: PathBuf,
    data: TempDir,
    namespace: Option<Namespace>,
}

impl Installation {
    /// An installation in the namespace of the test itself. `binary` is `env!("CARGO_BIN_EXE_sampan")`.
    #[must_use]
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        Self::with_namespace(binary.into(), None)
    }

    /// An installation with no route to anywhere.
    #[must_use]
    pub fn site(binary: impl Into<PathBuf>, name: &str) -> Self {
        Self::with_namespace(binary.into(), Some(Namespace::new(name)))
    }

    fn with_namespace(binary: PathBuf, namespace: Option<Namespace>) -> Self {
        let data = tempfile::Builder::new()
            .prefix("sampan-")
            .tempdir()
            .expect("a temporary folder");
        Self {
            binary,
            data,
            namespace,
        }
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Any program, run where the installation is.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        match &self.namespace {
            Some(namespace) => namespace.command(program),
            None => Command::new(program),
        }
    }

    /// A command of Sampan with this data folder.
    #[must_use]
    pub fn sampan<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.command(&self.binary);
        command.arg("--data").arg(self.data()).args(args);
        command
    }

    /// Runs a command of Sampan to its end.
    #[must_use]
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Finished {
        Finished::of(&mut self.sampan(args))
    }

    /// Imports a root file system that holds only busybox as the image `busybox`.
    pub fn import_busybox(&self) {
        let root = tempfile::tempdir().expect("a temporary folder");
        let script = format!(
            "cd {root} && mkdir -p bin etc tmp root && cp /bin/busybox bin/ && \
             for applet in $(bin/busybox --list); do [ -e bin/$applet ] || ln -s busybox bin/$applet; done && \
             echo root:x:0:0:root:/root:/bin/sh > etc/passwd && echo app:x:1000:1000::/:/bin/sh >> etc/passwd && \
             echo root:x:0: > etc/group && echo app:x:1000: >> etc/group && \
             tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf rootfs.tar bin etc tmp root",
            root = root.path().display()
        );
        let _made = Finished::of(Command::new("sh").args(["-ec", &script])).expect_code(0);
        let tar = root.path().join("rootfs.tar");
        let mut import = self.sampan([
            OsStr::new("image"),
            OsStr::new("import"),
            tar.as_os_str(),
            OsStr::new("busybox"),
        ]);
        let _imported = Finished::of(import.env("SOURCE_DATE_EPOCH", "0")).expect_code(0);
    }

    /// Imports the same with this machine's Node.js and its libraries as the image `node`; the folders for programs are one,
    /// as in the images of distributions.
    pub fn import_node(&self) {
        let root = tempfile::tempdir().expect("a temporary folder");
        let script = format!(
            "cd {root} && mkdir -p usr/bin etc tmp root && ln -s usr/bin bin && cp /bin/busybox usr/bin/ && \
             for applet in $(usr/bin/busybox --list); do [ -e usr/bin/$applet ] || ln -s busybox usr/bin/$applet; done && \
             node=$(readlink -f $(command -v node)) && cp $node usr/bin/node && \
             for library in $(ldd $node | grep -o '/[^ ]*'); do \
               mkdir -p .$(dirname $library) && cp -L $library .$library; done && \
             echo root:x:0:0:root:/root:/bin/sh > etc/passwd && echo root:x:0: > etc/group && \
             tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf rootfs.tar $(ls)",
            root = root.path().display()
        );
        let _made = Finished::of(Command::new("sh").args(["-ec", &script])).expect_code(0);
        let tar = root.path().join("rootfs.tar");
        let tar = tar.to_str().expect("a temporary path is text");
        let _imported = self.run(["image", "import", tar, "node"]).expect_code(0);
    }

    /// Starts `sampan up` and waits until it is ready.
    #[must_use]
    pub fn up(&self) -> Server<'_> {
        self.up_at("127.0.0.1:0")
    }

    /// The same with a gateway at this address, which should be in a network namespace.
    #[must_use]
    pub fn up_at(&self, http: &str) -> Server<'_> {
        Server::start(self, http)
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        let down = self.run(["down", "--force"]);
        assert!(
            std::thread::panicking() || down.code == Some(0),
            "the installation cannot be taken down: {}",
            down.stderr
        );
    }
}
