//! The real Helm.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::Finished;

/// Helm with a home of its own, so that it neither finds nor leaves anything on the machine.
#[derive(Debug)]
pub struct Helm {
    home: TempDir,
    program: PathBuf,
    /// What comes before the arguments of each command.
    first: Vec<OsString>,
    /// Where Python finds modules.
    modules: Option<PathBuf>,
}

impl Helm {
    /// Helm 3: the program that `tools/setup test` has put into the checkout.
    #[must_use]
    pub fn three() -> Self {
        Self {
            home: tempfile::tempdir().expect("a temporary folder"),
            program: tool("helm"),
            first: Vec::new(),
            modules: None,
        }
    }

    /// Helm 4: the library that `tools/setup test` has put into the checkout, behind a command line with the words of
    /// Helm that answers with JSON.
    #[must_use]
    pub fn four() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("helm4.py");
        Self {
            home: tempfile::tempdir().expect("a temporary folder"),
            program: PathBuf::from("python3"),
            first: vec![script.into_os_string()],
            modules: Some(tool("helm4")),
        }
    }

    /// The folder that Helm works in, and leaves in it what it makes.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.home.path()
    }

    /// Runs a command to its end.
    #[must_use]
    pub fn run<'a>(&self, arguments: impl AsRef<[&'a str]>) -> Finished {
        let mut command = Command::new(&self.program);
        command
            // The library calls itself by this name where it owns fields of objects.
            .arg0("helm")
            .args(&self.first)
            .args(arguments.as_ref())
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path());
        if let Some(modules) = &self.modules {
            command.env("PYTHONPATH", modules);
            command.env("PYTHONDONTWRITEBYTECODE", "1");
        }
        Finished::of(&mut command)
    }
}

/// What `tools/setup test` has put into the checkout under a name.
fn tool(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools");
    let path = path.join(name);
    assert!(
        path.exists(),
        "there is no {name} yet: run `tools/setup test` once"
    );
    path
}
