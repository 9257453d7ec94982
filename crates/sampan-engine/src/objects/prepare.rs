//! What the server decides about an object before it is stored, whatever the client wrote.

use jiff::Timestamp;
use sampan_supervise::clock;
use serde_json::{Value, json};

use super::metadata;
use crate::error::Error;
use crate::resources::{Resource, Subresource};

/// Kinds whose `metadata.generation` counts the changes of what is wanted.
const COUNTED: &[&str] = &[
    "DaemonSet",
    "Deployment",
    "EndpointSlice",
    "HorizontalPodAutoscaler",
    "Ingress",
    "IngressClass",
    "Job",
    "CronJob",
    "CustomResourceDefinition",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "ReplicaSet",
    "StatefulSet",
];

/// A time as the API writes it: RFC 3339, UTC, whole seconds.
pub(super) fn timestamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A name from `generateName`: five characters that spell no words are appended.
pub(super) fn generate_name(base: &str) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    const LONGEST_BASE: usize = 63 - 5;
    let mut name: String = base.chars().take(LONGEST_BASE).collect();
    for byte in uuid::Uuid::new_v4().as_bytes().iter().skip(9).take(5) {
        name.push(char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
    }
    name
}

/// Whether changes of what is wanted are counted.
fn is_counted(resource: &Resource) -> bool {
    resource.custom.is_some() || COUNTED.contains(&resource.kind)
}

/// Makes a client's object into a new one.
pub(super) fn create(
    resource: &'static Resource,
    namespace: Option<&str>,
    object: &mut Value,
) -> Result<(), Error> {
    if metadata::text(object, "resourceVersion").is_some() {
        return Err(Error::BadRequest(
            "resourceVersion should not be set on objects to be created".to_owned(),
        ));
    }
    let map = metadata::map(object);
    map.insert("kind".to_owned(), resource.kind.into());
    map.insert("apiVersion".to_owned(), resource.api_version().into());
    if resource.has(Subresource::Status) && resource.kind != "Node" {
        map.remove("status");
    }
    for field in [
        "selfLink",
        "resourceVersion",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        metadata::set(object, field, None);
    }
    metadata::set(object, "namespace", namespace.map(Into::into));
    metadata::set(object, "uid", Some(uuid::Uuid::new_v4().to_string().into()));
    metadata::set(
        object,
        "creationTimestamp",
        Some(timestamp(clock::now()).into()),
    );
    let generation = is_counted(resource).then(|| 1.into());
    metadata::set(object, "generation", generation);
    initial_status(resource, object);
    Ok(())
}

/// The state in which an object of the kind begins; that of a pod is part of its defaults.
fn initial_status(resource: &Resource, object: &mut Value) {
    if resource.custom.is_some() {
        return;
    }
    let status = match resource.kind {
        "Namespace" => {
            object["spec"] = json!({"finalizers": ["kubernetes"]});
            let name = object["metadata"]["name"].clone();
            let labels = metadata::field_map(metadata::of(object), "labels");
            labels.insert("kubernetes.io/metadata.name".to_owned(), name);
            json!({"phase": "Active"})
        }
        "PersistentVolumeClaim" | "PersistentVolume" => json!({"phase": "Pending"}),
        "Service" | "Ingress" => json!({"loadBalancer": {}}),
        "ReplicaSet" => json!({"replicas": 0}),
        "HorizontalPodAutoscaler" => json!({"desiredReplicas": 0}),
        "PodDisruptionBudget" => json!({
            "currentHealthy": 0,
            "desiredHealthy": 0,
            "disruptionsAllowed": 0,
            "expectedPods": 0,
        }),
        "StatefulSet" => json!({"replicas": 0, "availableReplicas": 0}),
        "Deployment" | "Job" | "CronJob" | "ResourceQuota" => json!({}),
        "DaemonSet" => json!({
            "currentNumberScheduled": 0,
            "desiredNumberScheduled": 0,
            "numberMisscheduled": 0,
            "numberReady": 0,
        }),
        _ => return,
    };
    object["status"] = status;
}

/// Takes over from the current object what a client may not change with this write.
pub(super) fn update(
    resource: &'static Resource,
    current: &Value,
    wanted: &mut Value,
    subresource: Option<Subresource>,
) {
    match subresource {
        None => {
            if resource.has(Subresource::Status) {
                copy_field(current, wanted, "status");
            }
            if resource.kind == "Namespace" {
                copy_field(current, wanted, "spec");
            }
        }
        Some(Subresource::Status) => only(current, wanted, "status"),
        Some(Subresource::Finalize | Subresource::Scale) => only(current, wanted, "spec"),
        Some(_) => {}
    }
    for field in ["apiVersion", "kind"] {
        copy_field(current, wanted, field);
    }
    for field in [
        "name",
        "generateName",
        "namespace",
        "uid",
        "creationTimestamp",
        "generation",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        metadata::copy(current, wanted, field);
    }
    for field in ["resourceVersion", "selfLink"] {
        metadata::set(wanted, field, None);
    }
}

