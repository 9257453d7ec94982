//! Volumes within a pod.

use std::collections::HashSet;

use sampan_model::yaml::Node;

use super::{field, relation};
use crate::check::Grade;
use crate::check::object::Object;
use crate::check::pod::Pod;
use crate::check::rule::{Judge, Rule, Sink};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        relation(
            "pod-volume",
            Grade::Critical,
            Judge::Pods(mounts),
            [
                "a container mounts volumes that its pod has",
                "Kubernetes refuses a pod with a mount that names no volume.",
                "add the volume under `volumes`, or correct the name",
            ],
        ),
        relation(
            "pod-volume-unused",
            Grade::Warning,
            Judge::Pods(unused),
            [
                "a volume of a pod is mounted",
                "A volume that no container mounts is fetched and guarded for nothing; often a mount was forgotten.",
                "mount it, or remove it",
            ],
        ),
        relation(
            "pod-names",
            Grade::Critical,
            Judge::Pods(names),
            [
                "containers, volumes and ports of a pod have names of their own",
                "Kubernetes refuses a pod in which two have the same name.",
                "rename one of them",
            ],
        ),
    ]
}

/// The names of all volumes of a pod, with those that a StatefulSet claims for it.
fn volumes<'a>(pod: &Pod<'a>) -> HashSet<&'a str> {
    let own = pod
        .volumes()
        .iter()
        .filter_map(|volume| field(volume, "name"));
    let claimed = claim_templates(pod.object)
        .filter_map(|template| template.at(&["metadata", "name"])?.scalar());
    own.chain(claimed).collect()
}

fn claim_templates(object: &Object) -> impl Iterator<Item = &Node> {
    let templates = if object.kind == "StatefulSet" {
        object.at(&["spec", "volumeClaimTemplates"])
    } else {
        None
    };
    templates.map_or(&[][..], Node::items).iter()
}

/// The names by which containers use volumes.
fn used<'a>(pod: &Pod<'a>) -> Vec<(&'a Node, &'a str)> {
    let mut used = Vec::new();
    for container in pod.containers() {
        for list in ["volumeMounts", "volumeDevices"] {
            let mounts = container.get(list).map_or(&[][..], Node::items);
            used.extend(mounts.iter().filter_map(|mount| {
                let name = mount.get("name")?;
                Some((name, name.scalar()?))
            }));
        }
    }
    used
}

fn mounts(pod: &Pod<'_>, sink: &mut Sink<'_>) {
    let volumes = volumes(pod);
    for (node, name) in used(pod) {
        if !volumes.contains(name) && !name.contains("${") {
            sink.report(node, format!("the pod has no volume `{name}`"));
            if let Some(near) = sampan_model::nearest(name, volumes.iter().copied()) {
                sink.mend(format!("did you mean `{near}`?"));
            }
        }
    }
}

fn unused(pod: &Pod<'_>, sink: &mut Sink<'_>) {
    let used: HashSet<&str> = used(pod).into_iter().map(|(_, name)| name).collect();
    for volume in pod.volumes() {
        if let Some(name) = field(volume, "name").filter(|name| !used.contains(name)) {
            sink.report(volume, format!("no container mounts the volume `{name}`"));
        }
    }
}

fn names(pod: &Pod<'_>, sink: &mut Sink<'_>) {
    let containers = pod
        .containers()
        .filter_map(|container| container.node.get("name"));
    distinct(containers, "container", sink);
    distinct(
        pod.volumes().iter().filter_map(|volume| volume.get("name")),
        "volume",
        sink,
    );
    for container in pod.containers() {
        distinct(
            container.ports().iter().filter_map(|port| port.get("name")),
            "port",
            sink,
        );
    }
}

fn distinct<'a>(names: impl Iterator<Item = &'a Node>, what: &str, sink: &mut Sink<'_>) {
    let mut known = HashSet::new();
    for node in names {
        if let Some(name) = node.scalar().filter(|name| !known.insert(*name)) {
            sink.report(node, format!("the {what} `{name}` is there twice"));
        }
    }
}
