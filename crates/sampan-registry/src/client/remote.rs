//! One registry as the server of another one sees it: for years instead of for one command, and repository by
//! repository, as its own clients ask.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_RANGE};
use http::{HeaderValue, Method, StatusCode};
use reqwest::Url;
use sampan_model::Hint;
use sampan_oci::{Descriptor, Digest, reference};
use serde::{Deserialize, Deserializer};

use super::Client;
use super::authorization::{Credentials, authority};
use super::blob::RemoteBlob;
use super::credentials::Secret;
use super::document::ACCEPTED;
use super::endpoint::Endpoint;
use super::error::ClientError;
use super::repository::{CONTENT_DIGEST, Repository, text};

/// The names of Docker's registry, where images of one word belong to `library`.
const DOCKER_HUB: [&str; 3] = ["docker.io", "registry-1.docker.io", "index.docker.io"];

/// Where a registry is, or a part of it: `registry.site:5000/mirror`, with `http://` or `https://` before it or without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteAddress {
    host: String,
    /// Without path; absent where it is left to the client how to speak to the host.
    url: Option<Url>,
    /// What all repositories there begin with.
    path: String,
}

/// A text that does not say where a registry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the address of a registry is expected, such as `https://registry.site:5000` or `docker.io`"
)]
pub struct RemoteAddressError;

/// A name, and where its password is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Login {
    /// The name.
    pub username: String,
    /// A file with the password alone, relative to the data folder.
    pub password_file: PathBuf,
}

/// Why a registry cannot be asked at all.
#[derive(Debug, thiserror::Error)]
pub enum RemoteSetupError {
    /// The file with the password cannot be read.
    #[error("cannot read the password in `{}`", path.display())]
    Password {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// There is no way to connect to it.
    #[error("cannot prepare connections to `{address}`")]
    Connection {
        /// The address of the registry.
        address: String,
        /// Why not.
        #[source]
        source: Box<ClientError>,
    },
}

/// A registry that is asked again and again.
#[derive(Debug, Clone)]
pub(crate) struct Remote(Arc<Endpoint>);

/// One of its repositories.
#[derive(Debug, Clone)]
pub(crate) struct RemoteRepository(Repository);

/// A manifest with the digest that it was verified to have.
#[derive(Debug)]
pub(crate) struct RemoteDocument {
    pub(crate) digest: Digest,
    pub(crate) media_type: String,
    pub(crate) bytes: Bytes,
}

/// A blob that is on its way.
#[derive(Debug)]
pub(crate) struct Incoming {
    blob: RemoteBlob,
    /// The size of all of it.
    pub(crate) size_bytes: u64,
}

impl RemoteAddress {
    /// The host, with its port if it has one of its own.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The name there of what is `name` elsewhere.
    pub(crate) fn repository(&self, name: &str) -> String {
        if !self.path.is_empty() {
            return format!("{}/{name}", self.path);
        }
        if self.host == DOCKER_HUB[0] && !name.contains('/') {
            return format!("library/{name}");
        }
        name.to_owned()
    }
}

impl FromStr for RemoteAddress {
    type Err = RemoteAddressError;

    fn from_str(text: &str) -> Result<Self, RemoteAddressError> {
        let is_full = text.contains("://");
        let full = if is_full {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let mut url: Url = full.parse().map_err(|_| RemoteAddressError)?;
        // Names and passwords would be shown wherever the address is.
        let is_bare = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let path = url.path().trim_matches('/').to_owned();
        let fits = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && is_bare
            && (path.is_empty() || reference::is_repository(&path));
        if !fits {
            return Err(RemoteAddressError);
        }
        url.set_path("");
        let host = if is_full {
            authority(&url)
        } else {
            text.split('/').next().unwrap_or_default().to_owned()
        };
        // Credentials are kept for one of its names, and the client knows where it is.
        let is_docker_hub = DOCKER_HUB.contains(&host.as_str());
        Ok(Self {
            url: (is_full && !is_docker_hub).then_some(url),
            host: if is_docker_hub {
                DOCKER_HUB[0].to_owned()
            } else {
                host
            },
            path,
        })
    }
}

impl fmt::Display for RemoteAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.host)?;
        if self.path.is_empty() {
            return Ok(());
        }
        write!(formatter, "/{}", self.path)
    }
}

impl<'de> Deserialize<'de> for RemoteAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Login {
    /// Reads the password; the end of its line does not belong to it.
    fn password(&self, data: &Path) -> Result<Secret, RemoteSetupError> {
        let path = data.join(&self.password_file);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Secret::new(text.trim_end_matches(['\r', '\n']))),
            Err(source) => Err(RemoteSetupError::Password { path, source }),
        }
    }
}

impl Hint for RemoteSetupError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Password { .. } => Some(
                "the path is relative to the data folder; the file has the password alone"
                    .to_owned(),
            ),
            Self::Connection { source, .. } => source.hint(),
        }
    }
}

