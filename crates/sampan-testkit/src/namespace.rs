//! A network namespace without a way out: a site.

use std::path::PathBuf;
use std::process::Command;

use crate::Finished;

/// A named network namespace with only a loopback device, removed when dropped.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Creates a namespace; the name is made unique by the process's id.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let name = format!("{name}-{}", std::process::id());
        let _made = Finished::of(Command::new("ip").args(["netns", "add", &name])).expect_code(0);
        let namespace = Self { name };
        let _up =
            Finished::of(namespace.command("ip").args(["link", "set", "lo", "up"])).expect_code(0);
        namespace
    }

    /// A command that runs in the namespace. Mounts stay those of the caller, unlike with `ip netns exec`.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net={}", self.path().display()))
            .arg("--")
            .arg(program);
        command
    }

    fn path(&self) -> PathBuf {
        PathBuf::from("/run/netns").join(&self.name)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let removed = Command::new("ip")
            .args(["netns", "del", &self.name])
            .status();
        assert!(
            std::thread::panicking() || removed.is_ok_and(|status| status.success()),
            "the namespace {} cannot be removed",
            self.name
        );
    }
}
