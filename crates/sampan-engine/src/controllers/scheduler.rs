//! Gives pods to the only node there is, if they fit.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, PersistentVolumeClaim, Pod, PodCondition, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sampan_supervise::clock;

use super::affinity;
use super::context::Context;
use super::queue::Key;
use super::runner::Reconciler;
use super::{key_of, pods};
use crate::error::Error;
use crate::kubelet::quantity;
use crate::objects::Change;

const SOURCE: &str = "default-scheduler";
/// The taint that a cordoned node stands for.
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// The controller.
pub(crate) struct Scheduler(pub(crate) Context);

impl Reconciler for Scheduler {
    const NAME: &'static str = SOURCE;

    fn concerned(&self, change: &Change) -> Vec<Key> {
        match change.kind {
            "Pod" if !change.ended && !change.terminating => vec![change.key()],
            // Room was made, the node changed, or a claim is gone: all that wait are looked at again.
            "Pod" | "Node" => vec![Key::new("", "")],
            "PersistentVolumeClaim" if change.deleted => vec![Key::new("", "")],
            _ => Vec::new(),
        }
    }

    async fn all(&self) -> Result<Vec<Key>, Error> {
        Ok(vec![Key::new("", "")])
    }

    async fn reconcile(&self, key: &Key) -> Result<Option<Timestamp>, Error> {
        let objects = &self.0.objects;
        if key.name.is_empty() {
            for pod in objects
                .list::<Pod>(None)
                .await?
                .iter()
                .filter(|pod| waits(pod))
            {
                let key = key_of(pod);
                self.schedule(&key).await?;
            }
            return Ok(None);
        }
        self.schedule(key).await.map(|()| None)
    }
}

fn waits(pod: &Pod) -> bool {
    let spec = pod.spec.as_ref();
    let gates = spec.and_then(|spec| spec.scheduling_gates.as_ref());
    let scheduler = spec.and_then(|spec| spec.scheduler_name.as_deref());
    spec.is_some_and(|spec| spec.node_name.as_deref().unwrap_or_default().is_empty())
        && gates.is_none_or(Vec::is_empty)
        && matches!(scheduler, None | Some("" | "default-scheduler"))
        && pods::is_active(pod)
}

impl Scheduler {
    async fn schedule(&self, key: &Key) -> Result<(), Error> {
        let objects = &self.0.objects;
        let Some(mut pod) = objects.get::<Pod>(key.namespace(), &key.name).await? else {
            return Ok(());
        };
        if !waits(&pod) {
            return Ok(());
        }
        let Some(node) = objects.get::<Node>(None, &self.0.node.name).await? else {
            return Ok(());
        };
        let others = objects.list::<Pod>(None).await?;
        if let Some(problem) = obstacle(&pod, &node, &others) {
            return self.refuse(pod, &format!("1 {problem}")).await;
        }
        if let Some(problem) = self.ending_claim(&pod).await? {
            return self.refuse(pod, &problem).await;
        }
        pod.spec.get_or_insert_default().node_name = Some(self.0.node.name.clone());
        let pod = objects.update(&pod).await?;
        let message = format!(
            "Successfully assigned {}/{} to {}",
            key.namespace, key.name, self.0.node.name
        );
        self.0.normal(SOURCE, &pod, "Scheduled", message);
        Ok(())
    }

    /// A claim of the pod that is on its way out: its data go with it, so the pod waits for the next one.
    async fn ending_claim(&self, pod: &Pod) -> Result<Option<String>, Error> {
        let namespace = pod.metadata.namespace.as_deref();
        for name in pods::claims(pod) {
            let claim = self
                .0
                .objects
                .get::<PersistentVolumeClaim>(namespace, name)
                .await?;
            if claim.is_some_and(|claim| claim.metadata.deletion_timestamp.is_some()) {
                return Ok(Some(format!(
                    "persistentvolumeclaim \"{name}\" is being deleted"
                )));
            }
        }
        Ok(None)
    }

    async fn refuse(&self, mut pod: Pod, problem: &str) -> Result<(), Error> {
        let message = format!("0/1 nodes are available: {problem}.");
        if pods::condition(&pod, "PodScheduled")
            .is_some_and(|condition| condition.message.as_ref() == Some(&message))
        {
            return Ok(());
        }
        self.0
            .warning(SOURCE, &pod, "FailedScheduling", message.clone());
        let status = pod.status.get_or_insert_default();
        status.phase.get_or_insert_with(|| "Pending".to_owned());
        let conditions = status.conditions.get_or_insert_default();
        conditions.retain(|condition| condition.type_ != "PodScheduled");
        conditions.push(PodCondition {
            type_: "PodScheduled".to_owned(),
            status: "False".to_owned(),
            reason: Some("Unschedulable".to_owned()),
            message: Some(message),
            last_transition_time: Some(Time(clock::now())),
            ..PodCondition::default()
        });
        self.0.objects.update_status(&pod).await.map(drop)
    }
}

