//! Working trees for pipelines.

use std::path::Path;
use std::process::Command;

use sampan_testkit::{Finished, Installation};
use tempfile::TempDir;

pub(crate) const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

/// A working tree of git, removed when dropped.
pub(crate) struct Project(TempDir);

impl Project {
    /// A tree with these files in its only commit, on the branch `main`.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("project-").tempdir();
        let project = Self(folder.expect("a temporary folder"));
        for (path, text) in files {
            project.write(path, text);
        }
        project.git(&["init", "--quiet", "--initial-branch", "main"]);
        project.git(&["remote", "add", "origin", "git@git.example:team/shop.git"]);
        project.commit("Begin the shop");
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        let folder = path.parent().expect("a folder");
        std::fs::create_dir_all(folder).expect("a folder can be made");
        std::fs::write(path, text).expect("a file can be written");
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    pub(crate) fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.current_dir(self.path())
            .args(["-c", "user.name=Anna", "-c", "user.email=anna@shop.example"])
            .args(["-c", "commit.gpgSign=false"])
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        let _done = Finished::of(&mut git).expect_code(0);
    }

    /// Runs `sampan ci …` in the tree.
    pub(crate) fn ci(&self, site: &Installation, arguments: &[&str]) -> Finished {
        let mut command = site.sampan(["ci"]);
        Finished::of(command.args(arguments).current_dir(self.path()))
    }
}
