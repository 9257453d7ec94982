//! The body of a request.

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use sampan_kubernetes::protobuf;
use sampan_model::Hint as _;
use serde_json::Value;

use super::KUBERNETES;
use super::path::Target;
use super::query::{FieldValidation, Query};
use crate::error::Error;
use crate::resources::Resource;
use crate::{defaults, validate::strict};

/// The largest body that is read: the limit of Kubernetes.
const LIMIT_BYTES: usize = 3 << 20;

/// The formats in which objects are taken.
const ACCEPTED: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// Reads the whole body.
///
/// # Errors
/// [`Error::TooLarge`], or [`Error::BadRequest`] when the client breaks off.
pub(crate) async fn read(body: Body) -> Result<Bytes, Error> {
    let limited = http_body_util::Limited::new(body, LIMIT_BYTES);
    match http_body_util::BodyExt::collect(limited).await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(Error::TooLarge {
            limit_bytes: LIMIT_BYTES,
        }),
        Err(error) => Err(Error::BadRequest(format!("cannot read the body: {error}"))),
    }
}

/// The media type of a body, without parameters; JSON when not given.
pub(crate) fn media_type(headers: &HeaderMap) -> &str {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map_or("application/json", str::trim)
}

/// Reads an object from JSON, YAML or protobuf.
///
/// # Errors
/// [`Error::UnsupportedMediaType`], or [`Error::BadRequest`] when it is none of them.
pub(crate) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Value, Error> {
    let unreadable = |error: String| {
        Error::BadRequest(format!(
            "the object provided is unrecognized (must be of type Object): couldn't get version/kind; {error}"
        ))
    };
    match media_type(headers) {
        "application/json" | "*/*" | "" => serde_json::from_slice(body)
            .map_err(|error| unreadable(format!("json parse error: {error}"))),
        "application/yaml" | "application/x-yaml" => serde_saphyr::from_slice(body)
            .map_err(|error| unreadable(format!("yaml parse error: {error}"))),
        protobuf::MEDIA_TYPE => protobuf::decode(body, KUBERNETES).map_err(|error| {
            // Clients see nothing of an error but its message.
            let hint = error
                .hint()
                .map(|hint| format!("; {hint}"))
                .unwrap_or_default();
            unreadable(format!("protobuf parse error: {error}{hint}"))
        }),
        _ => Err(Error::UnsupportedMediaType { accepted: ACCEPTED }),
    }
}

/// An object from a body, and what is to be warned of.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) object: Value,
    pub(crate) warnings: Vec<String>,
}

/// Reads the object that a request is to store, and compares it with the path.
///
/// # Errors
/// When it is not of the kind, has unknown fields while they are refused, or names another object.
pub(crate) fn decode(
    target: &Target,
    query: &Query,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Decoded, Error> {
    let mut object = parse(headers, body)?;
    check_kind(target.resource, &object)?;
    let warnings = check_fields(
        target.resource,
        &mut object,
        body,
        query.field_validation()?,
    )?;
    check_place(target, &object)?;
    Ok(Decoded { object, warnings })
}

/// Refuses or notes the fields that the kind does not know, and removes them.
///
/// # Errors
/// When a field has the wrong type, or unknown fields are refused.
pub(crate) fn check_fields(
    resource: &'static Resource,
    object: &mut Value,
    body: &[u8],
    validation: FieldValidation,
) -> Result<Vec<String>, Error> {
    // Defaults also bring values into the form of their field, such as a quantity that is written as a number.
    let mut complete = object.clone();
    defaults::apply(resource, &mut complete);
    let findings = strict::findings(resource, &complete, body)?;
    findings.prune(object);
    match validation {
        FieldValidation::Strict if !findings.messages.is_empty() => {
            Err(strict::refusal(resource, &findings))
        }
        FieldValidation::Warn => Ok(findings.messages),
        FieldValidation::Strict | FieldValidation::Ignore => Ok(Vec::new()),
    }
}

fn check_kind(resource: &Resource, object: &Value) -> Result<(), Error> {
    let text = |field: &str| {
        object
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    if !object.is_object() {
        return Err(Error::BadRequest(
            "the object provided is unrecognized (must be of type Object)".to_owned(),
        ));
    }
    let (version, expected) = (text("apiVersion"), resource.api_version());
    if !version.is_empty() && version != expected {
        return Err(Error::BadRequest(format!(
            "the API version in the data ({version}) does not match the expected API version ({expected})"
        )));
    }
    let kind = text("kind");
    if !kind.is_empty() && kind != resource.kind {
        return Err(Error::BadRequest(format!(
            "{kind} in version {:?} cannot be handled as a {}: converting (v1.{kind}) to (v1.{}): unknown conversion",
            resource.version, resource.kind, resource.kind
        )));
    }
    Ok(())
}

/// Refuses an object that names another place than the path.
pub(crate) fn check_place(target: &Target, object: &Value) -> Result<(), Error> {
    let text = |field: &str| {
        object
            .get("metadata")
            .and_then(|metadata| metadata.get(field))
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    if let (Some(own), Some(asked)) = (text("namespace"), target.namespace.as_deref())
        && own != asked
    {
        return Err(Error::BadRequest(
            "the namespace of the provided object does not match the namespace sent on the request"
                .to_owned(),
        ));
    }
    if let (Some(own), Some(asked)) = (text("name"), target.name.as_deref())
        && own != asked
    {
        return Err(Error::BadRequest(format!(
            "the name of the object ({own}) does not match the name on the URL ({asked})"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(media_type: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, media_type.parse().unwrap());
        headers
    }

    #[test]
    fn bodies_are_read_in_each_format() {
        let same = serde_json::json!({"apiVersion": "v1", "kind": "DeleteOptions"});
        let protobuf = b"k8s\0\x0a\x13\x0a\x02v1\x12\x0dDeleteOptions\x12\x00";
        let bodies: [(&str, &[u8]); 3] = [
            (
                "application/json",
                br#"{"apiVersion": "v1", "kind": "DeleteOptions"}"#,
            ),
            ("application/yaml", b"apiVersion: v1\nkind: DeleteOptions\n"),
            ("application/vnd.kubernetes.protobuf", protobuf),
        ];
        for (media_type, body) in bodies {
            assert_eq!(parse(&headers(media_type), body).unwrap(), same);
        }
    }

    #[test]
    fn what_is_not_read_is_refused() {
        let damaged = parse(&headers(protobuf::MEDIA_TYPE), b"k8s\0\x0a").unwrap_err();
        assert!(matches!(damaged, Error::BadRequest(_)), "{damaged}");
        let custom = b"k8s\0\x0a\x11\x0a\x04x/v1\x12\x09Backdrops\x12\x00";
        let custom = parse(&headers(protobuf::MEDIA_TYPE), custom).unwrap_err();
        assert!(
            custom.to_string().ends_with("send them as JSON"),
            "{custom}"
        );
        let other = parse(&headers("text/html"), b"").unwrap_err();
        assert!(other.to_string().ends_with(ACCEPTED), "{other}");
    }
}
