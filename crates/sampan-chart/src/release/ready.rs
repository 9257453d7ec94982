//! When objects are ready, as Helm's `--wait` has it.

use serde_json::Value as Json;

use super::objects::Resource;
use super::target::{Collection, ObjectId, Target, TargetError};

/// How far an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Readiness {
    /// It is ready.
    Ready,
    /// It is not yet; and what is missing.
    Waiting(String),
    /// It never will be; and why.
    Hopeless(String),
}

/// Looks how far an object is. Jobs count only when asked for.
pub(super) fn look(
    target: &dyn Target,
    resource: &Resource,
    jobs: bool,
) -> Result<Readiness, TargetError> {
    let id = &resource.id;
    let counts = match (id.group(), id.kind.as_str()) {
        ("", "Pod" | "PersistentVolumeClaim" | "Service" | "ReplicationController")
        | ("apps" | "extensions", "Deployment" | "DaemonSet" | "ReplicaSet")
        | ("apps", "StatefulSet")
        | ("apiextensions.k8s.io", "CustomResourceDefinition") => true,
        ("batch", "Job") => jobs,
        _ => false,
    };
    if !counts {
        return Ok(Readiness::Ready);
    }
    let Some(live) = target.get(id)? else {
        return Ok(Readiness::Waiting("it is not there".to_owned()));
    };
    Ok(match id.kind.as_str() {
        "Pod" => of_pod(&live),
        "PersistentVolumeClaim" => claim(&live),
        "Service" => service(&live),
        "Deployment" => return deployment(target, id, &live),
        "DaemonSet" => daemon_set(&live),
        "StatefulSet" => stateful_set(&live),
        "CustomResourceDefinition" => definition(&live),
        "Job" => job(&live),
        _ => return with_pods(target, id, &live),
    })
}

fn number(object: &Json, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Json::as_i64).unwrap_or(0)
}

pub(super) fn text<'a>(object: &'a Json, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Json::as_str)
        .unwrap_or_default()
}

/// Whether a condition of an object has a state.
pub(super) fn has_condition(object: &Json, kind: &str, state: &str) -> bool {
    let conditions = object
        .pointer("/status/conditions")
        .and_then(Json::as_array);
    conditions
        .into_iter()
        .flatten()
        .any(|condition| text(condition, "/type") == kind && text(condition, "/status") == state)
}

fn waiting(text: impl Into<String>) -> Readiness {
    Readiness::Waiting(text.into())
}

/// What is missing as long as the status speaks of an earlier form of the object.
fn unobserved(live: &Json) -> Option<Readiness> {
    let observed = number(live, "/status/observedGeneration");
    let is_current = observed == number(live, "/metadata/generation");
    (!is_current).then(|| waiting("its change has not been taken up"))
}

fn of_pod(live: &Json) -> Readiness {
    if has_condition(live, "Ready", "True") {
        return Readiness::Ready;
    }
    waiting(format!(
        "the pod is not ready ({})",
        text(live, "/status/phase")
    ))
}

fn claim(live: &Json) -> Readiness {
    match text(live, "/status/phase") {
        "Bound" => Readiness::Ready,
        _ => waiting("the claim has no volume"),
    }
}

fn service(live: &Json) -> Readiness {
    let kind = text(live, "/spec/type");
    if kind == "ExternalName" {
        return Readiness::Ready;
    }
    if text(live, "/spec/clusterIP").is_empty() {
        return waiting("the service has no address");
    }
    let filled = |pointer: &str| {
        let list = live.pointer(pointer).and_then(Json::as_array);
        list.is_some_and(|list| !list.is_empty())
    };
    if kind == "LoadBalancer"
        && !filled("/spec/externalIPs")
        && !filled("/status/loadBalancer/ingress")
    {
        return waiting("no load balancer has taken the service");
    }
    Readiness::Ready
}

