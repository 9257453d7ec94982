//! Answers: objects, lists and tables as JSON.

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use sampan_supervise::clock;
use serde_json::{Value, json};

use super::accept::Form;
use super::{Call, status};
use crate::error::Error;
use crate::objects::List;
use crate::resources::Resource;
use crate::table;

const WARNING: HeaderName = HeaderName::from_static("warning");

/// A JSON answer.
pub(crate) fn json(code: StatusCode, value: &Value) -> Response {
    bytes(code, "application/json", value.to_string().into_bytes())
}

/// An answer of any type.
pub(crate) fn bytes(code: StatusCode, media_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

/// The answer to a failure. What the client cannot help is logged; it is handled nowhere else.
pub(crate) fn failure(error: &Error) -> Response {
    let (code, body) = status::of(error);
    if code.is_server_error() && code != StatusCode::GATEWAY_TIMEOUT {
        tracing::error!(
            error = error as &dyn std::error::Error,
            "a request has failed"
        );
    }
    let mut response = json(code, &body);
    if matches!(
        error,
        Error::FutureRevision { .. } | Error::TooManyRequests { .. }
    ) {
        response
            .headers_mut()
            .insert(http::header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Adds warnings, which clients print.
pub(crate) fn warn(mut response: Response, warnings: &[String]) -> Response {
    for warning in warnings {
        let text = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{text}\"")) {
            response.headers_mut().append(WARNING, value);
        }
    }
    response
}

/// One object in the form that is wanted.
pub(crate) fn object(call: &Call, code: StatusCode, object: Value) -> Response {
    let value = match call.form {
        Form::Object => object,
        Form::Partial => partial(object),
        Form::Table(version) => {
            let meta = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
            table(call, version, vec![object], &meta, true)
        }
    };
    json(code, &value)
}

/// A list in the form that is wanted.
pub(crate) fn list(call: &Call, list: List) -> Response {
    let mut meta = json!({"resourceVersion": list.revision.to_string()});
    if let Some(token) = list.continue_token {
        meta["continue"] = token.into();
    }
    let resource = call.target.resource;
    let value = match call.form {
        Form::Object => {
            let items: Vec<Value> = list.items.into_iter().map(without_type).collect();
            json!({
                "kind": list_kind(resource),
                "apiVersion": resource.api_version(),
                "metadata": meta,
                "items": items,
            })
        }
        Form::Partial => json!({
            "kind": "PartialObjectMetadataList",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": meta,
            "items": list.items.into_iter().map(partial).collect::<Vec<_>>(),
        }),
        Form::Table(version) => table(call, version, list.items, &meta, true),
    };
    json(StatusCode::OK, &value)
}

fn list_kind(resource: &Resource) -> String {
    let custom = resource.custom.map(|custom| custom.list_kind.clone());
    custom.unwrap_or_else(|| format!("{}List", resource.kind))
}

/// The items of a list do not repeat the type that the list has.
fn without_type(mut item: Value) -> Value {
    if let Value::Object(map) = &mut item {
        map.remove("kind");
        map.remove("apiVersion");
    }
    item
}

/// Only the metadata of an object.
pub(crate) fn partial(mut object: Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": object["metadata"].take(),
    })
}

/// Objects as a table. In a watch only the first one has the columns.
pub(crate) fn table(
    call: &Call,
    version: &str,
    objects: Vec<Value>,
    meta: &Value,
    with_columns: bool,
) -> Value {
    let resource = call.target.resource;
    let now = clock::now();
    let rows: Vec<Value> = objects
        .into_iter()
        .map(|object| {
            let mut row = json!({"cells": table::cells(resource, &object, now)});
            if let Some(conditions) = table::conditions(resource, &object) {
                row["conditions"] = conditions;
            }
            row["object"] = row_object(call, version, object);
            row
        })
        .collect();
    let columns = if with_columns {
        table::columns(resource)
    } else {
        Value::Null
    };
    json!({
        "kind": "Table",
        "apiVersion": format!("meta.k8s.io/{version}"),
        "metadata": meta,
        "columnDefinitions": columns,
        "rows": rows,
    })
}

/// What a row carries of its object (`includeObject`).
fn row_object(call: &Call, version: &str, object: Value) -> Value {
    match call.query.include_object.as_deref() {
        Some("None") => Value::Null,
        Some("Object") => object,
        _ => {
            let mut partial = partial(object);
            partial["apiVersion"] = format!("meta.k8s.io/{version}").into();
            partial
        }
    }
}
