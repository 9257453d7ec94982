//! Errors as clients get them: `Status` objects.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::error::{Cause, Error};
use crate::resources::Resource;

/// The HTTP status of an error, and the `Status` object of its answer.
pub(crate) fn of(error: &Error) -> (StatusCode, Value) {
    let (code, reason) = class(error);
    let message = error.to_string();
    let mut status = json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code.as_u16(),
    });
    if let Some(details) = details(error) {
        status["details"] = details;
    }
    (code, status)
}

/// The `Status` of something that went well.
pub(crate) fn success(details: Option<Value>) -> Value {
    let mut status = json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
    });
    if let Some(details) = details {
        status["details"] = details;
    }
    status
}

/// What an object is called in the details of a `Status`.
pub(crate) fn object_details(resource: &Resource, name: &str) -> Map<String, Value> {
    let mut details = Map::new();
    details.insert("name".to_owned(), name.into());
    if !resource.group.is_empty() {
        details.insert("group".to_owned(), resource.group.into());
    }
    details.insert("kind".to_owned(), resource.plural.into());
    details
}

fn class(error: &Error) -> (StatusCode, &'static str) {
    match error {
        Error::NotFound { .. } | Error::NoSuchResource => (StatusCode::NOT_FOUND, "NotFound"),
        Error::AlreadyExists { .. } => (StatusCode::CONFLICT, "AlreadyExists"),
        Error::Conflict { .. } | Error::ApplyConflict { .. } => (StatusCode::CONFLICT, "Conflict"),
        Error::Invalid { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "Invalid"),
        Error::BadRequest(_) => (StatusCode::BAD_REQUEST, "BadRequest"),
        Error::Forbidden { .. } | Error::Denied { .. } => (StatusCode::FORBIDDEN, "Forbidden"),
        Error::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
        Error::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized"),
        Error::UnsupportedMediaType { .. } => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType")
        }
        Error::NotAcceptable { .. } => (StatusCode::NOT_ACCEPTABLE, "NotAcceptable"),
        Error::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge"),
        Error::Expired(_) => (StatusCode::GONE, "Expired"),
        Error::FutureRevision { .. } => (StatusCode::GATEWAY_TIMEOUT, "Timeout"),
        Error::TooManyRequests { .. } => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequests"),
        Error::Store(_) | Error::Shape { .. } | Error::Internal(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, "InternalError")
        }
    }
}

fn details(error: &Error) -> Option<Value> {
    let mut details = match error {
        Error::NotFound { resource, name }
        | Error::AlreadyExists { resource, name }
        | Error::Conflict { resource, name, .. }
        | Error::Forbidden { resource, name, .. } => object_details(resource, name),
        Error::Invalid { resource, name, .. } => {
            let mut details = object_details(resource, name);
            details.insert("kind".to_owned(), resource.kind.into());
            details
        }
        Error::Denied {
            resource: Some(resource),
            name,
            ..
        } => {
            let mut details = object_details(resource, name);
            details.retain(|_, value| *value != "");
            details
        }
        Error::ApplyConflict { .. } | Error::Denied { .. } => Map::new(),
        Error::FutureRevision { .. } => {
            let causes = json!([{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]);
            return Some(json!({"causes": causes, "retryAfterSeconds": 1}));
        }
        _ => return None,
    };
    if let Error::Invalid { causes, .. } | Error::ApplyConflict { causes, .. } = error {
        details.insert("causes".to_owned(), causes.iter().map(cause).collect());
    }
    Some(Value::Object(details))
}

fn cause(cause: &Cause) -> Value {
    json!({
        "reason": cause.reason.as_str(),
        "message": cause.message,
        "field": cause.field,
    })
}