/// Makes `wanted` the current object with only one field (and the ownership of fields) changed.
fn only(current: &Value, wanted: &mut Value, field: &str) {
    let mut new = current.clone();
    copy_field(wanted, &mut new, field);
    metadata::copy(wanted, &mut new, "managedFields");
    if current.pointer("/metadata/managedFields").is_some()
        && new.pointer("/metadata/managedFields").is_none()
    {
        metadata::copy(current, &mut new, "managedFields");
    }
    *wanted = new;
}

fn copy_field(from: &Value, to: &mut Value, field: &str) {
    let to = metadata::map(to);
    match from.get(field) {
        Some(value) => to.insert(field.to_owned(), value.clone()),
        None => to.remove(field),
    };
}

/// Counts a change of what is wanted: anything besides metadata and status.
pub(super) fn count_generation(resource: &Resource, current: &Value, wanted: &mut Value) {
    if !is_counted(resource) {
        return;
    }
    let rest = |object: &Value| {
        let mut object = object.clone();
        let map = metadata::map(&mut object);
        map.remove("metadata");
        map.remove("status");
        object
    };
    if rest(current) != rest(wanted) {
        let generation = current
            .pointer("/metadata/generation")
            .and_then(Value::as_i64)
            .unwrap_or(0);
        metadata::set(wanted, "generation", Some((generation + 1).into()));
    }
}

/// Refuses a change that was made for another state or another object of that name.
pub(super) fn check_preconditions(
    resource: &'static Resource,
    name: &str,
    current: &Value,
    wanted: &Value,
) -> Result<(), Error> {
    let field = |object, field| metadata::text(object, field);
    let (asked, actual) = (field(wanted, "uid"), field(current, "uid"));
    if asked.is_some() && asked != actual {
        return Err(uid_differs(
            resource,
            name,
            asked.unwrap_or_default(),
            actual.unwrap_or_default(),
        ));
    }
    let asked = field(wanted, "resourceVersion");
    if asked.is_some() && asked != field(current, "resourceVersion") {
        return Err(modified(resource, name));
    }
    Ok(())
}

/// The answer to a change that was made for another object.
pub(super) fn uid_differs(
    resource: &'static Resource,
    name: &str,
    asked: &str,
    actual: &str,
) -> Error {
    Error::Conflict {
        resource,
        name: name.to_owned(),
        message: format!(
            "Precondition failed: UID in precondition: {asked}, UID in object meta: {actual}"
        ),
    }
}

/// The answer to a change that was made for an older state.
pub(super) fn modified(resource: &'static Resource, name: &str) -> Error {
    Error::Conflict {
        resource,
        name: name.to_owned(),
        message: "the object has been modified; please apply your changes to the latest version and try again"
            .to_owned(),
    }
}

/// Whether nothing holds a deleted object any more.
pub(super) fn has_ended(object: &Value) -> bool {
    let grace = object
        .pointer("/metadata/deletionGracePeriodSeconds")
        .and_then(Value::as_i64)
        .unwrap_or(0);
    let held_as_namespace = object.get("kind").is_some_and(|kind| kind == "Namespace")
        && object
            .pointer("/spec/finalizers")
            .and_then(Value::as_array)
            .is_some_and(|finalizers| !finalizers.is_empty());
    metadata::is_terminating(object)
        && grace == 0
        && metadata::finalizers(object).is_empty()
        && !held_as_namespace
}

/// Whether two objects differ only in when their managers last wrote, which is no change worth a revision.
pub(super) fn only_times_differ(current: &Value, wanted: &Value) -> bool {
    let timeless = |object: &Value| {
        let mut object = object.clone();
        if let Some(Value::Array(entries)) = object.pointer_mut("/metadata/managedFields") {
            for entry in entries {
                if let Value::Object(entry) = entry {
                    entry.remove("time");
                }
            }
        }
        object
    };
    timeless(current) == timeless(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_names_stay_within_a_label() {
        let name = generate_name(&"x".repeat(80));
        assert_eq!(name.len(), 63);
        assert!(generate_name("web-").starts_with("web-"));
        assert_ne!(generate_name("web-"), generate_name("web-"));
    }
}
