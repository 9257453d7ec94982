//! Fields, labels and annotations that something else has taken the place of.

use sampan_kubernetes::Version;
use sampan_model::yaml::{Content, Node};

use super::schema;
use crate::check::Grade;
use crate::check::object::Object;
use crate::check::pod::Pod;
use crate::check::rule::{Judge, Rule, Sink};

pub(super) fn rules() -> Vec<Rule> {
    vec![schema(
        "field-deprecated",
        Grade::Warning,
        Judge::Objects(judge),
        [
            "nothing that is about to go is written",
            "What is deprecated goes some day, often without a word: the object is taken, and does something else.",
            "write what has taken its place",
        ],
    )]
}

/// What is deprecated, or does nothing any more.
struct Old {
    name: &'static str,
    /// The minor version of Kubernetes that deprecated it, or [`ALWAYS`].
    since: u16,
    /// The one from which on nobody does what it says.
    gone: Option<u16>,
    instead: &'static str,
}

/// Since the first version of the API.
const ALWAYS: u16 = 0;

const fn old(name: &'static str, since: u16, gone: Option<u16>, instead: &'static str) -> Old {
    Old {
        name,
        since,
        gone,
        instead,
    }
}

const CSI: &str = "use a PersistentVolumeClaim with the StorageClass of a CSI driver";

/// Sources of the volumes of pods and of the cluster.
const VOLUMES: &[Old] = &[
    old(
        "gitRepo",
        11,
        None,
        "let an init container clone into an `emptyDir`",
    ),
    old("awsElasticBlockStore", 17, None, CSI),
    old("azureDisk", 19, None, CSI),
    old("azureFile", 21, None, CSI),
    old("cephfs", 28, Some(31), CSI),
    old("cinder", 18, None, CSI),
    old("flocker", 22, Some(25), CSI),
    old("gcePersistentDisk", 17, None, CSI),
    old("glusterfs", 25, Some(26), CSI),
    old("portworxVolume", 25, None, CSI),
    old("quobyte", 22, Some(25), CSI),
    old("rbd", 28, Some(31), CSI),
    old("scaleIO", 16, Some(22), CSI),
    old("storageos", 22, Some(25), CSI),
    old("vsphereVolume", 19, None, CSI),
];

/// Labels of nodes.
const LABELS: &[Old] = &[
    old(
        "beta.kubernetes.io/arch",
        14,
        None,
        "write `kubernetes.io/arch`",
    ),
    old(
        "beta.kubernetes.io/os",
        14,
        None,
        "write `kubernetes.io/os`",
    ),
    old(
        "beta.kubernetes.io/instance-type",
        17,
        None,
        "write `node.kubernetes.io/instance-type`",
    ),
    old(
        "failure-domain.beta.kubernetes.io/region",
        17,
        None,
        "write `topology.kubernetes.io/region`",
    ),
    old(
        "failure-domain.beta.kubernetes.io/zone",
        17,
        None,
        "write `topology.kubernetes.io/zone`",
    ),
];

/// Annotations; one that ends with `/` stands for all that begin with it.
const ANNOTATIONS: &[Old] = &[
    old(
        "seccomp.security.alpha.kubernetes.io/pod",
        19,
        Some(27),
        "set `securityContext.seccompProfile` of the pod",
    ),
    old(
        "container.seccomp.security.alpha.kubernetes.io/",
        19,
        Some(27),
        "set `securityContext.seccompProfile` of the container",
    ),
    old(
        "container.apparmor.security.beta.kubernetes.io/",
        30,
        None,
        "set `securityContext.appArmorProfile` of the container",
    ),
    old(
        "scheduler.alpha.kubernetes.io/critical-pod",
        13,
        Some(16),
        "set `priorityClassName`",
    ),
    old(
        "kubernetes.io/ingress.class",
        18,
        None,
        "set `spec.ingressClassName`",
    ),
    old(
        "volume.beta.kubernetes.io/storage-class",
        6,
        None,
        "set `spec.storageClassName`",
    ),
    old(
        "storageclass.beta.kubernetes.io/is-default-class",
        6,
        None,
        "write `storageclass.kubernetes.io/is-default-class`",
    ),
    old(
        "service.alpha.kubernetes.io/tolerate-unready-endpoints",
        11,
        None,
        "set `spec.publishNotReadyAddresses: true`",
    ),
    old(
        "service.kubernetes.io/topology-aware-hints",
        27,
        None,
        "write `service.kubernetes.io/topology-mode: Auto`",
    ),
];

