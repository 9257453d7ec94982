//! A request as handlers see it.

use http::{HeaderMap, Method};
use sampan_oci::Digest;
use tokio::sync::Semaphore;

use crate::auth::Grant;
use crate::config::Config;
use crate::error::Error;
use crate::registry::Registry;
use crate::upstream::{Mirror, Proxy};
use crate::wire::name::RepositoryName;
use crate::wire::query::Query;

/// A request that is allowed.
pub(super) struct Call<'server> {
    pub(super) registry: &'server Registry,
    pub(super) config: &'server Config,
    pub(super) proxy: &'server Proxy,
    /// For large bodies in memory.
    pub(super) places: &'server Semaphore,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) query: Query,
    pub(super) grant: Grant,
}

impl Call<'_> {
    /// Whether the head of the answer is all that is wanted.
    pub(super) fn head_only(&self) -> bool {
        self.method == Method::HEAD
    }

    /// The upstream that has a repository, where it is one of those.
    pub(super) fn mirror<'call>(&'call self, name: &'call RepositoryName) -> Option<Mirror<'call>> {
        self.proxy.mirror(name, &self.headers)
    }

    /// A header as text.
    pub(super) fn header(&self, name: &http::header::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A parameter that is a digest.
    pub(super) fn digest(&self, name: &str) -> Result<Option<Digest>, Error> {
        let text = self.query.get(name);
        Ok(text.map(str::parse).transpose()?)
    }

    /// How many entries of a list are wanted.
    pub(super) fn count(&self) -> Result<Option<u32>, Error> {
        let Some(text) = self.query.get("n") else {
            return Ok(None);
        };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits {
            return Err(Error::Parameter {
                name: "n",
                value: text.to_owned(),
            });
        }
        Ok(Some(text.parse().unwrap_or(u32::MAX)))
    }
}
