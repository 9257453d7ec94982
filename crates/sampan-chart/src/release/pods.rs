//! Why the pods of an object wait, in the words of the cluster.

use serde_json::Value as Json;

use super::ready::{selector, text};
use super::target::{Collection, ObjectId, Target, TargetError};

/// What a container that just begins waits for, which is no trouble.
const USUAL: [&str; 3] = ["", "ContainerCreating", "PodInitializing"];

/// What keeps the newest pod of an object that has a trouble from being ready; none where there are no pods, or nothing is
/// known of a trouble.
pub(super) fn trouble(target: &dyn Target, id: &ObjectId) -> Result<Option<String>, TargetError> {
    let Some(live) = target.get(id)? else {
        return Ok(None);
    };
    let mut pods = match id.kind.as_str() {
        "Pod" => vec![live],
        "Deployment"
        | "DaemonSet"
        | "StatefulSet"
        | "ReplicaSet"
        | "ReplicationController"
        | "Job" => target.list(&Collection {
            api_version: "v1",
            kind: "Pod",
            namespace: id.namespace.as_deref(),
            labels: &selector(&live),
        })?,
        _ => return Ok(None),
    };
    let created = |pod: &Json| text(pod, "/metadata/creationTimestamp").to_owned();
    pods.sort_by_key(|pod| std::cmp::Reverse(created(pod)));
    Ok(pods.iter().find_map(of_pod))
}

fn of_pod(pod: &Json) -> Option<String> {
    let list = |pointer: &str| pod.pointer(pointer).and_then(Json::as_array);
    let containers = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let mut containers = containers.into_iter().filter_map(list).flatten();
    let conditions = list("/status/conditions").into_iter().flatten();
    let what = containers.find_map(of_container).or_else(|| {
        let mut conditions =
            conditions.filter(|condition| text(condition, "/type") == "PodScheduled");
        let refused = conditions.find(|condition| text(condition, "/status") == "False")?;
        Some(with_message(
            text(refused, "/reason"),
            text(refused, "/message"),
        ))
    })?;
    Some(format!("pod {}: {what}", text(pod, "/metadata/name")))
}

fn of_container(status: &Json) -> Option<String> {
    let reason = text(status, "/state/waiting/reason");
    if !USUAL.contains(&reason) {
        return Some(with_message(reason, text(status, "/state/waiting/message")));
    }
    let code = status.pointer("/state/terminated/exitCode")?.as_i64()?;
    (code != 0).then(|| format!("container {} ended with {code}", text(status, "/name")))
}

fn with_message(reason: &str, message: &str) -> String {
    if message.is_empty() {
        reason.to_owned()
    } else {
        format!("{reason}, {message}")
    }
}
