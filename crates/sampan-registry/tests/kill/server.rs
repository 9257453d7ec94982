//! The server, in a process of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::Arc;

use sampan_listen::Tls;
use sampan_oci::ContentStore;
use sampan_registry::auth::UserFile;
use sampan_registry::{Config, Dependencies};
use sampan_store::Store;
use sampan_supervise::Shutdown;

/// How the server collects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// At once, all that nothing names, and all the time.
    Greedy,
    /// The same, but when asked to only.
    Ordered,
    /// What was deleted; the rest is kept for as long as the test takes.
    Patient,
}

impl Mode {
    /// Where blobs lie is said in the data folder, if anywhere.
    fn config(self, data: &Path) -> Config {
        let housekeeping = match self {
            Self::Greedy => "{grace: 0s, strayAfter: 0s, collectEvery: 40ms}",
            Self::Ordered => "{grace: 0s, strayAfter: 0s, collectEvery: 1h}",
            Self::Patient => "{grace: 1h, strayAfter: 1h, collectEvery: 12ms}",
        };
        let config = Config::parse("test", &format!("housekeeping: {housekeeping}")).unwrap();
        Config {
            housekeeping: config.housekeeping,
            ..Config::load(data).unwrap()
        }
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let modes = [Self::Greedy, Self::Ordered, Self::Patient];
        let found = modes.into_iter().find(|mode| format!("{mode:?}") == text);
        found.ok_or_else(|| text.to_owned())
    }
}

/// Serves until it is killed, or until who started it is gone.
pub(crate) fn serve(data: &Path, mode: Mode) {
    std::thread::spawn(|| {
        drop(std::io::stdin().read(&mut [0]));
        std::process::abort();
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let dependencies = Dependencies {
            content: ContentStore::open(data).unwrap(),
            store: Store::open(&data.join("meta.db")).await.unwrap(),
            accounts: Arc::new(UserFile::open(data).unwrap()),
            address: "127.0.0.1:0".parse().unwrap(),
            tls: Tls::Off,
            registries: sampan_registry::client::Settings::default(),
            data: data.to_owned(),
        };
        let server = sampan_registry::build(mode.config(data), dependencies)
            .await
            .unwrap();
        writeln!(std::io::stdout().lock(), "{}", server.address()).unwrap();
        server.run(Shutdown::new()).await;
    });
}

/// A server that runs.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Served {
    pub(crate) fn start(data: &Path, mode: Mode) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("serve")
            .arg(data)
            .arg(format!("{mode:?}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line.trim().parse().expect("the server did not start");
        Self { address, child }
    }

    /// Kills it in the middle of whatever it does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), None, "the server ended by itself: {status}");
    }
}
