//! Servers that tests write in Python: what talks to them is the program under test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::{Installation, eventually};

/// A server in Python on a port of its own, ended when dropped.
///
/// The script gets a folder as its first argument. When it listens, it puts its port into the file `port` there; what it is
/// asked, it appends to `requests`, each as JSON in a line.
#[derive(Debug)]
pub struct Script {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Script {
    /// Starts a script with Debian's Python where the installation is.
    #[must_use]
    pub fn start(site: &Installation, text: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let program = folder.path().join("server.py");
        fs::write(&program, text).expect("a file can be written");
        let mut child = site
            .command("/usr/bin/python3")
            .arg(&program)
            .arg(folder.path())
            .args(arguments)
            .stdin(Stdio::null())
            .spawn()
            .expect("python3 is installed");
        let port = eventually("the script to listen", Duration::from_secs(30), || {
            let ended = child.try_wait().expect("a child can be waited for");
            assert!(ended.is_none(), "the script has ended: {ended:?}");
            let text = fs::read_to_string(folder.path().join("port")).ok()?;
            text.strip_suffix('\n')?.parse().ok()
        });
        Self {
            child,
            folder,
            port,
        }
    }

    /// The port on which it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A file in its folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What it was asked since the last time.
    #[must_use]
    pub fn requests(&self) -> Vec<Value> {
        let path: &Path = &self.file("requests");
        let text = fs::read_to_string(path).unwrap_or_default();
        if !text.is_empty() {
            fs::remove_file(path).expect("the file is ours");
        }
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("the script writes JSON"))
            .collect()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.child.kill().expect("the script can be ended");
        self.child.wait().expect("the script ends");
    }
}
