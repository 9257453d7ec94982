//! Reading objects: one, or a list with selectors and pages.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sampan_store::objects::{Key, PageRequest, Revision, Row, Selector};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FieldSelector, LabelSelector, Objects, convert, metadata};
use crate::error::Error;
use crate::resources::Resource;

/// How many rows are read from the store at once when a limit is asked for: some may not match the selectors.
const CHUNK: u32 = 500;

/// What is asked of a list.
#[derive(Debug, Clone, Default)]
pub struct ListRequest {
    /// One namespace, or all.
    pub namespace: Option<String>,
    /// Only objects with these labels.
    pub labels: LabelSelector,
    /// Only objects with these fields.
    pub fields: FieldSelector,
    /// How many objects at most.
    pub limit: Option<u32>,
    /// Where the page before ended.
    pub continue_token: Option<String>,
    /// The revision at which the list is to be taken; the newest when absent.
    pub at: Option<Revision>,
}

/// A list of objects, or a page of one.
#[derive(Debug, Clone)]
pub struct List {
    /// The objects, by namespace and name.
    pub items: Vec<Value>,
    /// The revision of the list; a watch from there misses nothing.
    pub revision: Revision,
    /// How to ask for the next page, `None` at the end.
    pub continue_token: Option<String>,
}

/// Where a page ended: what a continue token says.
#[derive(Debug, Serialize, Deserialize)]
struct Position {
    revision: i64,
    namespace: String,
    name: String,
}

impl Position {
    fn encode(&self) -> Result<String, Error> {
        serde_json::to_vec(self)
            .map(|bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes))
            .map_err(|error| Error::Internal(error.to_string()))
    }

    fn decode(token: &str) -> Result<Self, Error> {
        BASE64_URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| Error::BadRequest("continue key is not valid".to_owned()))
    }
}

impl Objects {
    /// The object of this name.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get_value(
        &self,
        resource: &'static Resource,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Value, Error> {
        self.read(resource, namespace, name)
            .await
            .map(|(value, _)| value)
    }

    /// The object of this name with its revision.
    pub(super) async fn read(
        &self,
        resource: &'static Resource,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<(Value, Revision), Error> {
        let row = self
            .inner
            .rows
            .get(&key(resource, namespace, name))
            .await
            .map_err(Error::Store)?
            .ok_or_else(|| Error::NotFound {
                resource,
                name: name.to_owned(),
            })?;
        let revision = row.revision;
        decode(&row, resource).map(|value| (value, revision))
    }

    /// The objects of a resource that the request asks for.
    ///
    /// # Errors
    /// [`Error::Expired`] when a page is asked for too late.
    pub async fn list_values(
        &self,
        resource: &'static Resource,
        request: &ListRequest,
    ) -> Result<List, Error> {
        let selector = selector(resource, request.namespace.clone());
        let start = request
            .continue_token
            .as_deref()
            .map(Position::decode)
            .transpose()?;
        let mut page = PageRequest {
            at: start
                .as_ref()
                .map_or(request.at, |start| Some(Revision(start.revision))),
            after: start.map(|start| (start.namespace, start.name)),
            limit: request.limit.map(|_| CHUNK),
        };
        let limit = request.limit.map_or(usize::MAX, |limit| limit as usize);
        let mut items = Vec::new();
        let mut last = None;
        loop {
            let chunk = self
                .inner
                .rows
                .page(&selector, &page)
                .await
                .map_err(expired)?;
            page.at = Some(chunk.revision);
            page.after = chunk
                .rows
                .last()
                .map(|row| (row.key.namespace.clone(), row.key.name.clone()));
            for row in chunk.rows {
                let value = decode(&row, resource)?;
                if !(request.labels.matches(&value) && request.fields.matches(&value)) {
                    continue;
                }
                if items.len() == limit {
                    // One more matches than fits: the next page starts after the last that did fit.
                    return finish(items, chunk.revision, last);
                }
                items.push(value);
                last = Some((row.key.namespace, row.key.name));
            }
            if !chunk.more {
                return finish(items, chunk.revision, None);
            }
        }
    }

    /// The newest revision.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn revision(&self) -> Result<Revision, Error> {
        self.inner.rows.revision().await.map_err(Error::Store)
    }

    /// Follows the changes of a resource after a revision.
    ///
    /// # Errors
    /// [`Error::Expired`] when the history does not reach back that far.
    pub async fn watch_rows(
        &self,
        resource: &'static Resource,
        namespace: Option<String>,
        since: Revision,
    ) -> Result<sampan_store::objects::Watch, Error> {
        self.inner
            .rows
            .watch(since, Some(selector(resource, namespace)))
            .await
            .map_err(expired)
    }
}

fn finish(
    items: Vec<Value>,
    revision: Revision,
    last: Option<(String, String)>,
) -> Result<List, Error> {
    let continue_token = last
        .map(|(namespace, name)| {
            Position {
                revision: revision.0,
                namespace,
                name,
            }
            .encode()
        })
        .transpose()?;
    Ok(List {
        items,
        revision,
        continue_token,
    })
}

/// What a missing history means to a client.
pub(crate) fn expired(error: sampan_store::Error) -> Error {
    match error {
        sampan_store::Error::Gone { asked, oldest } => {
            Error::Expired(format!("too old resource version: {asked} ({oldest})"))
        }
        error => Error::Store(error),
    }
}

pub(super) fn key(resource: &Resource, namespace: Option<&str>, name: &str) -> Key {
    Key {
        group: resource.stored_group.to_owned(),
        resource: resource.plural.to_owned(),
        namespace: namespace.unwrap_or_default().to_owned(),
        name: name.to_owned(),
    }
}

fn selector(resource: &Resource, namespace: Option<String>) -> Selector {
    Selector {
        group: resource.stored_group.to_owned(),
        resource: resource.plural.to_owned(),
        namespace,
    }
}

/// The object in a row, with its revision.
///
/// # Errors
/// When the row does not hold JSON.
pub(crate) fn decode(row: &Row, resource: &'static Resource) -> Result<Value, Error> {
    decode_body(&row.body, row.revision, resource)
}

/// The object in a body, at a revision.
///
/// # Errors
/// When the body is not JSON.
pub(crate) fn decode_body(
    body: &str,
    revision: Revision,
    resource: &'static Resource,
) -> Result<Value, Error> {
    let mut value: Value = serde_json::from_str(body).map_err(|source| Error::Shape {
        kind: resource.kind,
        source,
    })?;
    metadata::set_revision(&mut value, revision);
    convert::from_stored(resource, &mut value);
    Ok(value)
}
