//! Debian's `docker-registry`: a registry that others have written.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

/// The only user of a registry with accounts.
pub const USER: &str = "sailor";

/// The password of [`USER`].
pub const PASSWORD: &str = "harbour";

/// Both as `htpasswd -B` writes them.
const ACCOUNTS: &str = "sailor:$2b$05$5YczH5iSxbVrBI8bsYLJ9ObQ6edXkRMiv.1bZrcw9U8X3rezXfDnK\n";

/// A registry on a free port of this machine, with its content in a temporary folder; gone when dropped.
#[derive(Debug)]
pub struct DockerRegistry {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl DockerRegistry {
    /// One that anybody may read and write.
    #[must_use]
    pub fn open() -> Self {
        Self::start("", |_| {})
    }

    /// One that only [`USER`] may read and write.
    #[must_use]
    pub fn with_accounts() -> Self {
        let settings = "auth:\n  htpasswd:\n    realm: tests\n    path: FOLDER/accounts\n";
        Self::start(settings, |folder| {
            std::fs::write(folder.join("accounts"), ACCOUNTS).expect("a file of accounts");
        })
    }

    /// One that speaks TLS with a certificate and its key, both in PEM.
    #[must_use]
    pub fn with_tls(certificate: &str, key: &str) -> Self {
        let settings = "  tls:\n    certificate: FOLDER/tls.crt\n    key: FOLDER/tls.key\n";
        Self::start(settings, |folder| {
            std::fs::write(folder.join("tls.crt"), certificate).expect("a certificate");
            std::fs::write(folder.join("tls.key"), key).expect("a key");
        })
    }

    /// The same, for clients only that show a certificate of this authority, in PEM.
    #[must_use]
    pub fn with_client_certificates(certificate: &str, key: &str, authority: &str) -> Self {
        let settings = "  tls:\n    certificate: FOLDER/tls.crt\n    key: FOLDER/tls.key\n    \
                        clientcas: [FOLDER/clients.crt]\n";
        Self::start(settings, |folder| {
            std::fs::write(folder.join("tls.crt"), certificate).expect("a certificate");
            std::fs::write(folder.join("tls.key"), key).expect("a key");
            std::fs::write(folder.join("clients.crt"), authority).expect("a certificate");
        })
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `settings` follow the `http` section, or begin with more of it.
    fn start(settings: &str, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("docker-registry-")
            .tempdir()
            .expect("a temporary folder");
        prepare(folder.path());
        let place = folder.path().display();
        let settings = settings.replace("FOLDER", &place.to_string());
        let text = format!(
            "version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: {place}/content\n  \
             delete:\n    enabled: true\nhttp:\n  addr: 127.0.0.1:0\n{settings}"
        );
        let config = folder.path().join("config.yml");
        std::fs::write(&config, text).expect("a configuration");
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("Debian's package `docker-registry` is installed");
        let port = port(&mut process);
        Self {
            process,
            port,
            _folder: folder,
        }
    }
}

/// The port that the registry says it listens on. What else it says is read and forgotten.
fn port(process: &mut Child) -> u16 {
    let log = process.stderr.take().expect("a pipe");
    let (found, port) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            let address = line.split_once("listening on 127.0.0.1:");
            let digits =
                address.map(|(_, rest)| rest.trim_end_matches(|c: char| !c.is_ascii_digit()));
            let digits = digits.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
            if let Some(port) = digits.and_then(|digits| digits.parse::<u16>().ok()) {
                // Whoever waited for it may have given up.
                if found.send(port).is_err() {
                    return;
                }
            }
        }
    });
    port.recv_timeout(Duration::from_secs(30))
        .expect("docker-registry says where it listens")
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        self.process.kill().expect("docker-registry can be killed");
        self.process.wait().expect("docker-registry ends");
    }
}
