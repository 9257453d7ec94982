//! Lists: repositories, tags, referrers.

use http::{HeaderValue, Response};
use sampan_store::registry::ReferrerRow;
use serde::Serialize;
use serde_json::Value;

use super::body::Body;
use super::call::Call;
use super::render;
use crate::error::Error;
use crate::storage::blocking;
use crate::wire::name::RepositoryName;
use crate::wire::query;

const JSON: &str = "application/json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

#[derive(Serialize)]
struct Catalog {
    repositories: Vec<String>,
}

#[derive(Serialize)]
struct Tags<'call> {
    name: &'call str,
    tags: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u32,
    media_type: &'static str,
    manifests: Vec<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Value>,
}

/// `/v2/_catalog`.
pub(super) async fn catalog(call: &Call<'_>) -> Result<Response<Body>, Error> {
    let limit = call.registry.page_limit(call.count()?);
    let after = call.query.get("last");
    let page = call.registry.repositories(after, limit).await?;
    let next = page.entries.last().filter(|_| page.more).map(|last| {
        let last = query::encode(last);
        format!("/v2/_catalog?last={last}&n={limit}")
    });
    let repositories = page.entries;
    let mut response = render::json(JSON, &Catalog { repositories });
    if let Some(next) = next {
        render::next(response.headers_mut(), &next);
    }
    Ok(response)
}

/// `/v2/<name>/tags/list`.
pub(super) async fn tags(
    call: &Call<'_>,
    repository: &RepositoryName,
) -> Result<Response<Body>, Error> {
    let limit = call.registry.page_limit(call.count()?);
    let after = call.query.get("last");
    let page = match call.mirror(repository) {
        Some(mirror) => mirror.tags(after, limit).await?,
        None => call.registry.tags(repository, after, limit).await?,
    };
    let next = page.entries.last().filter(|_| page.more).map(|last| {
        let last = query::encode(last);
        format!("/v2/{repository}/tags/list?last={last}&n={limit}")
    });
    let tags = Tags {
        name: repository.as_str(),
        tags: page.entries,
    };
    let mut response = render::json(JSON, &tags);
    if let Some(next) = next {
        render::next(response.headers_mut(), &next);
    }
    Ok(response)
}

/// `/v2/<name>/referrers/<digest>`. A repository that does not exist has none.
pub(super) async fn referrers(
    call: &Call<'_>,
    repository: &RepositoryName,
    subject: &str,
) -> Result<Response<Body>, Error> {
    let subject = subject.parse()?;
    let artifact_type = call.query.get("artifactType");
    let limit = call.registry.page_limit(call.count()?).max(1);
    let after = call.query.get("last");
    let page = if let Some(mirror) = call.mirror(repository) {
        let list = mirror.referrers(&subject, artifact_type, after, limit);
        list.await?
    } else {
        let list = call
            .registry
            .referrers(repository, &subject, artifact_type, after, limit);
        list.await?
    };
    let next = page.entries.last().filter(|_| page.more).map(|last| {
        let filter = artifact_type.map_or_else(String::new, |name| {
            format!("&artifactType={}", query::encode(name))
        });
        let last = &last.digest;
        format!("/v2/{repository}/referrers/{subject}?last={last}&n={limit}{filter}")
    });
    let entries = page.entries;
    let index = move || Index {
        schema_version: 2,
        media_type: INDEX,
        manifests: entries.into_iter().map(descriptor).collect(),
    };
    // Annotations can be megabytes.
    let mut response = blocking(move || render::json(INDEX, &index())).await;
    let headers = response.headers_mut();
    if artifact_type.is_some() {
        let applied = HeaderValue::from_static("artifactType");
        headers.insert(render::FILTERS_APPLIED, applied);
    }
    if let Some(next) = next {
        render::next(headers, &next);
    }
    Ok(response)
}

fn descriptor(row: ReferrerRow) -> Descriptor {
    Descriptor {
        media_type: row.media_type,
        digest: row.digest,
        size: row.size_bytes,
        artifact_type: row.artifact_type,
        // The ledger keeps what a push has written as JSON.
        annotations: row
            .annotations
            .and_then(|text| serde_json::from_str(&text).ok()),
    }
}