fn tell(node: &Node, old: &Old, sink: &mut Sink<'_>) {
    let (version, name) = (sink.settings.version(), old.name);
    let (since, gone) = (
        Version::of_minor(old.since),
        old.gone.map(Version::of_minor),
    );
    if version < since {
        return;
    }
    match gone.filter(|gone| *gone <= version) {
        Some(gone) => sink.report_as(
            Grade::Critical,
            node,
            format!("`{name}` does nothing from Kubernetes {gone} on"),
        ),
        None if old.since == ALWAYS => sink.report(node, format!("`{name}` is deprecated")),
        None => sink.report(
            node,
            format!("`{name}` is deprecated since Kubernetes {since}"),
        ),
    }
    sink.mend(old.instead);
}

fn judge(object: &Object, sink: &mut Sink<'_>) {
    annotations(&object.root, sink);
    if let Some(pod) = object.pod() {
        of_pod(&pod, sink);
    }
    let is_core = object.group().is_empty();
    match object.kind.as_str() {
        "PersistentVolume" if is_core => {
            let spec = object.at(&["spec"]);
            volume(spec.unwrap_or(&object.root), sink);
        }
        "Service" if is_core => {
            if let Some(node) = object.at(&["spec", "loadBalancerIP"]) {
                let instead = "write the annotation of the load balancer that gives addresses";
                tell(node, &old("loadBalancerIP", 24, None, instead), sink);
            }
        }
        _ => {}
    }
}

fn annotations(holder: &Node, sink: &mut Sink<'_>) {
    let annotations = holder.at(&["metadata", "annotations"]);
    for (key, value) in annotations.map_or(&[][..], Node::entries) {
        let known = ANNOTATIONS.iter().find(|old| {
            key.name == old.name || old.name.ends_with('/') && key.name.starts_with(old.name)
        });
        if let Some(known) = known {
            tell(value, known, sink);
        }
    }
}

fn of_pod(pod: &Pod<'_>, sink: &mut Sink<'_>) {
    // A bare pod is its own template.
    if !std::ptr::eq(pod.template, &raw const pod.object.root) {
        annotations(pod.template, sink);
    }
    let spec = |field: &str| pod.spec.at(&[field]);
    if let Some(node) = spec("serviceAccount") {
        let instead = "write `serviceAccountName`";
        tell(node, &old("serviceAccount", ALWAYS, None, instead), sink);
    }
    for one in pod.volumes() {
        volume(one, sink);
    }
    for (key, value) in spec("nodeSelector").map_or(&[][..], Node::entries) {
        label(&key.name, value, sink);
    }
    if let Some(affinity) = spec("affinity") {
        labels_below(affinity, sink);
    }
    for constraint in spec("topologySpreadConstraints").map_or(&[][..], Node::items) {
        labels_below(constraint, sink);
    }
}

fn volume(source: &Node, sink: &mut Sink<'_>) {
    for (key, value) in source.entries() {
        if let Some(known) = VOLUMES.iter().find(|old| old.name == key.name) {
            tell(value, known, sink);
        }
    }
}

fn label(name: &str, node: &Node, sink: &mut Sink<'_>) {
    if let Some(known) = LABELS.iter().find(|old| old.name == name) {
        tell(node, known, sink);
    }
}

/// Affinities and constraints name labels of nodes under `key` and `topologyKey`.
fn labels_below(node: &Node, sink: &mut Sink<'_>) {
    match &node.content {
        Content::Sequence(items) => items.iter().for_each(|item| labels_below(item, sink)),
        Content::Mapping(entries) => {
            for (key, value) in entries {
                match (key.name.as_str(), value.as_str()) {
                    ("key" | "topologyKey", Some(name)) => label(name, value, sink),
                    _ => labels_below(value, sink),
                }
            }
        }
        _ => {}
    }
}
