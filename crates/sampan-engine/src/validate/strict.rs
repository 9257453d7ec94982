//! Strict decoding: what a body has that its kind does not know, and what has the wrong type.

use k8s_openapi::api::{apps, coordination, core, discovery, events, networking, storage};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::duplicates;
use crate::error::Error;
use crate::resources::Resource;

/// The problems of a body that its kind could still be read from: `unknown field "spec.replcas"`,
/// `duplicate field "spec.replicas"`. With `fieldValidation=Strict` they refuse the request
/// ([`refusal`]), with `Warn` each becomes a `Warning` header.
///
/// `object` has its defaults already, as filling them in also gives quantities their one type.
///
/// # Errors
/// [`Error::BadRequest`] when the body cannot be read as its kind at all.
pub fn findings(resource: &Resource, object: &Value, body: &[u8]) -> Result<Vec<String>, Error> {
    let mut findings: Vec<String> = duplicates::of(body)
        .into_iter()
        .map(|path| format!("duplicate field {path:?}"))
        .collect();
    let unknown = unknown_fields(resource, object)?;
    findings.extend(
        unknown
            .into_iter()
            .map(|path| format!("unknown field {path:?}")),
    );
    Ok(findings)
}

/// The error with which a strict request is refused.
#[must_use]
pub fn refusal(resource: &Resource, findings: &[String]) -> Error {
    let what = format!("strict decoding error: {}", findings.join(", "));
    Error::BadRequest(unreadable(resource, &what))
}

fn unreadable(resource: &Resource, what: &str) -> String {
    let Resource { kind, version, .. } = resource;
    format!("{kind} in version {version:?} cannot be handled as a {kind}: {what}")
}

/// The fields of an object that its kind does not know, as `spec.containers[0].imag`.
///
/// # Errors
/// [`Error::BadRequest`] when a field has the wrong type.
pub fn unknown_fields(resource: &Resource, object: &Value) -> Result<Vec<String>, Error> {
    let Some(read) = reader(resource) else {
        return Ok(Vec::new());
    };
    let mut unknown = Vec::new();
    read(object, &mut unknown).map_err(|what| Error::BadRequest(unreadable(resource, &what)))?;
    Ok(unknown)
}

type Reader = fn(&Value, &mut Vec<String>) -> Result<(), String>;

fn reader(resource: &Resource) -> Option<Reader> {
    Some(match (resource.group, resource.kind) {
        ("", "ConfigMap") => read::<core::v1::ConfigMap>,
        ("", "Endpoints") => read::<core::v1::Endpoints>,
        ("", "Event") => read::<core::v1::Event>,
        ("", "Namespace") => read::<core::v1::Namespace>,
        ("", "Node") => read::<core::v1::Node>,
        ("", "PersistentVolume") => read::<core::v1::PersistentVolume>,
        ("", "PersistentVolumeClaim") => read::<core::v1::PersistentVolumeClaim>,
        ("", "Pod") => read::<core::v1::Pod>,
        ("", "Secret") => read::<core::v1::Secret>,
        ("", "Service") => read::<core::v1::Service>,
        ("", "ServiceAccount") => read::<core::v1::ServiceAccount>,
        ("apps", "ControllerRevision") => read::<apps::v1::ControllerRevision>,
        ("apps", "Deployment") => read::<apps::v1::Deployment>,
        ("apps", "ReplicaSet") => read::<apps::v1::ReplicaSet>,
        ("apps", "StatefulSet") => read::<apps::v1::StatefulSet>,
        ("coordination.k8s.io", "Lease") => read::<coordination::v1::Lease>,
        ("discovery.k8s.io", "EndpointSlice") => read::<discovery::v1::EndpointSlice>,
        ("events.k8s.io", "Event") => read::<events::v1::Event>,
        ("networking.k8s.io", "Ingress") => read::<networking::v1::Ingress>,
        ("networking.k8s.io", "IngressClass") => read::<networking::v1::IngressClass>,
        ("storage.k8s.io", "StorageClass") => read::<storage::v1::StorageClass>,
        _ => return None,
    })
}

fn read<K: DeserializeOwned>(object: &Value, unknown: &mut Vec<String>) -> Result<(), String> {
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(object, &mut track);
    let mut ignored = |path: serde_ignored::Path<'_>| unknown.push(shown(&path));
    let result = K::deserialize(serde_ignored::Deserializer::new(tracked, &mut ignored));
    result.map(|_| ()).map_err(|error| {
        let path = track.path().to_string();
        if path == "." {
            error.to_string()
        } else {
            format!("{path}: {error}")
        }
    })
}

/// A path as Kubernetes writes it.
fn shown(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", shown(parent)),
        Path::Map { parent, key } => match shown(parent) {
            parent if parent.is_empty() => key.clone(),
            parent => format!("{parent}.{key}"),
        },
        Path::Some { parent }
        | Path::NewtypeStruct { parent }
        | Path::NewtypeVariant { parent } => shown(parent),
    }
}