fn job(live: &Json) -> Readiness {
    let failed = number(live, "/status/failed");
    let limit = live
        .pointer("/spec/backoffLimit")
        .and_then(Json::as_i64)
        .unwrap_or(6);
    if failed > limit {
        let (namespace, name) = (
            text(live, "/metadata/namespace"),
            text(live, "/metadata/name"),
        );
        return Readiness::Hopeless(format!("job is failed: {namespace}/{name}"));
    }
    let done = number(live, "/status/succeeded");
    match live.pointer("/spec/completions").and_then(Json::as_i64) {
        Some(wanted) if done < wanted => waiting(format!("{done} of {wanted} completed")),
        _ => Readiness::Ready,
    }
}

fn definition(live: &Json) -> Readiness {
    // A conflict of names is not for the one who waits to solve.
    if has_condition(live, "Established", "True") || has_condition(live, "NamesAccepted", "False") {
        return Readiness::Ready;
    }
    waiting("the kind is not served")
}

/// How many of `whole` a field allows, given as a number or a part in percent.
fn share(field: Option<&Json>, whole: i64, up: bool) -> i64 {
    match field {
        Some(Json::String(part)) => {
            let Some(percent) = part
                .strip_suffix('%')
                .and_then(|part| part.parse::<i64>().ok())
            else {
                return whole;
            };
            let all = percent.saturating_mul(whole);
            if up {
                all.saturating_add(99) / 100
            } else {
                all / 100
            }
        }
        Some(number) => number.as_i64().unwrap_or(0),
        None => 0,
    }
}

fn deployment(target: &dyn Target, id: &ObjectId, live: &Json) -> Result<Readiness, TargetError> {
    if live.pointer("/spec/paused").and_then(Json::as_bool) == Some(true) {
        return Ok(Readiness::Ready);
    }
    let Some(set) = new_replica_set(target, id, live)? else {
        return Ok(waiting("its change has not been taken up"));
    };
    if let Some(missing) = unobserved(&set).or_else(|| unobserved(live)) {
        return Ok(missing);
    }
    let replicas = live
        .pointer("/spec/replicas")
        .and_then(Json::as_i64)
        .unwrap_or(1);
    let expected = replicas - max_unavailable(live, replicas);
    let ready = number(&set, "/status/readyReplicas");
    Ok(if ready >= expected {
        Readiness::Ready
    } else {
        waiting(format!("{ready} of {expected} new pods are ready"))
    })
}

/// How many pods of a deployment may be missing: of both bounds, at least one lets it move.
fn max_unavailable(live: &Json, replicas: i64) -> i64 {
    if text(live, "/spec/strategy/type") != "RollingUpdate" || replicas == 0 {
        return 0;
    }
    let bound = |name: &str| live.pointer(&format!("/spec/strategy/rollingUpdate/{name}"));
    let surge = share(bound("maxSurge"), replicas, true);
    let missing = share(bound("maxUnavailable"), replicas, false);
    let missing = if surge == 0 && missing == 0 {
        1
    } else {
        missing
    };
    missing.min(replicas)
}

/// The replica set with the pods that a deployment wants.
fn new_replica_set(
    target: &dyn Target,
    id: &ObjectId,
    live: &Json,
) -> Result<Option<Json>, TargetError> {
    let sets = target.list(&Collection {
        api_version: "apps/v1",
        kind: "ReplicaSet",
        namespace: id.namespace.as_deref(),
        labels: &selector(live),
    })?;
    let uid = text(live, "/metadata/uid");
    let template = template(live);
    let mut sets: Vec<_> = sets.into_iter().filter(|set| is_owned(set, uid)).collect();
    sets.sort_by(|one, other| {
        let created = |set| text(set, "/metadata/creationTimestamp");
        created(one).cmp(created(other))
    });
    Ok(sets.into_iter().find(|set| self::template(set) == template))
}

fn is_owned(object: &Json, uid: &str) -> bool {
    let owners = object
        .pointer("/metadata/ownerReferences")
        .and_then(Json::as_array);
    let is_owner = |owner: &Json| text(owner, "/uid") == uid;
    owners.into_iter().flatten().any(is_owner)
}

