//! One repository at one endpoint, in the words of the OCI distribution specification.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, LINK, RANGE};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use reqwest::{Response, Url};
use sampan_oci::digest::Hasher;
use sampan_oci::image::DOCUMENT_LIMIT_BYTES;
use sampan_oci::reference::is_tag;
use sampan_oci::{Descriptor, Digest, ImageIndex};
use serde::Deserialize;

use super::document::{ACCEPTED, Document};
use super::endpoint::Endpoint;
use super::error::ClientError;
use super::scope::Scopes;
use super::transport::{Call, Question};

pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
/// By way of which servers a request comes that fetch from each other.
pub(crate) const TRAIL: HeaderName = HeaderName::from_static("sampan-trail");
const FILTERS: HeaderName = HeaderName::from_static("oci-filters-applied");

/// The longest list of names that is read at once, in bytes.
const LIST_LIMIT_BYTES: usize = 16 << 20;

/// The longest list that is read, in entries. No registry that is looked after comes near it.
const LIST_LIMIT: usize = 200_000;

/// How many tags are asked for at once.
const PAGE: usize = 1000;

/// A repository that content is read from or written to.
#[derive(Debug, Clone)]
pub(super) struct Repository {
    pub(super) endpoint: Arc<Endpoint>,
    /// The name at the endpoint.
    pub(super) name: String,
    pub(super) scopes: Scopes,
    /// By way of which servers requests come, where it is one that asks.
    pub(super) trail: Option<HeaderValue>,
}

impl Repository {
    /// For reading.
    pub(super) fn readable(endpoint: Arc<Endpoint>, name: &str) -> Self {
        let name = endpoint.repository(name);
        Self {
            endpoint,
            scopes: Scopes::pull(&name),
            name,
            trail: None,
        }
    }

    /// For reading and writing.
    pub(super) fn writable(endpoint: Arc<Endpoint>, name: &str) -> Self {
        let scopes = Scopes::push(name);
        Self {
            scopes,
            ..Self::readable(endpoint, name)
        }
    }

    pub(super) fn host(&self) -> &str {
        &self.endpoint.transport.host
    }

    pub(super) fn url(&self, path: &str) -> Url {
        self.endpoint.url(&format!("{}/{path}", self.name))
    }

    pub(super) fn call(&self, method: Method, url: Url) -> Call {
        let mut call = Call::new(method, url, self.scopes.clone(), &self.name);
        if let Some(trail) = &self.trail {
            call.headers.insert(TRAIL, trail.clone());
        }
        call
    }

    pub(super) async fn send(&self, call: &Call) -> Result<Response, ClientError> {
        self.endpoint.transport.send(call).await
    }

    pub(super) async fn refusal(
        &self,
        response: Response,
        action: &str,
        what: &str,
    ) -> ClientError {
        let question = Question {
            action,
            what,
            repository: &self.name,
        };
        self.endpoint.transport.refusal(response, &question).await
    }

    /// The same for something that was to be pushed: who does not find where it shall go does not speak of it.
    pub(super) async fn refusal_of_push(&self, response: Response, what: &str) -> ClientError {
        match self.refusal(response, "to push", what).await {
            ClientError::NotFound {
                host,
                what,
                message,
            } => ClientError::Refused {
                host,
                action: format!("to push {what}"),
                status: StatusCode::NOT_FOUND.as_u16(),
                message,
            },
            error => error,
        }
    }

    /// How people call a manifest here.
    pub(super) fn shown(&self, reference: &str) -> String {
        let separator = if reference.contains(':') { '@' } else { ':' };
        format!("`{}{separator}{reference}`", self.name)
    }

    /// The manifest that `reference`, a tag or a digest, names; verified.
    pub(super) async fn manifest(&self, reference: &str) -> Result<Document, ClientError> {
        let what = self.shown(reference);
        let url = self.url(&format!("manifests/{reference}"));
        let call = self.call(Method::GET, url).header(ACCEPT, ACCEPTED);
        let response = self.send(&call).await?;
        if response.status() != StatusCode::OK {
            return Err(self.refusal(response, "to pull", &what).await);
        }
        let content_type = text(&response, &CONTENT_TYPE);
        let said = text(&response, &CONTENT_DIGEST).and_then(|text| text.parse::<Digest>().ok());
        let limit = usize::try_from(DOCUMENT_LIMIT_BYTES).unwrap_or(usize::MAX);
        let body = self.endpoint.transport.body(response, limit).await?;
        let bytes = body.ok_or_else(|| self.malformed(&what, "more than a manifest may have"))?;
        let asked = reference.parse::<Digest>().ok();
        // What was asked for is what must come; what the registry says of its answer must be true as well.
        for expected in [asked, said].into_iter().flatten() {
            self.verify(&bytes, expected)?;
        }
        let digest = asked.or(said).unwrap_or_else(|| Digest::of_bytes(&bytes));
        Document::new(&what, digest, content_type.as_deref(), bytes)
    }

