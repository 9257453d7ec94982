//! `metrics.k8s.io`: what pods and the node use at the moment, for `kubectl top`.

use axum::response::Response;
use http::StatusCode;
use k8s_openapi::api::core::v1::{Node, Pod};
use serde_json::{Value, json};

use super::{Api, Call, answer};
use crate::decode;
use crate::error::Error;
use crate::objects::{List, ListRequest};
use crate::resources;
use crate::usage::{PodUse, Usage};

/// Answers a GET.
pub(crate) async fn get(api: &Api, call: &Call) -> Result<Response, Error> {
    let usage = api.usage.as_ref().ok_or(Error::MethodNotAllowed)?;
    if call.query.is_watch() {
        return Err(Error::MethodNotAllowed);
    }
    let items = match call.target.resource.kind {
        "NodeMetrics" => nodes(api, call, usage).await?,
        _ => pods(api, call, usage).await?,
    };
    let Some(name) = &call.target.name else {
        let list = List {
            items,
            revision: api.objects().revision().await?,
            continue_token: None,
        };
        return Ok(answer::list(call, list));
    };
    let one = items.into_iter().next().ok_or_else(|| Error::NotFound {
        resource: call.target.resource,
        name: name.clone(),
    })?;
    Ok(answer::object(call, StatusCode::OK, one))
}

/// The objects that are asked for, of which the use is to be told.
async fn asked(api: &Api, call: &Call, plural: &str) -> Result<Vec<Value>, Error> {
    let resource = resources::find("", "v1", plural).ok_or(Error::NoSuchResource)?;
    let namespace = call.target.namespace.clone();
    if let Some(name) = &call.target.name {
        let found = api
            .objects()
            .get_value(resource, namespace.as_deref(), name)
            .await;
        return match found {
            Ok(object) => Ok(vec![object]),
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error),
        };
    }
    let request = ListRequest {
        limit: None,
        continue_token: None,
        ..call.query.list(resource, namespace)?
    };
    Ok(api.objects().list_values(resource, &request).await?.items)
}

async fn pods(api: &Api, call: &Call, usage: &Usage) -> Result<Vec<Value>, Error> {
    let found = asked(api, call, "pods").await?;
    let found: Vec<Pod> = found
        .iter()
        .filter_map(|pod| decode::object(pod).ok())
        .collect();
    let used = usage.of(&found).await?;
    let rows = found.iter().filter_map(|pod| {
        let own = used.get(pod.metadata.uid.as_deref()?)?;
        Some(pod_metrics(pod, own))
    });
    Ok(rows.collect())
}

fn pod_metrics(pod: &Pod, used: &PodUse) -> Value {
    let containers: Vec<Value> = used
        .containers
        .iter()
        .map(|one| json!({"name": one.name, "usage": amounts(one.cpu_nanos, one.memory_bytes)}))
        .collect();
    json!({
        "kind": "PodMetrics",
        "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {
            "name": pod.metadata.name,
            "namespace": pod.metadata.namespace,
            "creationTimestamp": used.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "labels": pod.metadata.labels,
        },
        "timestamp": used.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "window": format!("{:.3}s", used.window.as_secs_f64()),
        "containers": containers,
    })
}

async fn nodes(api: &Api, call: &Call, usage: &Usage) -> Result<Vec<Value>, Error> {
    let found = asked(api, call, "nodes").await?;
    let mut rows = Vec::with_capacity(found.len());
    for node in &found {
        let Ok(node) = decode::object::<Node>(node) else {
            continue;
        };
        let machine = usage.machine().await?;
        let time = machine.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        rows.push(json!({
            "kind": "NodeMetrics",
            "apiVersion": "metrics.k8s.io/v1beta1",
            "metadata": {
                "name": node.metadata.name,
                "creationTimestamp": time,
                "labels": node.metadata.labels,
            },
            "timestamp": time,
            "window": format!("{:.3}s", machine.window.as_secs_f64()),
            "usage": amounts(machine.cpu_nanos, machine.memory_bytes),
        }));
    }
    Ok(rows)
}

fn amounts(cpu_nanos: u64, memory_bytes: u64) -> Value {
    json!({"cpu": format!("{cpu_nanos}n"), "memory": format!("{}Ki", memory_bytes / 1024)})
}
