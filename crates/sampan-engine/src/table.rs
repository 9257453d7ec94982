//! Renders objects as the tables that `kubectl get` prints (`as=Table;g=meta.k8s.io;v=v1`).

mod age;
mod batch;
mod cluster;
mod config;
mod network;
mod pod;
mod policy;
mod rbac;
mod storage;
mod workload;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::custom::printer::Printer;
use crate::decode;
use crate::resources::Resource;

/// One column: its name, the JSON type of its cells, and 1 when it is shown with `-o wide` only.
#[derive(Debug, Clone, Copy)]
struct Column {
    name: &'static str,
    kind: &'static str,
    priority: u8,
}

type Cells = fn(&Value, Timestamp) -> Option<Vec<Value>>;

/// How the objects of one kind become rows.
struct Layout {
    group: &'static str,
    kind: &'static str,
    columns: &'static [Column],
    cells: Cells,
}

impl Layout {
    const fn new(
        group: &'static str,
        kind: &'static str,
        columns: &'static [Column],
        cells: Cells,
    ) -> Self {
        Self {
            group,
            kind,
            columns,
            cells,
        }
    }
}

/// The `columnDefinitions` of a resource's tables.
#[must_use]
pub fn columns(resource: &Resource) -> Value {
    if let Some(custom) = resource.custom {
        let name = json!({"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0});
        let others = custom.printers.iter().map(Printer::definition);
        return [name].into_iter().chain(others).collect();
    }
    let definitions = layout(resource).columns.iter().map(|column| {
        let format = if column.name == "Name" { "name" } else { "" };
        json!({
            "name": column.name,
            "type": column.kind,
            "format": format,
            "description": "",
            "priority": column.priority,
        })
    });
    definitions.collect()
}

/// The cells of an object's row, one for each column; ages are counted until `now`.
#[must_use]
pub fn cells(resource: &Resource, object: &Value, now: Timestamp) -> Vec<Value> {
    if let Some(custom) = resource.custom {
        let name = object["metadata"]["name"].clone();
        let others = custom
            .printers
            .iter()
            .map(|printer| printer.cell(object, now));
        return [name].into_iter().chain(others).collect();
    }
    let layout = layout(resource);
    // An object that is not of its kind's shape still has a row with its name.
    (layout.cells)(object, now).unwrap_or_else(|| {
        let mut cells = vec![Value::from(""); layout.columns.len()];
        if let Some(cell) = cells.first_mut() {
            *cell = object["metadata"]["name"].clone();
        }
        cells
    })
}

/// The `conditions` of a row: pods that have ended are marked, so that clients can leave them out.
#[must_use]
pub fn conditions(resource: &Resource, object: &Value) -> Option<Value> {
    if !resource.group.is_empty() || resource.kind != "Pod" {
        return None;
    }
    let (reason, message) = match object["status"]["phase"].as_str()? {
        "Succeeded" => ("Succeeded", "The pod has completed successfully."),
        "Failed" => ("Failed", "The pod failed."),
        _ => return None,
    };
    Some(json!([
        {"type": "Completed", "status": "True", "reason": reason, "message": message}
    ]))
}

#[rustfmt::skip]
static LAYOUTS: &[Layout] = &[
    Layout::new("", "Pod", pod::COLUMNS, pod::cells),
    Layout::new("", "Service", network::SERVICE, network::service),
    Layout::new("", "Endpoints", network::ENDPOINTS, network::endpoints),
    Layout::new("", "ConfigMap", config::CONFIG_MAP, config::config_map),
    Layout::new("", "Secret", config::SECRET, config::secret),
    Layout::new("", "ServiceAccount", config::SERVICE_ACCOUNT, config::service_account),
    Layout::new("", "Namespace", cluster::NAMESPACE, cluster::namespace),
    Layout::new("", "Node", cluster::NODE, cluster::node),
    Layout::new("", "Event", cluster::EVENT, cluster::event),
    Layout::new("events.k8s.io", "Event", cluster::EVENT, cluster::event),
    Layout::new("", "PersistentVolumeClaim", storage::CLAIM, storage::claim),
    Layout::new("", "PersistentVolume", storage::VOLUME, storage::volume),
    Layout::new("storage.k8s.io", "StorageClass", storage::CLASS, storage::class),
    Layout::new("apps", "DaemonSet", workload::DAEMON_SET, workload::daemon_set),
    Layout::new("apps", "Deployment", workload::DEPLOYMENT, workload::deployment),
    Layout::new("apps", "ReplicaSet", workload::REPLICA_SET, workload::replica_set),
    Layout::new("apps", "StatefulSet", workload::STATEFUL_SET, workload::stateful_set),
    Layout::new("apps", "ControllerRevision", workload::REVISION, workload::revision),
    Layout::new("", "ResourceQuota", policy::QUOTA, policy::quota),
    Layout::new("", "PodTemplate", workload::POD_TEMPLATE, workload::pod_template),
    Layout::new("autoscaling", "HorizontalPodAutoscaler", policy::AUTOSCALER, policy::autoscaler),
    Layout::new("networking.k8s.io", "NetworkPolicy", policy::NETWORK_POLICY, policy::network_policy),
    Layout::new("policy", "PodDisruptionBudget", policy::BUDGET, policy::budget),
    Layout::new("rbac.authorization.k8s.io", "ClusterRoleBinding", rbac::BINDING, rbac::cluster_role_binding),
    Layout::new("rbac.authorization.k8s.io", "RoleBinding", rbac::BINDING, rbac::role_binding),
    Layout::new("scheduling.k8s.io", "PriorityClass", policy::PRIORITY_CLASS, policy::priority_class),
    Layout::new("batch", "Job", batch::JOB, batch::job),
    Layout::new("batch", "CronJob", batch::CRON_JOB, batch::cron_job),
    Layout::new("networking.k8s.io", "Ingress", network::INGRESS, network::ingress),
    Layout::new("networking.k8s.io", "IngressClass", network::INGRESS_CLASS, network::ingress_class),
    Layout::new("discovery.k8s.io", "EndpointSlice", network::ENDPOINT_SLICE, network::endpoint_slice),
    Layout::new("coordination.k8s.io", "Lease", cluster::LEASE, cluster::lease),
];

static ANY: Layout = Layout::new("", "", OTHER, other);

fn layout(resource: &Resource) -> &'static Layout {
    let found = LAYOUTS
        .iter()
        .find(|layout| layout.group == resource.group && layout.kind == resource.kind);
    found.unwrap_or(&ANY)
}

const OTHER: &[Column] = &[NAME, column("Created At", "date")];

fn other(object: &Value, _: Timestamp) -> Option<Vec<Value>> {
    let metadata = object.get("metadata")?;
    Some(vec![
        metadata["name"].clone(),
        metadata["creationTimestamp"].clone(),
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

/// A time in seconds as kubectl prints it.
pub(crate) fn age(seconds: i64) -> String {
    age::seconds(seconds)
}

/// Reads an object as its kind.
fn read<K: DeserializeOwned>(object: &Value) -> Option<K> {
    decode::object(object).ok()
}

/// A text, or `<none>` when there is none.
fn or_none(text: Option<String>) -> String {
    text.filter(|text| !text.is_empty())
        .unwrap_or_else(|| "<none>".to_owned())
}

#[cfg(test)]
mod tests;
