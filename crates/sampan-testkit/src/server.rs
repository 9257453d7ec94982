//! A running `sampan up`.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{Finished, Installation, eventually};

/// The server of an [`Installation`]; stopped when dropped, its pods by the installation.
#[derive(Debug)]
pub struct Server<'a> {
    installation: &'a Installation,
    child: Child,
}

impl<'a> Server<'a> {
    pub(crate) fn start(installation: &'a Installation, http: &str) -> Self {
        let log = File::options()
            .create(true)
            .append(true)
            .open(installation.data().join("server.log"))
            .expect("the log of the server can be written");
        let child = installation
            .sampan([
                "up",
                "--kube-listen",
                "127.0.0.1:0",
                "--http-listen",
                http,
                "--registry-listen",
                "127.0.0.1:0",
            ])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be cloned"))
            .stderr(log)
            .spawn()
            .expect("the server can be started");
        let mut server = Self {
            installation,
            child,
        };
        server.wait_ready();
        server
    }

    fn wait_ready(&mut self) {
        let id = self.child.id();
        eventually("the server to be ready", Duration::from_mins(1), || {
            if let Some(status) = self.child.try_wait().expect("the server can be waited for") {
                panic!("the server ended with {status}: {}", self.log());
            }
            let text = std::fs::read(self.installation.data().join("server.json")).ok()?;
            let facts: serde_json::Value = serde_json::from_slice(&text).ok()?;
            (facts["pid"].as_u64() == Some(u64::from(id))).then_some(())
        });
    }

    /// What the server has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.installation.data().join("server.log")).unwrap_or_default()
    }

    /// The process's id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The address on which the gateway serves HTTP, as `127.0.0.1:8080`.
    #[must_use]
    pub fn http_address(&self) -> String {
        self.address("http")
    }

    /// The address on which the registry listens, as `127.0.0.1:7080`.
    #[must_use]
    pub fn registry_address(&self) -> String {
        self.address("registry")
    }

    fn address(&self, of: &str) -> String {
        let text = std::fs::read(self.installation.data().join("server.json"))
            .expect("a ready server has it");
        let facts: serde_json::Value =
            serde_json::from_slice(&text).expect("the server writes JSON");
        facts[of]
            .as_str()
            .expect("the server names its address")
            .to_owned()
    }

    /// The real `kubectl` with the credentials of this server.
    #[must_use]
    pub fn kubectl(&self) -> Command {
        let path = self.installation.data().join("kubeconfig-of-test");
        let text = self.installation.run(["kubeconfig"]).stdout();
        std::fs::write(&path, text).expect("a file in the data folder can be written");
        let mut command = self.installation.command("kubectl");
        command.arg("--kubeconfig").arg(path);
        // A cache of its own: discovery of another test's server must not be believed.
        command
            .arg("--cache-dir")
            .arg(self.installation.data().join("kubectl-cache"));
        command
    }

    /// Runs `kubectl` to its end, with this text on its standard input.
    #[must_use]
    pub fn apply(&self, manifests: &str) -> Finished {
        let path = self.installation.data().join("applied.yaml");
        std::fs::write(&path, manifests).expect("a file in the data folder can be written");
        Finished::of(self.kubectl().args(["apply", "-f"]).arg(path))
    }

    /// Ends the server as a power cut would, and its process only.
    pub fn kill(mut self) {
        self.signal(Signal::SIGKILL);
    }

    fn signal(&mut self, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.child.id()).expect("process ids are small"));
        kill(id, signal).expect("a child that has not been waited for can be signalled");
        self.child.wait().expect("a child can be waited for");
    }
}

/// The minor version of this machine's `kubectl`: Debian's, 1.20, lacks some of what is asked of newer ones.
#[must_use]
pub fn kubectl_minor() -> u32 {
    let mut command = Command::new("kubectl");
    let version = Finished::of(command.args(["version", "--client", "-o", "json"])).json();
    let minor = version["clientVersion"]["minor"].as_str();
    let minor = minor.expect("kubectl names its version");
    // Vendors mark their own builds: `20+`.
    minor.trim_end_matches('+').parse().expect("it is a number")
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            self.signal(Signal::SIGTERM);
        }
        if std::thread::panicking() {
            // The log goes with the folder, so it is shown while it is there.
            use std::io::Write as _;
            drop(writeln!(
                std::io::stderr(),
                "--- log of the server\n{}",
                self.log()
            ));
        }
    }
}