/// Why a pod cannot run on the node, if so.
fn obstacle(pod: &Pod, node: &Node, others: &[Pod]) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    if !affinity::accepts(spec, node) {
        return Some("node(s) didn't match Pod's node affinity/selector".to_owned());
    }
    let cordoned = node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true);
    if cordoned && !pods::tolerates(spec, UNSCHEDULABLE, "NoSchedule") {
        return Some("node(s) were unschedulable".to_owned());
    }
    let placed: Vec<&PodSpec> = others
        .iter()
        .filter(|other| !pods::is_terminal(other) && other.metadata.uid != pod.metadata.uid)
        .filter_map(|other| other.spec.as_ref())
        .filter(|spec| spec.node_name.is_some())
        .collect();
    let wanted = host_ports(spec);
    if placed
        .iter()
        .any(|other| host_ports(other).iter().any(|port| wanted.contains(port)))
    {
        return Some("node(s) didn't have free ports for the requested pod ports".to_owned());
    }
    let status = node.status.clone().unwrap_or_default();
    let room = status.allocatable.unwrap_or_default();
    let limit = |name: &str| room.get(name).and_then(quantity::millis);
    let count = i128::try_from(placed.len() + 1).unwrap_or(i128::MAX);
    if limit("pods").is_some_and(|limit| count * 1000 > limit) {
        return Some("Too many pods".to_owned());
    }
    ["cpu", "memory", "ephemeral-storage"]
        .into_iter()
        .find_map(|name| {
            let needed = requested(spec, name);
            let used: i128 = placed.iter().map(|spec| requested(spec, name)).sum();
            (needed > 0 && limit(name).is_some_and(|limit| used + needed > limit))
                .then(|| format!("Insufficient {name}"))
        })
}

/// What a pod asks for: the sum of its containers, or the largest of its init containers.
fn requested(spec: &PodSpec, name: &str) -> i128 {
    let of = |container| {
        quantity::request(container, name)
            .and_then(quantity::millis)
            .unwrap_or(0)
    };
    let (mut sidecars, mut peak) = (0, 0);
    for container in spec.init_containers.iter().flatten() {
        if container.restart_policy.as_deref() == Some("Always") {
            sidecars += of(container);
            peak = peak.max(sidecars);
        } else {
            peak = peak.max(sidecars + of(container));
        }
    }
    peak.max(sidecars + spec.containers.iter().map(of).sum::<i128>())
}

fn host_ports(spec: &PodSpec) -> Vec<(i32, String)> {
    let containers = spec
        .containers
        .iter()
        .chain(spec.init_containers.iter().flatten());
    containers
        .flat_map(|container| container.ports.iter().flatten())
        .filter_map(|port| {
            let protocol = port.protocol.clone().unwrap_or_else(|| "TCP".to_owned());
            Some((port.host_port.filter(|number| *number > 0)?, protocol))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(spec: &serde_json::Value) -> Pod {
        serde_json::from_value(json!({"metadata": {"uid": "new"}, "spec": spec})).unwrap()
    }

    fn node() -> Node {
        serde_json::from_value(json!({
            "metadata": {"labels": {"disk": "fast"}},
            "status": {"allocatable": {"cpu": "2", "memory": "1Gi", "pods": "110"}},
        }))
        .unwrap()
    }

    fn asking(cpu: &str) -> serde_json::Value {
        json!({"nodeName": "n", "containers": [
            {"name": "a", "resources": {"requests": {"cpu": cpu}}, "ports": [{"containerPort": 1, "hostPort": 80}]}]})
    }

    #[test]
    fn a_pod_that_does_not_fit_says_why() {
        let mut other = pod(&asking("1500m"));
        other.metadata.uid = Some("old".to_owned());
        let mut more = asking("600m");
        more["containers"][0]["ports"] = json!([]);
        assert_eq!(
            obstacle(&pod(&more), &node(), &[other.clone()]).as_deref(),
            Some("Insufficient cpu")
        );
        let clash = obstacle(&pod(&asking("1m")), &node(), &[other]);
        assert_eq!(
            clash.as_deref(),
            Some("node(s) didn't have free ports for the requested pod ports")
        );
        let elsewhere = pod(&json!({"nodeSelector": {"disk": "slow"}, "containers": []}));
        let problem = obstacle(&elsewhere, &node(), &[]);
        assert_eq!(
            problem.as_deref(),
            Some("node(s) didn't match Pod's node affinity/selector")
        );
        assert_eq!(obstacle(&pod(&asking("2")), &node(), &[]), None);
    }
}
