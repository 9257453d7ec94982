//! The rules of custom resource definitions.

use std::collections::BTreeSet;

use serde_json::Value;

use super::causes::{Causes, Path};
use super::names;

/// Checks a custom resource definition; it is checked as it is written, since its type is large.
pub(super) fn check(new: &Value, old: Option<&Value>, causes: &mut Causes) {
    let path = Path::new("spec");
    let spec = &new["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (group, plural) = (text(&spec["group"]), text(&spec["names"]["plural"]));
    let name = text(&new["metadata"]["name"]);
    if name != format!("{plural}.{group}") {
        let field = Path::new("metadata").child("name");
        causes.invalid(&field, &name, "must be spec.names.plural+\".\"+spec.group");
    }
    if group.is_empty() {
        causes.required(&path.child("group"), "");
    } else if !group.contains('.') {
        let detail = "should be a domain with at least one dot";
        causes.invalid(&path.child("group"), &group, detail);
    } else {
        causes.complaints(&path.child("group"), &group, names::dns_subdomain(&group));
    }
    let scope = spec["scope"].as_str();
    if scope.is_none() {
        causes.required(&path.child("scope"), "");
    }
    causes.one_of(&path.child("scope"), scope, &["Cluster", "Namespaced"]);
    check_names(&spec["names"], &path.child("names"), causes);
    versions(&spec["versions"], &path.child("versions"), causes);
    if let Some(old) = old {
        for field in ["group", "scope"] {
            causes.unchanged(&path.child(field), &spec[field], &old["spec"][field]);
        }
        for field in ["plural", "kind"] {
            let (new, old) = (&spec["names"][field], &old["spec"]["names"][field]);
            causes.unchanged(&path.child("names").child(field), new, old);
        }
    }
}

fn check_names(given: &Value, path: &Path, causes: &mut Causes) {
    for field in ["plural", "singular"] {
        match given[field].as_str() {
            None | Some("") => causes.required(&path.child(field), ""),
            Some(name) => causes.complaints(&path.child(field), name, names::dns_1035_label(name)),
        }
    }
    match given["kind"].as_str() {
        None | Some("") => causes.required(&path.child("kind"), ""),
        Some(kind) => {
            let complaints = names::dns_1035_label(&kind.to_lowercase());
            causes.complaints(&path.child("kind"), kind, complaints);
        }
    }
}

fn versions(versions: &Value, path: &Path, causes: &mut Causes) {
    let versions = versions.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut seen = BTreeSet::new();
    for (index, version) in versions.iter().enumerate() {
        let path = path.index(index);
        let name = version["name"].as_str().unwrap_or_default();
        causes.complaints(&path.child("name"), name, names::dns_1035_label(name));
        if !seen.insert(name) {
            causes.duplicate(&path.child("name"), name);
        }
        let schema = path.child("schema").child("openAPIV3Schema");
        match &version["schema"]["openAPIV3Schema"] {
            Value::Object(fields) => {
                if fields.get("type").and_then(Value::as_str) != Some("object") {
                    let field = schema.child("type");
                    causes.required(&field, "must not be empty at the root");
                }
            }
            _ => causes.required(&schema, "schemas are required"),
        }
    }
    let stored = versions.iter().filter(|version| version["storage"] == true);
    if stored.count() != 1 {
        let detail = "must have exactly one version marked as storage version";
        causes.invalid(path, versions, detail);
    }
}
