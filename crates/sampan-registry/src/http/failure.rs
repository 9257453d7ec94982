//! Errors as the specification wants them: a status, and a body of JSON with a code.
//!
//! Source: OCI distribution specification, "Error Codes".

use http::header::{ALLOW, CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use sampan_model::Causes;
use sampan_oci::store::StoreError;
use sampan_store::registry::Refusal;
use serde::Serialize;
use serde_json::{Value, json};

use super::body::Body;
use super::render;
use crate::auth::Denied;
use crate::charts::ChartFault;
use crate::client::ClientError;
use crate::error::Error;
use crate::upstream::UpstreamError;
use crate::wire::name::ManifestNameError;
use crate::wire::path::PathError;

#[derive(Serialize)]
struct Report {
    errors: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Value>,
}

/// The answer to a request that failed.
pub(super) fn response(error: &Error) -> Response<Body> {
    let error = error.own();
    let (status, code) = class(error);
    if status.is_server_error() {
        tracing::error!(error = error as &dyn std::error::Error, "a request failed");
    }
    let entries = match error {
        // One entry for each lets clients push what is missing.
        Error::Refused(Refusal::MissingChildren(missing)) => missing
            .iter()
            .map(|digest| Entry {
                code,
                message: format!("the repository lacks `{digest}`"),
                detail: Some(json!({ "digest": digest })),
            })
            .collect(),
        _ => vec![Entry {
            code,
            message: message(error, status),
            detail: detail(error),
        }],
    };
    let report = serde_json::to_vec(&Report { errors: entries });
    let mut response = Response::new(Body::bytes(report.unwrap_or_default()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    match error {
        Error::Method { allowed, .. } => {
            headers.insert(ALLOW, HeaderValue::from_static(allowed));
        }
        Error::ChunkOrder {
            length_bytes,
            location,
            ..
        } => {
            headers.insert(LOCATION, render::header(location));
            headers.insert(RANGE, render::header(&render::uploaded(*length_bytes)));
        }
        Error::Denied(Denied {
            challenge: Some(challenge),
            ..
        }) => {
            headers.insert(WWW_AUTHENTICATE, render::header(challenge));
        }
        Error::RangeNotSatisfiable { size_bytes, .. } => {
            headers.insert(
                CONTENT_RANGE,
                render::header(&format!("bytes */{size_bytes}")),
            );
        }
        _ => {}
    }
    response
}

/// The message with its causes; causes within the server are for its log only.
fn message(error: &Error, status: StatusCode) -> String {
    // What an upstream does is not within the server.
    if status.is_server_error() && !matches!(error, Error::Upstream(_)) {
        return error.to_string();
    }
    Causes(error).to_string()
}

fn detail(error: &Error) -> Option<Value> {
    match error {
        Error::RepositoryUnknown { name } => Some(json!({ "name": name })),
        Error::BlobUnknown { digest } => Some(json!({ "digest": digest })),
        Error::ManifestUnknown { name } => Some(json!({ "reference": name })),
        Error::DigestMismatch { expected, actual } => {
            Some(json!({ "expected": expected, "actual": actual }))
        }
        _ => None,
    }
}

/// The status of the answer.
pub(super) fn status(error: &Error) -> StatusCode {
    class(error.own()).0
}

fn class(error: &Error) -> (StatusCode, &'static str) {
    match error {
        Error::Path(PathError::Unknown { .. }) => (StatusCode::NOT_FOUND, "UNSUPPORTED"),
        Error::Path(PathError::Name { .. }) => (StatusCode::BAD_REQUEST, "NAME_INVALID"),
        Error::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED"),
        Error::ManifestName(ManifestNameError::Digest(_))
        | Error::Digest(_)
        | Error::DigestMismatch { .. } => (StatusCode::BAD_REQUEST, "DIGEST_INVALID"),
        Error::ManifestName(ManifestNameError::Tag { .. }) | Error::Manifest(_) => {
            (StatusCode::BAD_REQUEST, "MANIFEST_INVALID")
        }
        Error::Parameter { .. } => (StatusCode::BAD_REQUEST, "UNSUPPORTED"),
        Error::RepositoryUnknown { .. } => (StatusCode::NOT_FOUND, "NAME_UNKNOWN"),
        Error::BlobUnknown { .. } => (StatusCode::NOT_FOUND, "BLOB_UNKNOWN"),
        Error::ManifestUnknown { .. } => (StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN"),
        Error::TooManyTags { .. } => (StatusCode::URI_TOO_LONG, "UNSUPPORTED"),
        Error::ManifestTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "MANIFEST_INVALID"),
        Error::UploadUnknown { .. } => (StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN"),
        Error::UploadBusy => (StatusCode::CONFLICT, "BLOB_UPLOAD_INVALID"),
        Error::ChunkOrder { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID"),
        Error::RangeNotSatisfiable { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "SIZE_INVALID"),
        Error::ContentRange { .. } | Error::Body(_) => {
            (StatusCode::BAD_REQUEST, "BLOB_UPLOAD_INVALID")
        }
        Error::Length { .. } => (StatusCode::BAD_REQUEST, "SIZE_INVALID"),
        Error::BlobTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID"),
        Error::BodyTimeout { .. } => (StatusCode::REQUEST_TIMEOUT, "BLOB_UPLOAD_INVALID"),
        Error::Denied(denied) => (
            denied.status,
            match denied.status {
                StatusCode::UNAUTHORIZED => "UNAUTHORIZED",
                _ => "DENIED",
            },
        ),
        Error::Refused(refusal) => refused(refusal),
        Error::Chart(error) => (chart(error.fault()), "UNSUPPORTED"),
        Error::Storage(StoreError::Full { .. }) => (StatusCode::INSUFFICIENT_STORAGE, "UNKNOWN"),
        Error::Upstream(error) => upstream(error),
        Error::Shared(error) => class(error),
        Error::Stopping | Error::Bucket(_) => (StatusCode::SERVICE_UNAVAILABLE, "UNKNOWN"),
        Error::Crowded => (StatusCode::SERVICE_UNAVAILABLE, "TOOMANYREQUESTS"),
        Error::Storage(_)
        | Error::ReadAlong(_)
        | Error::Ledger(_)
        | Error::Pins(_)
        | Error::Abandoned => (StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN"),
    }
}

/// An upstream that does not know who asks must not look to clients as if they had to log in here.
fn upstream(error: &UpstreamError) -> (StatusCode, &'static str) {
    let UpstreamError::Client { source, .. } = error else {
        return match error {
            UpstreamError::ReadOnly { .. } => (StatusCode::FORBIDDEN, "DENIED"),
            UpstreamError::Document { .. } => (StatusCode::BAD_GATEWAY, "MANIFEST_INVALID"),
            _ => (StatusCode::BAD_GATEWAY, "DIGEST_INVALID"),
        };
    };
    match &**source {
        ClientError::Unauthorized { .. } | ClientError::Denied { .. } => {
            (StatusCode::FORBIDDEN, "DENIED")
        }
        ClientError::Refused { status: 429, .. } => {
            (StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS")
        }
        ClientError::Stalled { .. } => (StatusCode::GATEWAY_TIMEOUT, "UNKNOWN"),
        ClientError::Altered { .. } => (StatusCode::BAD_GATEWAY, "DIGEST_INVALID"),
        ClientError::FirstSchema { .. } | ClientError::Parse { .. } => {
            (StatusCode::BAD_GATEWAY, "MANIFEST_INVALID")
        }
        _ => (StatusCode::BAD_GATEWAY, "UNKNOWN"),
    }
}

fn refused(refusal: &Refusal) -> (StatusCode, &'static str) {
    match refusal {
        Refusal::BlobUnknown { .. } => (StatusCode::NOT_FOUND, "BLOB_UNKNOWN"),
        Refusal::ManifestUnknown { .. } | Refusal::TagUnknown { .. } => {
            (StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN")
        }
        Refusal::MissingChildren(_) => (StatusCode::NOT_FOUND, "MANIFEST_BLOB_UNKNOWN"),
        Refusal::TagImmutable { .. } => (StatusCode::CONFLICT, "DENIED"),
        // The one refusal of a removal that the specification knows.
        Refusal::Referenced { .. } => (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED"),
        Refusal::QuotaExceeded { .. } => (StatusCode::FORBIDDEN, "DENIED"),
    }
}

fn chart(fault: ChartFault) -> StatusCode {
    match fault {
        ChartFault::Request => StatusCode::BAD_REQUEST,
        ChartFault::Absence => StatusCode::NOT_FOUND,
        ChartFault::Conflict => StatusCode::CONFLICT,
        ChartFault::Size => StatusCode::PAYLOAD_TOO_LARGE,
        ChartFault::Load => StatusCode::SERVICE_UNAVAILABLE,
    }
}
