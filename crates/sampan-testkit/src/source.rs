//! A source tree that a test may change.

use std::path::Path;

use tempfile::TempDir;

use crate::Finished;

/// A copy of a folder, removed when dropped.
#[derive(Debug)]
pub struct SourceTree(TempDir);

impl SourceTree {
    /// Copies a folder with all that is in it.
    #[must_use]
    pub fn copy_of(folder: impl AsRef<Path>) -> Self {
        let copy = tempfile::Builder::new()
            .prefix("source-")
            .tempdir()
            .expect("a temporary folder");
        let from = folder.as_ref().join(".");
        let _copied = Finished::of(
            std::process::Command::new("cp")
                .arg("-R")
                .arg(from)
                .arg(copy.path()),
        )
        .expect_code(0);
        Self(copy)
    }

    /// Where the copy is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Replaces a text that must occur in a file of the tree.
    pub fn replace(&self, file: &str, from: &str, to: &str) {
        let path = self.path().join(file);
        let text = std::fs::read_to_string(&path).expect("the file is there");
        assert!(text.contains(from), "`{file}` does not contain `{from}`");
        std::fs::write(&path, text.replace(from, to)).expect("the file can be written");
    }
}
