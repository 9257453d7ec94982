//! The OpenAPI documents of custom resources: one for each of their groups and versions.

use serde_json::{Map, Value, json};

use crate::resources::Resource;

/// The query parameters of requests that write.
const PARAMETERS: &[&str] = &["dryRun", "fieldManager", "fieldValidation", "force"];
const PATCHES: &[&str] = &[
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
];

/// Adds the documents of custom resources to the list of all.
pub(crate) fn add_to_index(index: &mut Value, custom: &[&'static Resource]) {
    for resource in custom {
        let path = format!("apis/{}/{}", resource.group, resource.version);
        let url = format!("/openapi/v3/{path}");
        index["paths"][path] = json!({"serverRelativeURL": url});
    }
}

/// The document of a group and version, `None` when no definition has them.
pub(crate) fn document(custom: &[&'static Resource], group: &str, version: &str) -> Option<Value> {
    let mut served = custom.iter();
    served
        .clone()
        .find(|one| one.group == group && one.version == version)?;
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    for resource in served
        .by_ref()
        .filter(|one| one.group == group && one.version == version)
    {
        paths.extend(operations(resource));
        schemas.insert(name(resource), schema(resource));
    }
    Some(json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"},
        "paths": paths,
        "components": {"schemas": schemas},
    }))
}

/// The name of a kind's schema: its group backwards, its version and its kind.
fn name(resource: &Resource) -> String {
    let mut parts: Vec<&str> = resource.group.rsplit('.').collect();
    parts.extend([resource.version, resource.kind]);
    parts.join(".")
}

fn identity(resource: &Resource) -> Value {
    json!({"group": resource.group, "version": resource.version, "kind": resource.kind})
}

fn schema(resource: &Resource) -> Value {
    let custom = resource.custom.map(|custom| custom.schema.clone());
    let mut schema = custom
        .filter(Value::is_object)
        .unwrap_or_else(|| json!({"type": "object"}));
    schema["x-kubernetes-group-version-kind"] = json!([identity(resource)]);
    schema
}

fn operations(resource: &Resource) -> [(String, Value); 2] {
    let namespace = if resource.namespaced() {
        "/namespaces/{namespace}"
    } else {
        ""
    };
    let (group, version) = (resource.group, resource.version);
    let list = format!("/apis/{group}/{version}{namespace}/{}", resource.plural);
    let one = format!("{list}/{{name}}");
    let operation = |action: &str, content: &[&str]| operation(resource, action, content);
    let body = &["application/json", "application/yaml"];
    [
        (
            list,
            json!({"get": operation("list", &[]), "post": operation("post", body)}),
        ),
        (
            one,
            json!({
                "get": operation("get", &[]),
                "put": operation("put", body),
                "patch": operation("patch", PATCHES),
                "delete": operation("delete", &["application/json"]),
            }),
        ),
    ]
}

fn operation(resource: &Resource, action: &str, content: &[&str]) -> Value {
    let reference = format!("#/components/schemas/{}", name(resource));
    let object = json!({"schema": {"$ref": reference}});
    let mut operation = json!({
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": identity(resource),
        "responses": {"200": {"description": "OK", "content": {"application/json": object}}},
    });
    if !content.is_empty() {
        let parameters = PARAMETERS
            .iter()
            .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string"}}));
        operation["parameters"] = parameters.collect();
        let content = content
            .iter()
            .map(|kind| ((*kind).to_owned(), object.clone()));
        operation["requestBody"] = json!({"content": content.collect::<Map<_, _>>()});
    }
    operation
}