impl Client {
    /// The registry at an address. It is asked in this name, or in that which the files of credentials have for it.
    pub(crate) fn remote(
        &self,
        address: &RemoteAddress,
        login: Option<&Login>,
        data: &Path,
    ) -> Result<Remote, RemoteSetupError> {
        let credentials = match login {
            Some(login) => Credentials::typed(&login.username, &login.password(data)?),
            None => Credentials::Files(self.settings().credentials.clone()),
        };
        let endpoint = match &address.url {
            Some(url) => self
                .connector
                .registry_at(&address.host, url.clone(), credentials),
            None => self.connector.registry_as(&address.host, credentials),
        };
        let endpoint = endpoint.map_err(|source| RemoteSetupError::Connection {
            address: address.to_string(),
            source: Box::new(source),
        })?;
        Ok(Remote(Arc::new(endpoint)))
    }
}

impl Remote {
    /// A repository by its name there, to be read. `trail` tells by way of which servers the question comes.
    pub(crate) fn repository(&self, name: &str, trail: HeaderValue) -> RemoteRepository {
        let mut repository = Repository::readable(Arc::clone(&self.0), name);
        repository.trail = Some(trail);
        RemoteRepository(repository)
    }

    /// A repository by its name there, to be written.
    pub(crate) fn writable(&self, name: &str) -> RemoteRepository {
        RemoteRepository(Repository::writable(Arc::clone(&self.0), name))
    }
}

impl RemoteRepository {
    /// The same for the rest of the client.
    pub(super) fn inner(&self) -> &Repository {
        &self.0
    }

    /// Deletes a tag or a manifest.
    pub(crate) async fn delete(&self, reference: &str) -> Result<(), ClientError> {
        let url = self.0.url(&format!("manifests/{reference}"));
        let response = self.0.send(&self.0.call(Method::DELETE, url)).await?;
        if response.status().is_success() {
            return Ok(());
        }
        let shown = self.0.shown(reference);
        Err(self.0.refusal(response, "to delete", &shown).await)
    }

    /// The manifest that a tag or digest names.
    pub(crate) async fn document(&self, reference: &str) -> Result<RemoteDocument, ClientError> {
        let document = self.0.manifest(reference).await?;
        Ok(RemoteDocument {
            digest: document.digest,
            media_type: document.media_type.to_string(),
            bytes: document.bytes,
        })
    }

    /// Where a tag points, without fetching it; nothing when the registry does not say.
    pub(crate) async fn target(&self, tag: &str) -> Result<Option<Digest>, ClientError> {
        let url = self.0.url(&format!("manifests/{tag}"));
        let call = self.0.call(Method::HEAD, url).header(ACCEPT, ACCEPTED);
        let response = self.0.send(&call).await?;
        if response.status() != StatusCode::OK {
            let shown = self.0.shown(tag);
            return Err(self.0.refusal(response, "to look for", &shown).await);
        }
        let said = text(&response, &CONTENT_DIGEST);
        Ok(said.and_then(|text| text.parse().ok()))
    }

    /// The size of a blob; nothing when the registry does not have it.
    pub(crate) async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, ClientError> {
        self.0.blob_size(digest).await
    }

    /// Begins to fetch a blob.
    pub(crate) async fn blob(&self, digest: &Digest) -> Result<Incoming, ClientError> {
        let response = self.0.blob(digest, 0).await?;
        let size_bytes = match response.content_length() {
            Some(length) if !response.headers().contains_key(CONTENT_RANGE) => length,
            _ => {
                return Err(ClientError::Malformed {
                    host: self.0.host().to_owned(),
                    action: format!("the request for `{digest}`"),
                    what: "something of unknown length".to_owned(),
                });
            }
        };
        let blob = RemoteBlob::begun(self.0.clone(), *digest, size_bytes, response);
        Ok(Incoming { blob, size_bytes })
    }

    /// Goes on to fetch a blob of which the first `offset` bytes have come.
    pub(crate) async fn rest(
        &self,
        digest: &Digest,
        size_bytes: u64,
        offset: u64,
    ) -> Result<Incoming, ClientError> {
        let blob = RemoteBlob::open(self.0.clone(), *digest, size_bytes, offset).await?;
        Ok(Incoming { blob, size_bytes })
    }

    /// All tags, in the registry's order.
    pub(crate) async fn tags(&self) -> Result<Vec<String>, ClientError> {
        self.0.tags().await
    }

    /// What refers to `subject`.
    pub(crate) async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, ClientError> {
        self.0.referrers(subject).await
    }
}

impl Incoming {
    /// The next bytes; none when all have come.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, ClientError> {
        self.blob.chunk().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_names_or_urls() {
        for (text, shown, image) in [
            ("docker.io", "docker.io", "library/debian"),
            (
                "https://registry-1.docker.io",
                "docker.io",
                "library/debian",
            ),
            ("registry.site:5000", "registry.site:5000", "debian"),
            (
                "http://registry.site/mirror/",
                "registry.site/mirror",
                "mirror/debian",
            ),
            ("ghcr.io/acme", "ghcr.io/acme", "acme/debian"),
        ] {
            let address: RemoteAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(address.repository("debian"), image);
        }
        for text in [
            "",
            "ftp://a",
            "https://berta:secret@a",
            "https://a/B",
            "a b",
            "https://a?b=c",
        ] {
            assert!(text.parse::<RemoteAddress>().is_err(), "{text}");
        }
    }
}
