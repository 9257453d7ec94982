//! Renders objects as the tables that `kubectl get` prints (`as=Table;g=meta.k8s.io;v=v1`).

mod age;
mod cluster;
mod config;
mod network;
mod pod;
mod storage;
mod workload;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::resources::Resource;

/// What each row carries besides its cells (`includeObject`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Include {
    /// Nothing.
    None,
    /// The object's metadata, which clients need for labels and names.
    #[default]
    Metadata,
    /// The whole object.
    Object,
}

impl Include {
    /// Reads the query parameter; `None` when it has an unknown value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "None" => Some(Self::None),
            "" | "Metadata" => Some(Self::Metadata),
            "Object" => Some(Self::Object),
            _ => None,
        }
    }
}

/// One column: its name, the JSON type of its cells, and 1 when it is shown with `-o wide` only.
#[derive(Debug, Clone, Copy)]
struct Column {
    name: &'static str,
    kind: &'static str,
    priority: u8,
}

/// How the objects of one resource become rows.
struct Layout {
    columns: &'static [Column],
    cells: fn(&Value, Timestamp) -> Option<Vec<Value>>,
}

/// A table of objects. `metadata` is that of the list (or of the single object: its
/// `resourceVersion`); ages are counted until `now`.
#[must_use]
pub fn table(
    resource: &Resource,
    objects: &[Value],
    metadata: &Value,
    include: Include,
    now: Timestamp,
) -> Value {
    let layout = layout(resource);
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| row(&layout, object, include, now))
        .collect();
    let columns: Vec<Value> = layout.columns.iter().map(definition).collect();
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": columns,
        "rows": rows,
    })
}

fn definition(column: &Column) -> Value {
    let format = if column.name == "Name" { "name" } else { "" };
    json!({
        "name": column.name,
        "type": column.kind,
        "format": format,
        "description": "",
        "priority": column.priority,
    })
}

fn row(layout: &Layout, object: &Value, include: Include, now: Timestamp) -> Value {
    // An object that is not of its kind's shape still has a row with its name.
    let cells = (layout.cells)(object, now).unwrap_or_else(|| {
        let mut cells = vec![Value::from(""); layout.columns.len()];
        if let Some(cell) = cells.first_mut() {
            *cell = object
                .pointer("/metadata/name")
                .cloned()
                .unwrap_or_default();
        }
        cells
    });
    let mut row = Map::new();
    row.insert("cells".to_owned(), Value::Array(cells));
    if let Some(condition) = ended(object) {
        row.insert("conditions".to_owned(), json!([condition]));
    }
    let shown = match include {
        Include::None => None,
        Include::Metadata => Some(json!({
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": object.get("metadata"),
        })),
        Include::Object => Some(object.clone()),
    };
    row.extend(shown.map(|object| ("object".to_owned(), object)));
    Value::Object(row)
}

/// Pods that have ended are marked, so that clients can leave them out.
fn ended(object: &Value) -> Option<Value> {
    if object.get("kind").and_then(Value::as_str) != Some("Pod") {
        return None;
    }
    let (reason, message) = match object.pointer("/status/phase")?.as_str()? {
        "Succeeded" => ("Succeeded", "The pod has completed successfully."),
        "Failed" => ("Failed", "The pod failed."),
        _ => return None,
    };
    Some(json!({"type": "Completed", "status": "True", "reason": reason, "message": message}))
}

fn layout(resource: &Resource) -> Layout {
    match (resource.group, resource.kind) {
        ("", "Pod") => Layout {
            columns: pod::COLUMNS,
            cells: pod::cells,
        },
        ("", "Service") => Layout {
            columns: network::SERVICE,
            cells: network::service,
        },
        ("", "Endpoints") => Layout {
            columns: network::ENDPOINTS,
            cells: network::endpoints,
        },
        ("", "ConfigMap") => Layout {
            columns: config::CONFIG_MAP,
            cells: config::config_map,
        },
        ("", "Secret") => Layout {
            columns: config::SECRET,
            cells: config::secret,
        },
        ("", "ServiceAccount") => Layout {
            columns: config::SERVICE_ACCOUNT,
            cells: config::service_account,
        },
        ("", "Namespace") => Layout {
            columns: cluster::NAMESPACE,
            cells: cluster::namespace,
        },
        ("", "Node") => Layout {
            columns: cluster::NODE,
            cells: cluster::node,
        },
        ("" | "events.k8s.io", "Event") => Layout {
            columns: cluster::EVENT,
            cells: cluster::event,
        },
        ("", "PersistentVolumeClaim") => Layout {
            columns: storage::CLAIM,
            cells: storage::claim,
        },
        ("", "PersistentVolume") => Layout {
            columns: storage::VOLUME,
            cells: storage::volume,
        },
        ("storage.k8s.io", "StorageClass") => Layout {
            columns: storage::CLASS,
            cells: storage::class,
        },
        ("apps", "Deployment") => Layout {
            columns: workload::DEPLOYMENT,
            cells: workload::deployment,
        },
        ("apps", "ReplicaSet") => Layout {
            columns: workload::REPLICA_SET,
            cells: workload::replica_set,
        },
        ("apps", "StatefulSet") => Layout {
            columns: workload::STATEFUL_SET,
            cells: workload::stateful_set,
        },
        ("apps", "ControllerRevision") => Layout {
            columns: workload::REVISION,
            cells: workload::revision,
        },
        ("networking.k8s.io", "Ingress") => Layout {
            columns: network::INGRESS,
            cells: network::ingress,
        },
        ("networking.k8s.io", "IngressClass") => Layout {
            columns: network::INGRESS_CLASS,
            cells: network::ingress_class,
        },
        ("discovery.k8s.io", "EndpointSlice") => Layout {
            columns: network::ENDPOINT_SLICE,
            cells: network::endpoint_slice,
        },
        ("coordination.k8s.io", "Lease") => Layout {
            columns: cluster::LEASE,
            cells: cluster::lease,
        },
        _ => Layout {
            columns: OTHER,
            cells: other,
        },
    }
}

const OTHER: &[Column] = &[NAME, column("Created At", "date")];

fn other(object: &Value, _: Timestamp) -> Option<Vec<Value>> {
    let text = |pointer: &str| object.pointer(pointer).cloned().unwrap_or_default();
    Some(vec![
        text("/metadata/name"),
        text("/metadata/creationTimestamp"),
    ])
}

const fn column(name: &'static str, kind: &'static str) -> Column {
    Column {
        name,
        kind,
        priority: 0,
    }
}

const fn text(name: &'static str) -> Column {
    column(name, "string")
}

const fn number(name: &'static str) -> Column {
    column(name, "integer")
}

const fn wide(name: &'static str) -> Column {
    Column {
        name,
        kind: "string",
        priority: 1,
    }
}

const NAME: Column = text("Name");
const AGE: Column = text("Age");

/// Reads an object as its kind.
fn read<K: DeserializeOwned>(object: &Value) -> Option<K> {
    K::deserialize(object).ok()
}

/// A text, or `<none>` when there is none.
fn or_none(text: Option<String>) -> String {
    text.filter(|text| !text.is_empty())
        .unwrap_or_else(|| "<none>".to_owned())
}

#[cfg(test)]
mod tests;
