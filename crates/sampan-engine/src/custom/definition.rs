//! Reading custom resource definitions.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::Custom;
use super::printer::Printer;
use crate::resources::{self, Nature, Resource, Scope, Subresource};

/// Held by this finalizer until all objects of the definition are gone.
pub(crate) const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// A resource as one version of a definition describes it.
pub(crate) struct Described {
    /// All that it is made from, as text.
    pub(super) text: String,
    parts: Value,
}

/// The resources of a definition: one for each version that is served, the newest first.
pub(crate) fn resources_of(name: &str, definition: &Value) -> Vec<Described> {
    let spec = &definition["spec"];
    let versions = spec["versions"].as_array();
    let mut served: Vec<&Value> = versions.into_iter().flatten().collect();
    served.retain(|version| version["served"] == true);
    served.sort_by_key(|version| Reverse(rank(version["name"].as_str().unwrap_or_default())));
    // One of those that are served speaks for the stored objects: they have to be seen by whoever looks for owners.
    let stored = served.iter().find(|version| version["storage"] == true);
    let storage = stored.or(served.first());
    let storage = storage.map_or(Value::Null, |version| version["name"].clone());
    served
        .into_iter()
        .map(|version| {
            let parts = json!({
                "definition": name,
                "group": spec["group"],
                "names": spec["names"],
                "scope": spec["scope"],
                "storage": storage,
                "version": version,
            });
            Described {
                text: parts.to_string(),
                parts,
            }
        })
        .collect()
}

/// Stable versions before trials, higher numbers before lower ones: `v2`, `v1`, `v1beta1`, `v1alpha1`.
fn rank(version: &str) -> (u8, u32, u32) {
    let digits = |text: &str| {
        let end = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        (text[..end].parse().unwrap_or(0), text[end..].to_owned())
    };
    let Some(rest) = version.strip_prefix('v') else {
        return (0, 0, 0);
    };
    let (major, rest) = digits(rest);
    let trial = |name| rest.strip_prefix(name).map(|number| digits(number).0);
    match (trial("beta"), trial("alpha")) {
        _ if rest.is_empty() => (3, major, 0),
        (Some(number), _) => (2, major, number),
        (_, Some(number)) => (1, major, number),
        _ => (0, 0, 0),
    }
}

fn leak(text: &Value) -> &'static str {
    Box::leak(
        text.as_str()
            .unwrap_or_default()
            .to_owned()
            .into_boxed_str(),
    )
}

fn leak_all(texts: &Value) -> &'static [&'static str] {
    let texts = texts.as_array().into_iter().flatten().map(leak);
    Box::leak(texts.collect::<Vec<_>>().into_boxed_slice())
}

impl Described {
    /// The resource, which stays for good.
    pub(super) fn keep(self) -> &'static Resource {
        let (names, version) = (&self.parts["names"], &self.parts["version"]);
        let kind = leak(&names["kind"]);
        let schema = version.pointer("/schema/openAPIV3Schema");
        let custom = Custom {
            definition: self.parts["definition"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            schema: schema.cloned().unwrap_or(Value::Null),
            list_kind: match names["listKind"].as_str() {
                Some(list) if !list.is_empty() => list.to_owned(),
                _ => format!("{kind}List"),
            },
            printers: Printer::all(&version["additionalPrinterColumns"]),
        };
        let has_status = version.pointer("/subresources/status").is_some();
        let group = leak(&self.parts["group"]);
        Box::leak(Box::new(Resource {
            group,
            version: leak(&version["name"]),
            kind,
            plural: leak(&names["plural"]),
            singular: leak(&names["singular"]),
            short_names: leak_all(&names["shortNames"]),
            categories: leak_all(&names["categories"]),
            scope: if self.parts["scope"] == "Cluster" {
                Scope::Cluster
            } else {
                Scope::Namespaced
            },
            subresources: if has_status {
                &[Subresource::Status]
            } else {
                &[]
            },
            stored_group: group,
            stored_version: leak(&self.parts["storage"]),
            nature: Nature::Stored,
            custom: Some(Box::leak(Box::new(custom))),
        }))
    }
}

/// Why the names of a definition cannot be taken, if so.
pub(crate) fn refusal(definition: &Value) -> Option<String> {
    let spec = &definition["spec"];
    let group = spec["group"].as_str().unwrap_or_default();
    let built_in = resources::all().iter().any(|one| one.group == group);
    built_in.then(|| format!("the group {group:?} is built in"))
}

/// Whether the status says that the definition is served.
pub(crate) fn is_accepted(definition: &Value) -> bool {
    let conditions = definition.pointer("/status/conditions");
    let conditions = conditions.and_then(Value::as_array);
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stable_and_high_versions_come_first() {
        let mut versions = ["v1alpha2", "v1", "odd", "v10", "v2beta1", "v1beta2", "v2"];
        versions.sort_by_key(|version| Reverse(rank(version)));
        assert_eq!(
            versions,
            ["v10", "v2", "v1", "v2beta1", "v1beta2", "v1alpha2", "odd"]
        );
    }
}
