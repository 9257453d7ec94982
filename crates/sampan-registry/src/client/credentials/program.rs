//! The protocol of `docker-credential-NAME`: a verb as argument, text or JSON on standard input and output.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::MemfdFlags;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::{Deserialize, Serialize};

use super::{Credential, CredentialError, Secret};

/// What a helper writes as the name when the secret is an identity token.
const TOKEN_NAME: &str = "<token>";

/// How long a helper may take: it may ask somebody, who may not be there.
const DEADLINE: Duration = Duration::from_mins(1);

/// The longest answer of a helper that is read, in bytes.
const ANSWER_LIMIT_BYTES: u64 = 1 << 20;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(rename = "ServerURL", default)]
    server_url: String,
    username: String,
    secret: String,
}

pub(super) fn get(name: &str, server: &str) -> Result<Option<Credential>, CredentialError> {
    let output = match run(name, "get", server.as_bytes()) {
        Ok(output) => output,
        Err(CredentialError::Helper { message, .. }) if is_absence(&message) => return Ok(None),
        Err(error) => return Err(error),
    };
    let entry: Entry = serde_json::from_slice(&output).map_err(|_| CredentialError::Helper {
        program: program(name),
        message: format!("it gives no credentials for `{server}` that can be read"),
    })?;
    if entry.secret.is_empty() {
        return Ok(None);
    }
    let secret = Secret::new(entry.secret);
    Ok(Some(if entry.username == TOKEN_NAME {
        Credential::Identity(secret)
    } else {
        Credential::Password {
            username: entry.username,
            password: secret,
        }
    }))
}

pub(super) fn store(
    name: &str,
    server: &str,
    username: &str,
    password: &Secret,
) -> Result<(), CredentialError> {
    let entry = Entry {
        server_url: server.to_owned(),
        username: username.to_owned(),
        secret: password.reveal().to_owned(),
    };
    let text = serde_json::to_vec(&entry).expect("text has a JSON form");
    run(name, "store", &text).map(drop)
}

pub(super) fn erase(name: &str, server: &str) -> Result<(), CredentialError> {
    run(name, "erase", server.as_bytes()).map(drop)
}

fn is_absence(message: &str) -> bool {
    message.contains("credentials not found") || message.contains("not found in")
}

fn program(name: &str) -> String {
    format!("docker-credential-{name}")
}

fn run(name: &str, verb: &str, input: &[u8]) -> Result<Vec<u8>, CredentialError> {
    run_within(&program(name), verb, input, DEADLINE)
}

/// Runs a helper, and kills it when it has not ended by then. What it says is kept in memory, and not passed through
/// pipes: somebody whom it has started may hold these open for ever.
fn run_within(
    program: &str,
    verb: &str,
    input: &[u8],
    deadline: Duration,
) -> Result<Vec<u8>, CredentialError> {
    let failed = |source: io::Error| CredentialError::Start {
        program: program.to_owned(),
        source,
    };
    let [mut stdin, mut stdout, mut stderr] = [memory()?, memory()?, memory()?];
    let mut start = || {
        stdin.write_all(input)?;
        stdin.rewind()?;
        Command::new(program)
            .arg(verb)
            .stdin(stdin.try_clone()?)
            .stdout(stdout.try_clone()?)
            .stderr(stderr.try_clone()?)
            .spawn()
    };
    let mut child = start().map_err(failed)?;
    if !has_ended(&child, deadline).map_err(failed)? {
        child.kill().and_then(|()| child.wait()).map_err(failed)?;
        return Err(CredentialError::Silent {
            program: program.to_owned(),
            deadline,
        });
    }
    let status = child.wait().map_err(failed)?;
    let said = whole(&mut stdout).map_err(failed)?;
    if status.success() {
        return Ok(said);
    }
    // Helpers write what went wrong to standard output.
    let message = [said, whole(&mut stderr).map_err(failed)?].concat();
    Err(CredentialError::Helper {
        program: program.to_owned(),
        message: String::from_utf8_lossy(&message).trim().to_owned(),
    })
}

/// A file that exists in memory only.
fn memory() -> Result<File, CredentialError> {
    let made = rustix::fs::memfd_create("credentials", MemfdFlags::CLOEXEC);
    made.map(File::from)
        .map_err(|source| CredentialError::Memory {
            source: source.into(),
        })
}

fn whole(file: &mut File) -> io::Result<Vec<u8>> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(ANSWER_LIMIT_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether the program has ended by then.
fn has_ended(child: &Child, deadline: Duration) -> io::Result<bool> {
    let handle = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
    let until = Instant::now() + deadline;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&left)) {
            Err(Errno::INTR) => {}
            ended => return Ok(ended? > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_helper_that_does_not_end_is_killed() {
        let began = Instant::now();
        let deadline = Duration::from_millis(100);
        let error = run_within("sleep", "1000", b"", deadline).unwrap_err();
        assert!(matches!(error, CredentialError::Silent { .. }), "{error:?}");
        assert!(began.elapsed() < Duration::from_secs(100));
    }

    #[test]
    fn what_a_helper_is_told_and_says_passes_through() {
        let deadline = Duration::from_secs(100);
        assert_eq!(run_within("cat", "-", b"said", deadline).unwrap(), b"said");
        let error = run_within("ls", "/no/such/folder", b"", deadline).unwrap_err();
        let CredentialError::Helper { message, .. } = error else {
            panic!("{error:?}")
        };
        assert!(message.contains("/no/such/folder"), "{message}");
    }
}
