//! Pieces that many answers share.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, LINK, LOCATION};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::body::Body;

pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
pub(super) const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");
pub(super) const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
pub(super) const TAG: HeaderName = HeaderName::from_static("oci-tag");
pub(super) const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");
pub(super) const CHUNK_MIN_LENGTH: HeaderName = HeaderName::from_static("oci-chunk-min-length");

/// A header of text that this server has made or checked.
pub(super) fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Something was made and lies at `location`.
pub(super) fn created(location: &str, digest: &str) -> Response<Body> {
    let mut response = empty(StatusCode::CREATED);
    let headers = response.headers_mut();
    headers.insert(LOCATION, header(location));
    headers.insert(CONTENT_DIGEST, header(digest));
    response
}

/// An answer of JSON.
pub(super) fn json(media_type: &'static str, value: &impl Serialize) -> Response<Body> {
    let bytes = serde_json::to_vec(value).expect("answers have a JSON form");
    let mut response = Response::new(Body::bytes(bytes));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// The headers of content that never changes.
pub(super) fn content(headers: &mut HeaderMap, media_type: &str, digest: &str) {
    headers.insert(CONTENT_TYPE, header(media_type));
    headers.insert(CONTENT_DIGEST, header(digest));
    headers.insert(ETAG, header(&format!("\"{digest}\"")));
}

/// The length of a body that is not sent.
pub(super) fn length(headers: &mut HeaderMap, size_bytes: u64) {
    headers.insert(CONTENT_LENGTH, HeaderValue::from(size_bytes));
}

/// Whether the client has that content already (`If-None-Match`).
pub(super) fn unchanged(headers: &HeaderMap, digest: &str) -> bool {
    let mut tags = headers
        .get_all(http::header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim);
    tags.any(|tag| {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || tag.trim_matches('"') == digest
    })
}

/// Which bytes of an upload are there. There is no way to write none.
pub(super) fn uploaded(length_bytes: u64) -> String {
    format!("0-{}", length_bytes.saturating_sub(1))
}

/// Where a list goes on (RFC 8288).
pub(super) fn next(headers: &mut HeaderMap, target: &str) {
    headers.insert(LINK, header(&format!("<{target}>; rel=\"next\"")));
}
