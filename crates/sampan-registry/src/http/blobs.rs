//! `/v2/<name>/blobs/<digest>`.

use http::header::{ACCEPT_RANGES, CONTENT_RANGE, IF_RANGE, RANGE};
use http::{HeaderValue, Method, Response, StatusCode};
use sampan_oci::Digest;

use super::body::Body;
use super::call::Call;
use super::render;
use crate::error::Error;
use crate::upstream::Content;
use crate::wire::name::RepositoryName;
use crate::wire::range::{self, Wanted};

const OCTETS: &str = "application/octet-stream";

/// Answers a request about a blob.
pub(super) async fn answer(
    call: &Call<'_>,
    repository: &RepositoryName,
    digest: &str,
) -> Result<Response<Body>, Error> {
    if call.method == Method::DELETE {
        let digest = digest.parse()?;
        let actor = call.grant.actor.to_string();
        call.registry
            .delete_blob(repository, &digest, &actor)
            .await?;
        return Ok(render::empty(StatusCode::ACCEPTED));
    }
    let digest = digest.parse()?;
    if call.head_only() {
        head(call, repository, &digest).await
    } else {
        get(call, repository, &digest).await
    }
}

async fn head(
    call: &Call<'_>,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Response<Body>, Error> {
    let size_bytes = match call.mirror(repository) {
        Some(mirror) => mirror.blob_size(digest).await?,
        None => call.registry.blob_size(repository, digest).await?,
    };
    let mut response = described(digest, StatusCode::OK, Body::empty());
    render::length(response.headers_mut(), size_bytes);
    Ok(response)
}

async fn get(
    call: &Call<'_>,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Response<Body>, Error> {
    let header = wanted_range(call, digest);
    let content = match call.mirror(repository) {
        // A part of a blob would be complete before the blob has been verified.
        Some(mirror) => mirror.blob(digest, header.is_none()).await?,
        None => Content::Stored(call.registry.blob(repository, digest).await?),
    };
    if render::unchanged(&call.headers, &digest.to_string()) {
        let status = StatusCode::NOT_MODIFIED;
        return Ok(described(digest, status, Body::empty()));
    }
    let stored = match content {
        Content::Stored(stored) => stored,
        Content::Coming(growing) => {
            return Ok(described(digest, StatusCode::OK, Body::growing(growing)));
        }
    };
    let size_bytes = stored.size_bytes;
    match header.map_or(Wanted::Whole, |header| range::wanted(header, size_bytes)) {
        Wanted::Whole => {
            let body = Body::blob(call.registry.read(stored, 0..size_bytes).await?);
            Ok(described(digest, StatusCode::OK, body))
        }
        Wanted::Part(part) => {
            let place = format!("bytes {}-{}/{size_bytes}", part.start, part.end - 1);
            let body = Body::blob(call.registry.read(stored, part).await?);
            let mut response = described(digest, StatusCode::PARTIAL_CONTENT, body);
            let headers = response.headers_mut();
            headers.insert(CONTENT_RANGE, render::header(&place));
            Ok(response)
        }
        Wanted::Unsatisfiable => Err(Error::RangeNotSatisfiable {
            range: header.unwrap_or_default().to_owned(),
            size_bytes,
        }),
    }
}

/// The range that is wanted, unless it was wanted of something else (RFC 9110, section 13.1.5).
fn wanted_range<'call>(call: &'call Call<'_>, digest: &Digest) -> Option<&'call str> {
    let range = call.header(&RANGE)?;
    match call.header(&IF_RANGE) {
        Some(tag) if tag != format!("\"{digest}\"") => None,
        _ => Some(range),
    }
}

fn described(digest: &Digest, status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    render::content(headers, OCTETS, &digest.to_string());
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}
