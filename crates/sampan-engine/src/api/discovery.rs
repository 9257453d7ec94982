//! Discovery: which groups, versions and resources there are.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::response::Response;
use http::header::{ETAG, HeaderValue, IF_NONE_MATCH, VARY};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::accept::{self, Discovery};
use super::answer;
use crate::custom::Kinds;
use crate::error::Error;
use crate::resources::{Nature, Resource, Subresource};

const VERBS: &[&str] = &[
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];
/// A namespace is only ever deleted by name.
const NAMESPACE_VERBS: &[&str] = &[
    "create", "delete", "get", "list", "patch", "update", "watch",
];

/// Answers `/api`.
pub(crate) fn core(headers: &HeaderMap, kinds: &Kinds, address: &str) -> Result<Response, Error> {
    match accept::discovery(headers)? {
        Discovery::Plain => Ok(tagged(
            headers,
            "application/json",
            &json!({
                "kind": "APIVersions",
                "versions": ["v1"],
                "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
            }),
        )),
        form => Ok(aggregated(headers, form, &kinds.all(), &[""])),
    }
}

/// Answers `/apis`.
pub(crate) fn groups(headers: &HeaderMap, kinds: &Kinds) -> Result<Response, Error> {
    let all = kinds.all();
    let names = group_names(&all);
    match accept::discovery(headers)? {
        Discovery::Plain => Ok(tagged(
            headers,
            "application/json",
            &json!({
                "kind": "APIGroupList",
                "apiVersion": "v1",
                "groups": names.iter().map(|name| api_group(&all, name)).collect::<Vec<_>>(),
            }),
        )),
        form => Ok(aggregated(headers, form, &all, &names)),
    }
}

/// Answers `/apis/GROUP`.
pub(crate) fn group(headers: &HeaderMap, kinds: &Kinds, name: &str) -> Result<Response, Error> {
    let all = kinds.all();
    if !group_names(&all).contains(&name) {
        return Err(Error::NoSuchResource);
    }
    let mut group = api_group(&all, name);
    group["kind"] = "APIGroup".into();
    group["apiVersion"] = "v1".into();
    Ok(tagged(headers, "application/json", &group))
}

/// Answers `/api/v1` and `/apis/GROUP/VERSION`.
pub(crate) fn version(
    headers: &HeaderMap,
    kinds: &Kinds,
    group: &str,
    version: &str,
) -> Result<Response, Error> {
    let all = kinds.all();
    let resources: Vec<&Resource> = of(&all, group)
        .filter(|resource| resource.version == version)
        .collect();
    if resources.is_empty() {
        return Err(Error::NoSuchResource);
    }
    let list = json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": resources[0].api_version(),
        "resources": resources.into_iter().flat_map(plain).collect::<Vec<_>>(),
    });
    Ok(tagged(headers, "application/json", &list))
}

/// All groups but the core, in the order of the table.
fn group_names(all: &[&'static Resource]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for resource in all {
        if !resource.group.is_empty() && !names.contains(&resource.group) {
            names.push(resource.group);
        }
    }
    names
}

