//! The real Helm.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::Finished;

/// Helm 3 with a home of its own, so that it neither finds nor leaves anything on the machine.
#[derive(Debug)]
pub struct Helm {
    home: TempDir,
    program: PathBuf,
}

impl Default for Helm {
    fn default() -> Self {
        Self::new()
    }
}

impl Helm {
    /// Finds the program that `tools/setup test` has put into the checkout.
    #[must_use]
    pub fn new() -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/helm");
        assert!(
            program.exists(),
            "there is no Helm yet: run `tools/setup test` once"
        );
        let home = tempfile::tempdir().expect("a temporary folder");
        Self { home, program }
    }

    /// The folder that Helm works in, and leaves in it what it makes.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.home.path()
    }

    /// Runs a command to its end.
    #[must_use]
    pub fn run<'a>(&self, arguments: impl AsRef<[&'a str]>) -> Finished {
        Finished::of(
            Command::new(&self.program)
                .args(arguments.as_ref())
                .current_dir(self.path())
                .env_clear()
                .env("HOME", self.path()),
        )
    }
}