    fn verify(&self, bytes: &[u8], expected: Digest) -> Result<(), ClientError> {
        let mut hasher = Hasher::new(expected.algorithm());
        hasher.update(bytes);
        let actual = hasher.finish();
        if actual == expected {
            return Ok(());
        }
        Err(ClientError::Altered {
            host: self.host().to_owned(),
            expected: Box::new(expected),
            actual: Box::new(actual),
        })
    }

    fn malformed(&self, action: &str, what: &str) -> ClientError {
        ClientError::Malformed {
            host: self.host().to_owned(),
            action: action.to_owned(),
            what: what.to_owned(),
        }
    }

    /// Whether the registry has the manifest, as far as it says.
    pub(super) async fn has_manifest(&self, digest: &Digest) -> Result<bool, ClientError> {
        let url = self.url(&format!("manifests/{digest}"));
        let call = self.call(Method::HEAD, url).header(ACCEPT, ACCEPTED);
        Ok(self.send(&call).await?.status() == StatusCode::OK)
    }

    /// Puts a manifest under a tag or its digest. Says whether the registry itself keeps the list of referrers.
    pub(super) async fn put_manifest(
        &self,
        reference: &str,
        document: &Document,
    ) -> Result<bool, ClientError> {
        let url = self.url(&format!("manifests/{reference}"));
        let call = self
            .call(Method::PUT, url)
            .header(CONTENT_TYPE, document.media_type.as_ref())
            .body(document.bytes.clone());
        let response = self.send(&call).await?;
        if !response.status().is_success() {
            return Err(self.refusal_of_push(response, &self.shown(reference)).await);
        }
        let said = text(&response, &CONTENT_DIGEST).and_then(|text| text.parse::<Digest>().ok());
        if let Some(actual) = said.filter(|said| said.algorithm() == document.digest.algorithm())
            && actual != document.digest
        {
            return Err(ClientError::Altered {
                host: self.host().to_owned(),
                expected: Box::new(document.digest),
                actual: Box::new(actual),
            });
        }
        Ok(response.headers().contains_key(SUBJECT))
    }

