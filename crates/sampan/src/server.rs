//! The running server as other commands see it: one at a time for each installation, and where it listens.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::failure::{Exit, Failure, OrFail as _};

const LOCK: &str = "server.lock";
const FACTS: &str = "server.json";

/// How long a new server waits for the lock: one that was killed holds it until the kernel has taken the process down,
/// and whoever asks whether a server runs holds it for an instant.
const LOCK_LIMIT: Duration = Duration::from_secs(1);

/// How long a server may take to answer a request that costs it nothing.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// What a running server tells other processes about itself, in `server.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerFacts {
    /// Its process id.
    pub(crate) pid: i32,
    /// Its version.
    pub(crate) version: String,
    /// Since when it serves.
    pub(crate) since: jiff::Timestamp,
    /// Where the Kubernetes API listens, with TLS.
    pub(crate) kubernetes: SocketAddr,
    /// Where the gateway serves HTTP.
    pub(crate) http: SocketAddr,
    /// Where the registry listens, with and without TLS.
    pub(crate) registry: SocketAddr,
}

impl ServerFacts {
    /// The address by which this machine reaches the gateway.
    pub(crate) fn gateway(&self) -> SocketAddr {
        let mut address = self.http;
        if address.ip().is_unspecified() {
            address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        address
    }

    /// Whether the server takes requests. One that is being killed does not, though it still holds the lock.
    pub(crate) fn answers(&self) -> bool {
        let ask = || -> io::Result<usize> {
            let mut stream = TcpStream::connect_timeout(&self.gateway(), ANSWER_LIMIT)?;
            stream.set_read_timeout(Some(ANSWER_LIMIT))?;
            stream.set_write_timeout(Some(ANSWER_LIMIT))?;
            stream.write_all(b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
            stream.read(&mut [0])
        };
        ask().is_ok_and(|count| count > 0)
    }
}

/// Held by the server as long as it lives; the kernel lets go of it whatever ends the process.
#[derive(Debug)]
pub(crate) struct ServerLock {
    _file: File,
}

impl ServerLock {
    /// Becomes the one server of an installation.
    pub(crate) fn take(data: &Path) -> Result<Self, Failure> {
        let deadline = Instant::now() + LOCK_LIMIT;
        loop {
            if let Some(lock) = Self::try_take(data)? {
                return Ok(lock);
            }
            if Instant::now() > deadline {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let pid =
            read_facts(data)?.map_or_else(String::new, |facts| format!(" (process {})", facts.pid));
        Err(Failure::new(format!(
            "a server of `{}` is running already{pid}",
            data.display()
        ))
        .with_hint("use it, or stop it with `sampan down`, or choose another folder with `--data`")
        .with_exit(Exit::Refused))
    }

    /// The same, unless somebody holds the lock.
    pub(crate) fn try_take(data: &Path) -> Result<Option<Self>, Failure> {
        let file = open_lock(data)?;
        match file.try_lock() {
            Ok(()) => {
                forget_facts(data)?;
                Ok(Some(Self { _file: file }))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).or_fail("cannot lock `server.lock`"),
        }
    }

    /// Tells other processes where to find the server. The lock is the proof that it is alive.
    #[expect(
        clippy::unused_self,
        reason = "the lock is the proof that this is the one server"
    )]
    pub(crate) fn publish(&self, data: &Path, facts: &ServerFacts) -> Result<(), Failure> {
        let text = serde_json::to_vec_pretty(facts).or_fail("cannot describe the server")?;
        let mut file =
            tempfile::NamedTempFile::new_in(data).or_fail("cannot write `server.json`")?;
        file.write_all(&text)
            .or_fail("cannot write `server.json`")?;
        file.persist(data.join(FACTS))
            .or_fail("cannot write `server.json`")?;
        Ok(())
    }
}

/// The server of an installation, if one is running and serving.
pub(crate) fn running(data: &Path) -> Result<Option<ServerFacts>, Failure> {
    if !data.join(LOCK).exists() {
        return Ok(None);
    }
    match open_lock(data)?.try_lock_shared() {
        // Nobody holds it, so whatever the file says is of the past.
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => read_facts(data),
        Err(TryLockError::Error(error)) => Err(error).or_fail("cannot look at `server.lock`"),
    }
}

/// The server of an installation, which must be running.
pub(crate) fn required(data: &Path) -> Result<ServerFacts, Failure> {
    running(data)?.ok_or_else(|| {
        Failure::new(format!("no server of `{}` is running", data.display()))
            .with_hint("start it with `sampan up --detach`, or name the right folder with `--data`")
            .with_exit(Exit::NotFound)
    })
}

/// Takes away what an earlier server has said of itself.
fn forget_facts(data: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(data.join(FACTS)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).or_fail("cannot remove `server.json`")
        }
        _ => Ok(()),
    }
}

fn open_lock(data: &Path) -> Result<File, Failure> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(data.join(LOCK))
        .or_fail(format!("cannot open `{}`", data.join(LOCK).display()))
}

fn read_facts(data: &Path) -> Result<Option<ServerFacts>, Failure> {
    match std::fs::read(data.join(FACTS)) {
        Ok(text) => serde_json::from_slice(&text)
            .or_fail("cannot read `server.json`")
            .map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).or_fail("cannot read `server.json`"),
    }
}