/// The template of the pods, without what tells replica sets apart.
fn template(object: &Json) -> Json {
    let mut template = object
        .pointer("/spec/template")
        .cloned()
        .unwrap_or_default();
    if let Some(metadata) = template.get_mut("metadata").and_then(Json::as_object_mut) {
        metadata.remove("creationTimestamp");
        if let Some(labels) = metadata.get_mut("labels").and_then(Json::as_object_mut) {
            labels.remove("pod-template-hash");
        }
    }
    template
}

/// The selector of an object's pods, as text.
pub(super) fn selector(object: &Json) -> String {
    let Some(selector) = object.pointer("/spec/selector") else {
        return String::new();
    };
    let labels = match selector
        .get("matchLabels")
        .or_else(|| selector.get("matchExpressions"))
    {
        Some(_) => selector.get("matchLabels"),
        None => Some(selector),
    };
    let labels = labels.and_then(Json::as_object).into_iter().flatten();
    let mut terms: Vec<_> = labels
        .filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)))
        .collect();
    let expressions = selector.get("matchExpressions").and_then(Json::as_array);
    terms.extend(expressions.into_iter().flatten().filter_map(expression));
    terms.join(",")
}

fn expression(expression: &Json) -> Option<String> {
    let key = expression.get("key")?.as_str()?;
    let values = expression.get("values").and_then(Json::as_array);
    let values: Vec<_> = values
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    let values = values.join(",");
    Some(match text(expression, "/operator") {
        "In" => format!("{key} in ({values})"),
        "NotIn" => format!("{key} notin ({values})"),
        "Exists" => key.to_owned(),
        "DoesNotExist" => format!("!{key}"),
        _ => return None,
    })
}

fn daemon_set(live: &Json) -> Readiness {
    if let Some(missing) = unobserved(live) {
        return missing;
    }
    if text(live, "/spec/updateStrategy/type") != "RollingUpdate" {
        return Readiness::Ready;
    }
    let wanted = number(live, "/status/desiredNumberScheduled");
    let updated = number(live, "/status/updatedNumberScheduled");
    if updated != wanted {
        return waiting(format!("{updated} of {wanted} pods are new"));
    }
    let bound = live.pointer("/spec/updateStrategy/rollingUpdate/maxUnavailable");
    let expected = wanted - share(bound, wanted, true);
    let ready = number(live, "/status/numberReady");
    if ready >= expected {
        Readiness::Ready
    } else {
        waiting(format!("{ready} of {expected} pods are ready"))
    }
}

fn stateful_set(live: &Json) -> Readiness {
    if let Some(missing) = unobserved(live) {
        return missing;
    }
    if text(live, "/spec/updateStrategy/type") != "RollingUpdate" {
        return Readiness::Ready;
    }
    let partition = number(live, "/spec/updateStrategy/rollingUpdate/partition");
    let replicas = live
        .pointer("/spec/replicas")
        .and_then(Json::as_i64)
        .unwrap_or(1);
    let updated = number(live, "/status/updatedReplicas");
    if updated < replicas - partition {
        return waiting(format!(
            "{updated} of {} pods are new",
            replicas - partition
        ));
    }
    let ready = number(live, "/status/readyReplicas");
    if ready != replicas {
        return waiting(format!("{ready} of {replicas} pods are ready"));
    }
    let (current, update) = (
        text(live, "/status/currentRevision"),
        text(live, "/status/updateRevision"),
    );
    if partition == 0 && current != update {
        return waiting("its update is not over");
    }
    Readiness::Ready
}

/// A replica set or replication controller is ready when it has been taken up and all its pods are ready.
fn with_pods(target: &dyn Target, id: &ObjectId, live: &Json) -> Result<Readiness, TargetError> {
    if let Some(missing) = unobserved(live) {
        return Ok(missing);
    }
    let pods = target.list(&Collection {
        api_version: "v1",
        kind: "Pod",
        namespace: id.namespace.as_deref(),
        labels: &selector(live),
    })?;
    let missing = pods
        .iter()
        .filter(|pod| of_pod(pod) != Readiness::Ready)
        .count();
    Ok(if missing == 0 {
        Readiness::Ready
    } else {
        waiting(format!("{missing} of its pods are not ready"))
    })
}
