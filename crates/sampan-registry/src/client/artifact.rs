//! Small things that are held in memory: artifacts such as charts, lists of tags, and plain files of HTTP servers.

use bytes::Bytes;
use http::{Method, StatusCode};
use reqwest::Url;
use sampan_oci::digest::Hasher;
use sampan_oci::{Descriptor, Digest, Reference};

use super::authorization::{Credentials, authority};
use super::config::Proxies;
use super::document::{Document, digest_of};
use super::error::ClientError;
use super::origin::Origin;
use super::repository::Repository;
use super::scope::Scopes;
use super::transport::{Call, Question};
use super::{Client, asked};

/// An artifact that was read into memory.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The digest of its manifest.
    pub digest: Digest,
    /// The manifest as it was written.
    pub manifest: Bytes,
    /// Those of its parts that were wanted, the configuration first.
    pub parts: Vec<Part>,
}

/// The configuration or a layer of an artifact.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its media type.
    pub media_type: String,
    /// Its content, verified.
    pub bytes: Bytes,
}

impl Client {
    /// Reads the parts of an artifact that have one of the media types `wanted`, of at most `limit` bytes together.
    ///
    /// # Errors
    /// When the registry cannot be reached, refuses, does not know it, or gives something else than it should or more than
    /// may be.
    pub async fn artifact(
        &self,
        reference: &Reference,
        wanted: &[&str],
        limit: u64,
    ) -> Result<Artifact, ClientError> {
        let origin = self.origin(reference)?;
        let document = origin.document(&asked(reference)).await?;
        let mut parts = Vec::new();
        let mut left = limit;
        for part in wanted_parts(&document, wanted)? {
            left = left.checked_sub(part.size()).ok_or_else(|| {
                let what = format!("more than {limit} bytes");
                malformed(reference.registry(), &reference.familiar(), &what)
            })?;
            parts.push(Part {
                media_type: part.media_type().to_string(),
                bytes: verified(&origin, &part).await?,
            });
        }
        Ok(Artifact {
            digest: document.digest,
            manifest: document.bytes,
            parts,
        })
    }

    /// The tags of a repository, in the order of its registry.
    ///
    /// # Errors
    /// When the registry cannot be reached, refuses, or does not know the repository.
    pub async fn tags(&self, repository: &Reference) -> Result<Vec<String>, ClientError> {
        let endpoint = self.connector.registry(repository.registry())?;
        let repository = Repository::readable(endpoint.into(), repository.repository());
        repository.tags().await
    }

    /// Reads a file of at most `limit` bytes from an HTTP server, with the credentials that are kept for its host.
    ///
    /// # Errors
    /// When `url` is no address, or the server cannot be reached, refuses, does not have it, or sends more than may be.
    pub async fn file(&self, url: &str, limit: usize) -> Result<Bytes, ClientError> {
        let parsed: Result<Url, _> = url.parse();
        let url = parsed
            .ok()
            .filter(Proxies::can_be)
            .ok_or_else(|| ClientError::Address {
                address: url.to_owned(),
            })?;
        let host = authority(&url);
        let credentials = Credentials::Files(self.settings().credentials.clone());
        let endpoint = self
            .connector
            .registry_at(&host, url.clone(), credentials)?;
        let call = Call::new(Method::GET, url.clone(), Scopes::default(), "");
        let response = endpoint.transport.send(&call).await?;
        if response.status() != StatusCode::OK {
            let question = Question {
                action: "to give",
                what: &format!("`{}`", url.path()),
                repository: "",
            };
            return Err(endpoint.transport.refusal(response, &question).await);
        }
        let body = endpoint.transport.body(response, limit).await?;
        body.ok_or_else(|| malformed(&host, url.path(), &format!("more than {limit} bytes")))
    }
}

fn wanted_parts(document: &Document, wanted: &[&str]) -> Result<Vec<Descriptor>, ClientError> {
    let mut blobs = document.children()?.blobs;
    // The configuration stands last there.
    if let Some(config) = blobs.pop() {
        blobs.insert(0, config);
    }
    blobs.retain(|blob| wanted.contains(&blob.media_type().to_string().as_str()));
    Ok(blobs)
}

/// The bytes of a blob, from the first place that gives the right ones.
async fn verified(origin: &Origin, blob: &Descriptor) -> Result<Bytes, ClientError> {
    let digest = digest_of(blob)?;
    let mut last = None;
    for place in origin.places() {
        match read(&place, digest, blob.size()).await {
            Ok(bytes) => return Ok(bytes),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| ClientError::NotHere {
        name: digest.to_string(),
    }))
}

async fn read(origin: &Origin, digest: Digest, size: u64) -> Result<Bytes, ClientError> {
    let mut reader = origin.blob(digest, size, 0).await?;
    let mut hasher = Hasher::new(digest.algorithm());
    let mut bytes = Vec::new();
    while let Some(chunk) = reader.chunk().await? {
        hasher.update(&chunk);
        bytes.extend_from_slice(&chunk);
    }
    let actual = hasher.finish();
    if actual == digest {
        Ok(bytes.into())
    } else {
        Err(origin.altered(digest, actual))
    }
}

fn malformed(host: &str, what: &str, answer: &str) -> ClientError {
    ClientError::Malformed {
        host: host.to_owned(),
        action: format!("the request for `{what}`"),
        what: answer.to_owned(),
    }
}
