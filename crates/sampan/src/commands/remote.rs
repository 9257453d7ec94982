//! What the commands that talk to registries have in common: options, the client, and the words of its failures.

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sampan_oci::Reference;
use sampan_registry::client::{
    Client, ClientError, CredentialError, PlatformName, Platforms, Registries, Settings,
};

use crate::config;
use crate::context::Context;
use crate::failure::{Exit, Failure, OrFail as _};

/// Options about the way to registries.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// A file with the certificate of an authority to trust, in PEM; besides the system's and those below
    /// `/etc/sampan/certs.d/HOST`, `/etc/containers/certs.d/HOST` and `/etc/docker/certs.d/HOST`
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,
    /// Mirrors and other settings of registries [default: registries.yaml in the data folder, if there is one]
    #[arg(long, value_name = "FILE")]
    registries: Option<PathBuf>,
}

/// Options about how content is moved.
#[derive(Debug, clap::Args)]
pub(crate) struct Moving {
    /// How many blobs are moved at once
    #[arg(long, value_name = "NUMBER", default_value = "4", value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,
}

/// Options about the platform of an image.
#[derive(Debug, clap::Args)]
pub(crate) struct Platform {
    /// The platform, such as `linux/arm64`, of an image that exists for several [default: this machine's]
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<PlatformName>,
    /// The image for all its platforms
    #[arg(long, conflicts_with = "platform")]
    all_platforms: bool,
}

/// The size of the pieces of an upload, such as `10M`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChunkSize(u64);

/// The host of a registry, with its port where that is not the usual one.
#[derive(Debug, Clone)]
pub(crate) struct Host(String);

impl Platform {
    /// What is wanted; this machine's platform when nothing is said.
    pub(crate) fn wanted(&self) -> Platforms {
        match &self.platform {
            _ if self.all_platforms => Platforms::All,
            None => Platforms::default(),
            Some(name) => Platforms::One(name.clone()),
        }
    }
}

/// By which the server of the installation reaches other registries: what commands do that are given no options.
pub(crate) fn settings(context: &Context) -> Result<Settings, Failure> {
    let connection = Connection {
        ca: Vec::new(),
        registries: None,
    };
    connection.settings(context, [])
}

impl Connection {
    /// The client's settings; the registries `plain` are spoken to without TLS.
    pub(crate) fn settings(
        &self,
        context: &Context,
        plain: impl IntoIterator<Item = String>,
    ) -> Result<Settings, Failure> {
        let mut registries = self.registries(context)?;
        registries.plain_http.extend(plain);
        Ok(Settings {
            registries,
            proxies: config::proxies()?,
            authorities: self.ca.clone(),
            credentials: config::credential_files(),
            ..Settings::default()
        })
    }

    fn registries(&self, context: &Context) -> Result<Registries, Failure> {
        let path = match &self.registries {
            Some(path) => path.clone(),
            None => context.data().join("registries.yaml"),
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let parsed = Registries::parse(&path.display().to_string(), &text);
                parsed.map_err(|error| failure(error.into()))
            }
            Err(error) if self.registries.is_none() && is_absent(&error) => {
                Ok(Registries::default())
            }
            Err(error) => Err(error).or_fail(format!("cannot read `{}`", path.display())),
        }
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::NotFound
}

impl Moving {
    /// A client that moves as many blobs at once as was said.
    pub(crate) fn client(&self, settings: Settings, chunk: Option<ChunkSize>) -> Client {
        Client::new(Settings {
            jobs: self.jobs.into(),
            chunk_bytes: chunk.map(|size| size.0),
            ..settings
        })
    }
}

impl FromStr for ChunkSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let factor = match &text[digits.len()..] {
            "" => Some(1_u64),
            "K" | "k" => Some(1 << 10),
            "M" => Some(1 << 20),
            "G" => Some(1 << 30),
            _ => None,
        };
        let number = digits.parse::<u64>().ok().filter(|number| *number > 0);
        let bytes = number
            .zip(factor)
            .and_then(|(number, factor)| number.checked_mul(factor));
        bytes.map(Self).ok_or_else(|| {
            "a size is a number of bytes, or one with K, M or G, such as `10M`".to_owned()
        })
    }
}

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = match text {
            "index.docker.io" | "registry-1.docker.io" => "docker.io",
            other => other,
        };
        // What names a host before an image names one here.
        let reference: Option<Reference> = format!("{text}/image").parse().ok();
        match reference {
            Some(reference) if reference.registry() == text => Ok(Self(text.to_owned())),
            _ => Err(
                "a registry is a host with an optional port, such as `registry.example:5000`"
                    .to_owned(),
            ),
        }
    }
}

impl Host {
    /// As it was typed.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The registry of `reference`, if it shall be spoken to without TLS.
pub(crate) fn plain(reference: &Reference, plain: bool) -> Option<String> {
    plain.then(|| reference.registry().to_owned())
}

/// Reads a password from standard input, a file of one line; who types it at a terminal is asked for it.
pub(crate) fn password_from_stdin(context: &Context) -> Result<String, Failure> {
    if std::io::stdin().is_terminal()
        && let Some(typed) = context.ui().ask("Password", true)?
    {
        return Ok(typed);
    }
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .or_fail("cannot read the password from standard input")?;
    let line = text.trim_end_matches('\n').trim_end_matches('\r');
    Ok(line.to_owned())
}

/// Shows a path as people type it.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The failure of `error`, with its exit code.
pub(crate) fn failure(error: ClientError) -> Failure {
    let exit = exit(&error);
    Failure::from(error).with_exit(exit)
}

/// The exit code of `error`.
pub(crate) fn exit(error: &ClientError) -> Exit {
    match error {
        ClientError::NotFound { .. }
        | ClientError::NotHere { .. }
        | ClientError::Platform { .. }
        | ClientError::Credentials(CredentialError::NotLoggedIn { .. }) => Exit::NotFound,
        ClientError::Altered { .. }
        | ClientError::Parse { .. }
        | ClientError::Nested { .. }
        | ClientError::Sprawling { .. } => Exit::Damaged,
        // What the registry keeps from being changed, such as immutable tags.
        ClientError::Refused { status: 409, .. } | ClientError::OtherDigest { .. } => Exit::Refused,
        ClientError::Store(error) => super::release::store_exit(error),
        _ => Exit::Failed,
    }
}
