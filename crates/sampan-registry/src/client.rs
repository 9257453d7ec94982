//! The client of all registries: what is pulled, pushed and copied, and who asks.
//!
//! Content goes from an *origin* (the content store, or a registry with its mirrors) to a *target* (the content store,
//! or a registry). One `transfer` moves only what the target lacks, each blob once and several at a time,
//! and manifests only after all that they name. So whatever breaks, the same command goes on with the rest.
//!
//! A broken download goes on by a range, also in the next call and after the program was killed; a broken upload goes on,
//! within one call, where the registry says that it stands.

mod artifact;
mod authorization;
mod blob;
mod blocking;
pub(crate) mod certificates;
mod challenge;
mod config;
mod copy;
mod credentials;
mod document;
mod endpoint;
mod error;
mod login;
mod origin;
mod platform;
mod pull;
mod push;
mod referrers;
mod remote;
mod repository;
mod request;
mod scope;
mod served;
mod transfer;
mod transport;
mod upload;
mod watch;
mod words;

use std::sync::Arc;

use sampan_oci::{Descriptor, Digest, Reference};

pub use self::artifact::{Artifact, Part};
pub use self::config::{Proxies, Registries, RegistriesError, Retry, Settings, is_loopback};
pub use self::copy::{Copied, Copy, Place};
pub use self::credentials::{Credential, CredentialError, CredentialFiles, Kept, Secret};
pub use self::error::ClientError;
pub use self::platform::{PlatformError, PlatformName, Platforms};
pub use self::remote::{Login, RemoteAddress, RemoteAddressError, RemoteSetupError};
pub use self::request::{Answer, Request};
pub use self::watch::{Arrival, Totals, Unwatched, Watch};

pub(crate) use self::remote::{Incoming, Remote, RemoteDocument, RemoteRepository};
pub(crate) use self::repository::TRAIL;
pub(crate) use self::served::Served;

use self::endpoint::Connector;
use self::origin::Origin;
use self::repository::Repository;

/// Talks to registries as the settings say; cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    connector: Connector,
}

/// What was moved, and what the name stands for now.
#[derive(Debug, Clone)]
pub struct Transferred {
    /// The manifest or index.
    pub descriptor: Descriptor,
    /// What it took.
    pub totals: Totals,
}

impl Client {
    /// A client that works as `settings` say. Opens no connection.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            connector: Connector::new(Arc::new(settings)),
        }
    }

    fn settings(&self) -> &Settings {
        self.connector.settings()
    }

    /// The mirrors of the reference's registry, and the registry itself.
    fn origin(&self, reference: &Reference) -> Result<Origin, ClientError> {
        let mirrors = self.settings().registries.mirrors.get(reference.registry());
        let mut places = Vec::new();
        for base in mirrors.into_iter().flatten() {
            let endpoint = Arc::new(self.connector.mirror(base)?);
            places.push(Repository::readable(endpoint, reference.repository()));
        }
        let endpoint = Arc::new(self.connector.registry(reference.registry())?);
        places.push(Repository::readable(endpoint, reference.repository()));
        Ok(Origin::Registry(places))
    }

    /// The reference's repository in its registry, for writing.
    fn target(&self, reference: &Reference) -> Result<Repository, ClientError> {
        let endpoint = Arc::new(self.connector.registry(reference.registry())?);
        Ok(Repository::writable(endpoint, reference.repository()))
    }
}

/// What content with this digest is put under in a registry: the tag where there is one, or else the digest.
fn put_under(reference: &Reference, digest: &Digest) -> Result<String, ClientError> {
    if let Some(other) = reference.digest().filter(|wanted| *wanted != digest) {
        return Err(ClientError::OtherDigest {
            name: reference.familiar(),
            wanted: Box::new(*other),
            actual: Box::new(*digest),
        });
    }
    Ok(reference
        .tag()
        .map_or_else(|| digest.to_string(), str::to_owned))
}

/// What a registry is asked for: the digest where there is one, or else the tag.
fn asked(reference: &Reference) -> String {
    match reference.digest() {
        Some(digest) => digest.to_string(),
        None => reference.tag().unwrap_or("latest").to_owned(),
    }
}
