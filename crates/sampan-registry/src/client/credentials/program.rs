//! The protocol of `docker-credential-NAME`: a verb as argument, text or JSON on standard input and output.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use super::{Credential, CredentialError, Secret};

/// What a helper writes as the name when the secret is an identity token.
const TOKEN_NAME: &str = "<token>";

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
    let program = program(name);
    let started = |source| CredentialError::Start {
        program: program.clone(),
        source,
    };
    let mut child = Command::new(&program)
        .arg(verb)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(started)?;
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(input) {
            // A helper that ends without reading says why by its exit code.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                return Err(started(error));
            }
            _ => {}
        }
    }
    let output = child.wait_with_output().map_err(started)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    // Helpers write what went wrong to standard output.
    let message = [output.stdout, output.stderr].concat();
    Err(CredentialError::Helper {
        program,
        message: String::from_utf8_lossy(&message).trim().to_owned(),
    })
}