fn of(all: &[&'static Resource], group: &str) -> impl Iterator<Item = &'static Resource> {
    all.iter()
        .copied()
        .filter(move |resource| resource.group == group)
}

/// The versions of a group, the preferred one first.
fn versions(all: &[&'static Resource], group: &str) -> Vec<&'static str> {
    let mut versions = Vec::new();
    for resource in of(all, group) {
        if !versions.contains(&resource.version) {
            versions.push(resource.version);
        }
    }
    versions
}

fn api_group(all: &[&'static Resource], name: &str) -> Value {
    let versions: Vec<Value> = versions(all, name)
        .into_iter()
        .map(|version| json!({"groupVersion": format!("{name}/{version}"), "version": version}))
        .collect();
    json!({"name": name, "versions": versions, "preferredVersion": versions[0]})
}

fn verbs(resource: &Resource) -> &'static [&'static str] {
    match resource.nature {
        Nature::Review => &["create"],
        Nature::Measured => &["get", "list"],
        Nature::Stored if resource.kind == "Namespace" => NAMESPACE_VERBS,
        Nature::Stored => VERBS,
    }
}

/// What is exchanged on the path of a subresource, and how: group, version, kind, verbs.
fn part(
    resource: &Resource,
    part: Subresource,
) -> (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
) {
    let (group, version, kind) = (resource.group, resource.version, resource.kind);
    match part {
        Subresource::Status => (group, version, kind, &["get", "patch", "update"]),
        Subresource::Scale => ("autoscaling", "v1", "Scale", &["get", "patch", "update"]),
        Subresource::Log => (group, version, kind, &["get"]),
        Subresource::Exec => (group, version, "PodExecOptions", &["create", "get"]),
        Subresource::Attach => (group, version, "PodAttachOptions", &["create", "get"]),
        Subresource::PortForward => (group, version, "PodPortForwardOptions", &["create", "get"]),
        Subresource::Eviction => ("policy", "v1", "Eviction", &["create"]),
        Subresource::Finalize => (group, version, kind, &["update"]),
        Subresource::Token => ("authentication.k8s.io", "v1", "TokenRequest", &["create"]),
    }
}

/// A resource and its parts, as entries of an `APIResourceList`.
fn plain(resource: &Resource) -> Vec<Value> {
    let mut own = json!({
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced(),
        "kind": resource.kind,
        "verbs": verbs(resource),
    });
    add_names(&mut own, resource);
    let mut all = vec![own];
    for subresource in resource.subresources {
        let (group, version, kind, verbs) = part(resource, *subresource);
        let mut entry = json!({
            "name": format!("{}/{}", resource.plural, subresource.path()),
            "singularName": "",
            "namespaced": resource.namespaced(),
            "kind": kind,
            "verbs": verbs,
        });
        if (group, version) != (resource.group, resource.version) {
            entry["group"] = group.into();
            entry["version"] = version.into();
        }
        all.push(entry);
    }
    all
}

fn add_names(entry: &mut Value, resource: &Resource) {
    if !resource.short_names.is_empty() {
        entry["shortNames"] = resource.short_names.into();
    }
    if !resource.categories.is_empty() {
        entry["categories"] = resource.categories.into();
    }
}

/// Everything about some groups in one document.
fn aggregated(
    headers: &HeaderMap,
    form: Discovery,
    all: &[&'static Resource],
    groups: &[&str],
) -> Response {
    let (version, media_type) = match form {
        Discovery::V2Beta1 => (
            "v2beta1",
            "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
        ),
        _ => (
            "v2",
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        ),
    };
    let items: Vec<Value> = groups
        .iter()
        .map(|group| {
            let versions: Vec<Value> = versions(all, group)
                .into_iter()
                .map(|version| {
                    json!({
                        "version": version,
                        "resources": of(all, group)
                            .filter(|resource| resource.version == version)
                            .map(detailed)
                            .collect::<Vec<_>>(),
                        "freshness": "Current",
                    })
                })
                .collect();
            let mut metadata = Map::new();
            metadata.insert("creationTimestamp".to_owned(), Value::Null);
            if !group.is_empty() {
                metadata.insert("name".to_owned(), (*group).into());
            }
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    let document = json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": format!("apidiscovery.k8s.io/{version}"),
        "metadata": {},
        "items": items,
    });
    tagged(headers, media_type, &document)
}

fn detailed(resource: &Resource) -> Value {
    let kind = |group: &str, version: &str, kind: &str| json!({"group": group, "version": version, "kind": kind});
    let parts: Vec<Value> = resource
        .subresources
        .iter()
        .map(|subresource| {
            let (group, version, name, verbs) = part(resource, *subresource);
            json!({
                "subresource": subresource.path(),
                "responseKind": kind(group, version, name),
                "verbs": verbs,
            })
        })
        .collect();
    let mut entry = json!({
        "resource": resource.plural,
        "responseKind": kind(resource.group, resource.version, resource.kind),
        "scope": if resource.namespaced() { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular,
        "verbs": verbs(resource),
    });
    add_names(&mut entry, resource);
    if !parts.is_empty() {
        entry["subresources"] = parts.into();
    }
    entry
}

/// A document that clients keep: with a tag, and not sent again to those that have it.
pub(crate) fn tagged(headers: &HeaderMap, media_type: &'static str, document: &Value) -> Response {
    let body = document.to_string();
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let tag = format!("\"{:016X}\"", hasher.finish());
    let known = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| {
            tags.split(',')
                .any(|one| one.trim().trim_start_matches("W/") == tag)
        });
    let mut response = if known {
        answer::bytes(StatusCode::NOT_MODIFIED, media_type, Vec::new())
    } else {
        answer::bytes(StatusCode::OK, media_type, body.into_bytes())
    };
    let answered = response.headers_mut();
    answered.insert(VARY, HeaderValue::from_static("Accept"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answered.insert(ETAG, tag);
    }
    response
}