    /// The size of a blob that the registry has, in bytes.
    pub(super) async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, ClientError> {
        let call = self.call(Method::HEAD, self.url(&format!("blobs/{digest}")));
        let response = self.send(&call).await?;
        match response.status() {
            StatusCode::OK => {
                let length = text(&response, &CONTENT_LENGTH).and_then(|text| text.parse().ok());
                Ok(Some(length.unwrap_or_default()))
            }
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self
                .refusal(response, "to look for", &self.shown(&digest.to_string()))
                .await),
        }
    }

    /// The bytes of a blob from `offset` on. A registry may give all of it all the same (200 instead of 206).
    pub(super) async fn blob(&self, digest: &Digest, offset: u64) -> Result<Response, ClientError> {
        let mut call = self.call(Method::GET, self.url(&format!("blobs/{digest}")));
        if offset > 0 {
            call = call.header(RANGE, &format!("bytes={offset}-"));
        }
        let response = self.send(&call).await?;
        match response.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => Ok(response),
            _ => Err(self
                .refusal(response, "to pull", &self.shown(&digest.to_string()))
                .await),
        }
    }

    /// All tags, in the registry's order.
    pub(super) async fn tags(&self) -> Result<Vec<String>, ClientError> {
        #[derive(Deserialize)]
        struct Page {
            tags: Option<Vec<String>>,
        }
        let what = format!("the repository `{}`", self.name);
        let mut url = self.url("tags/list");
        url.set_query(Some(&format!("n={PAGE}")));
        let mut pages = Pages::of(&url);
        let mut found: Vec<String> = Vec::new();
        loop {
            let (bytes, next) = self.page(url, &what).await?;
            let page: Page = serde_json::from_slice(&bytes)
                .map_err(|_| self.malformed("the list of tags", "something else"))?;
            let tags = page.tags.unwrap_or_default();
            // Tags become parts of addresses and names elsewhere, where another text could mean another repository.
            if !tags.iter().all(|tag| is_tag(tag)) {
                return Err(self.malformed("the list of tags", "something that is no tag"));
            }
            let more = !tags.is_empty();
            found.extend(tags);
            match next.filter(|_| more) {
                Some(next) => url = pages.turn(next, found.len(), self)?,
                None => return Ok(found),
            }
        }
    }

    async fn page(&self, url: Url, what: &str) -> Result<(Bytes, Option<Url>), ClientError> {
        let response = self.send(&self.call(Method::GET, url)).await?;
        if response.status() != StatusCode::OK {
            return Err(self.refusal(response, "to list", what).await);
        }
        let next = next_page(&response);
        let body = self
            .endpoint
            .transport
            .body(response, LIST_LIMIT_BYTES)
            .await?;
        let bytes = body.ok_or_else(|| self.malformed(what, "a list without end"))?;
        Ok((bytes, next))
    }

    /// What refers to `subject`: by the API, or by the tag that stands in where a registry has none.
    pub(super) async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, ClientError> {
        let mut url = self.url(&format!("referrers/{subject}"));
        let mut pages = Pages::of(&url);
        let mut found = Vec::new();
        loop {
            let response = self.send(&self.call(Method::GET, url)).await?;
            match response.status() {
                StatusCode::OK => {}
                StatusCode::NOT_FOUND if found.is_empty() => {
                    return self.listed_referrers(subject).await;
                }
                _ => return Err(self.refusal(response, "to list", "the referrers").await),
            }
            tracing::debug!(filters = ?response.headers().get(FILTERS), "read a page of referrers");
            let next = next_page(&response);
            let body = self
                .endpoint
                .transport
                .body(response, LIST_LIMIT_BYTES)
                .await?;
            let index: ImageIndex = serde_json::from_slice(&body.unwrap_or_default())
                .map_err(|_| self.malformed("the list of referrers", "something else"))?;
            let before = found.len();
            found.extend(index.manifests().iter().cloned());
            match next {
                Some(next) if found.len() > before => url = pages.turn(next, found.len(), self)?,
                _ => return Ok(found),
            }
        }
    }

    /// What the stand-in tag lists; nothing when there is none.
    pub(super) async fn listed_referrers(
        &self,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, ClientError> {
        match self.manifest(&referrers_tag(subject)).await {
            Ok(document) if document.is_index() => Ok(document.index()?.manifests().clone()),
            Ok(_) | Err(ClientError::NotFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// The pages of one list that were read.
struct Pages(HashSet<Url>);

impl Pages {
    fn of(first: &Url) -> Self {
        Self(HashSet::from([first.clone()]))
    }

    /// Goes on to `next`, unless the list has no end.
    fn turn(&mut self, next: Url, found: usize, list: &Repository) -> Result<Url, ClientError> {
        if found > LIST_LIMIT || !self.0.insert(next.clone()) {
            return Err(list.malformed("a request for a list", "pages without end"));
        }
        Ok(next)
    }
}

/// The tag that lists what refers to `subject` (distribution specification, "Referrers Tag Schema").
pub(super) fn referrers_tag(subject: &Digest) -> String {
    format!("{}-{}", subject.algorithm().name(), subject.hex())
}

/// The value of a header as text.
pub(super) fn text(response: &Response, name: &HeaderName) -> Option<String> {
    let value = response.headers().get(name)?;
    value.to_str().ok().map(str::to_owned)
}

/// Where a list goes on (RFC 8288): never at another place than where it began.
fn next_page(response: &Response) -> Option<Url> {
    let link = text(response, &LINK)?;
    let (address, relation) = link.strip_prefix('<')?.split_once('>')?;
    if !relation.contains("next") {
        return None;
    }
    let next = response.url().join(address).ok()?;
    let mut url = response.url().clone();
    url.set_path(next.path());
    url.set_query(next.query());
    (next.host_str() == response.url().host_str()).then_some(url)
}
