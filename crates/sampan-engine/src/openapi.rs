//! The OpenAPI documents that clients ask for before they write.
//!
//! `kubectl apply` and helm look in them for the parameters that PATCH takes, per kind, and `kubectl explain` for the
//! fields. The schemas do not say how strategic merge patches merge lists, so the documents do not offer such patches:
//! clients then compute these from the types they are built with, and the server takes them all the same.

mod schemas;
pub mod version2;

use serde_json::{Map, Value, json};

use crate::resources::{self, Resource};

/// The version of Kubernetes whose API is served.
pub(crate) const VERSION: &str = "v1.33.0";

/// The query parameters of requests that write.
const PARAMETERS: &[&str] = &["dryRun", "fieldManager", "fieldValidation", "force"];

/// The list of documents, `/openapi/v3`.
#[must_use]
pub fn index() -> Value {
    let paths: Map<String, Value> = resources::all()
        .iter()
        .map(|resource| {
            let path = group_path(resource);
            let url = format!("/openapi/v3/{path}");
            (path, json!({"serverRelativeURL": url}))
        })
        .collect();
    json!({"paths": paths})
}

/// The document of one group and version, `/openapi/v3/apis/GROUP/VERSION` or
/// `/openapi/v3/api/v1`; `None` when it is not served.
#[must_use]
pub fn document(group: &str, version: &str) -> Option<Value> {
    let served: Vec<&Resource> = resources::all()
        .iter()
        .filter(|resource| resource.group == group && resource.version == version)
        .collect();
    if served.is_empty() {
        return None;
    }
    let paths: Map<String, Value> = served
        .iter()
        .flat_map(|resource| operations(resource))
        .collect();
    let schemas = schemas::of(&served);
    Some(json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": VERSION},
        "paths": paths,
        "components": {"schemas": schemas},
    }))
}

/// `api/v1` or `apis/GROUP/VERSION`.
fn group_path(resource: &Resource) -> String {
    match resource.group {
        "" => format!("api/{}", resource.version),
        group => format!("apis/{group}/{}", resource.version),
    }
}

/// The path of the objects of a resource, and that of one of them.
fn object_paths(resource: &Resource) -> (String, String) {
    let namespace = if resource.namespaced() {
        "/namespaces/{namespace}"
    } else {
        ""
    };
    let list = format!("/{}{namespace}/{}", group_path(resource), resource.plural);
    let one = format!("{list}/{{name}}");
    (list, one)
}

fn kind_of(resource: &Resource) -> Value {
    json!({"group": resource.group, "version": resource.version, "kind": resource.kind})
}

fn schema_name(resource: &Resource) -> String {
    qualified_schema_name(resource.group, resource.version, resource.kind)
}

/// The name under which clients know the schema of a kind or of a part of it.
fn qualified_schema_name(group: &str, version: &str, name: &str) -> String {
    let group = match group {
        "" => "core",
        group => group.split('.').next().unwrap_or(group),
    };
    format!("io.k8s.api.{group}.{version}.{name}")
}

fn operations(resource: &Resource) -> [(String, Value); 2] {
    let (list, one) = object_paths(resource);
    let write = |action: &str, content: &[&str]| operation(resource, action, content);
    let read = |action: &str| operation(resource, action, &[]);
    let body: &[&str] = &["application/json", "application/vnd.kubernetes.protobuf"];
    let patches: &[&str] = &[
        "application/apply-patch+yaml",
        "application/json-patch+json",
        "application/merge-patch+json",
    ];
    [
        (
            list,
            json!({"get": read("list"), "post": write("post", body)}),
        ),
        (
            one,
            json!({
                "get": read("get"),
                "put": write("put", body),
                "patch": write("patch", patches),
                "delete": write("delete", &["application/json"]),
            }),
        ),
    ]
}

fn operation(resource: &Resource, action: &str, content: &[&str]) -> Value {
    let reference = format!("#/components/schemas/{}", schema_name(resource));
    let object = json!({"schema": {"$ref": reference}});
    let mut operation = json!({
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": kind_of(resource),
        "responses": {"200": {"description": "OK", "content": {"application/json": object}}},
    });
    if !content.is_empty() {
        let parameters: Vec<Value> = PARAMETERS
            .iter()
            .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string"}}))
            .collect();
        operation["parameters"] = Value::Array(parameters);
        let content: Map<String, Value> = content
            .iter()
            .map(|kind| ((*kind).to_owned(), object.clone()))
            .collect();
        operation["requestBody"] = json!({"content": content});
    }
    operation
}

#[cfg(test)]
mod tests {
    use super::{document, index};

    #[test]
    fn each_document_of_the_index_exists() {
        let index = index();
        for path in index["paths"].as_object().unwrap().keys() {
            let parts: Vec<&str> = path.split('/').collect();
            let found = match parts[..] {
                ["api", version] => document("", version),
                ["apis", group, version] => document(group, version),
                _ => None,
            };
            assert!(found.is_some(), "{path}");
        }
        assert_eq!(document("apps", "v9"), None);
    }

    #[test]
    fn a_patch_names_its_kind_and_parameters() {
        let document = document("apps", "v1").unwrap();
        let patch =
            &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
        assert_eq!(
            patch["x-kubernetes-group-version-kind"]["kind"],
            "Deployment"
        );
        let names: Vec<&str> = patch["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(
            names,
            ["dryRun", "fieldManager", "fieldValidation", "force"]
        );
    }
}
