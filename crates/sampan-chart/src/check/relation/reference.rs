//! What objects refer to by name.

use sampan_model::yaml::Node;

use super::field;
use crate::check::object::Object;

mod account;
mod given;
mod pod;
mod service;

pub(super) use given::{is_built_in, is_made};

/// What a reference leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::check) enum Target {
    ConfigMap,
    Secret,
    Claim,
    ServiceAccount,
    Role,
    Service,
    Workload,
    PriorityClass,
    StorageClass,
    Volume,
    IngressClass,
    RuntimeClass,
    Namespace,
}

/// A name by which an object refers to another one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reference<'a> {
    pub(super) target: Target,
    pub(super) kind: &'a str,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    /// The node that holds the name.
    pub(super) node: &'a Node,
    /// Whether nothing is amiss when it is not there.
    pub(super) optional: bool,
    /// Who needs it, reading on from "which".
    pub(super) by: &'static str,
}

/// Gathers the references of one object.
struct Gatherer<'a> {
    object: &'a Object,
    found: Vec<Reference<'a>>,
}

/// All references of an object.
pub(super) fn of(object: &Object) -> Vec<Reference<'_>> {
    let mut gatherer = Gatherer {
        object,
        found: Vec::new(),
    };
    if let Some(pod) = object.pod() {
        gatherer.pod(&pod);
    }
    match object.kind.as_str() {
        "StatefulSet" => gatherer.claim_templates(object.at(&["spec", "volumeClaimTemplates"])),
        "PersistentVolumeClaim" => gatherer.claim(object.at(&["spec"])),
        "Ingress" => gatherer.ingress(),
        "RoleBinding" | "ClusterRoleBinding" => gatherer.binding(),
        "HorizontalPodAutoscaler" | "ScaledObject" | "VerticalPodAutoscaler" => {
            gatherer.autoscaler();
        }
        "ServiceAccount" => gatherer.account(),
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => gatherer.webhooks(),
        "APIService" => gatherer.service(object.at(&["spec", "service"]), "serves the API"),
        _ => {}
    }
    if let Some(namespace) = object.at(&["metadata", "namespace"]) {
        gatherer.cluster(
            Target::Namespace,
            "Namespace",
            Some(namespace),
            "the object belongs to",
        );
    }
    gatherer.found
}

impl<'a> Gatherer<'a> {
    fn add(&mut self, target: Target, kind: &'a str, name: Option<&'a Node>, by: &'static str) {
        let namespace = &self.object.namespace;
        self.push(target, kind, namespace, name, (false, by));
    }

    fn cluster(&mut self, target: Target, kind: &'a str, name: Option<&'a Node>, by: &'static str) {
        self.push(target, kind, "", name, (false, by));
    }

    fn push(
        &mut self,
        target: Target,
        kind: &'a str,
        namespace: &'a str,
        node: Option<&'a Node>,
        (optional, by): (bool, &'static str),
    ) {
        let Some(node) = node else { return };
        if let Some(name) = node.scalar().filter(|name| !name.is_empty()) {
            self.found.push(Reference {
                target,
                kind,
                namespace,
                name,
                node,
                optional,
                by,
            });
        }
    }

    /// A ConfigMap or Secret that a pod may do without.
    fn source(&mut self, source: Option<&'a Node>, name: &str, target: Target, by: &'static str) {
        let Some(source) = source else { return };
        let optional = source.get("optional").and_then(Node::as_bool) == Some(true);
        let kind = if target == Target::Secret {
            "Secret"
        } else {
            "ConfigMap"
        };
        let namespace = &self.object.namespace;
        self.push(target, kind, namespace, source.get(name), (optional, by));
    }

    fn autoscaler(&mut self) {
        let object = self.object;
        let target = object
            .at(&["spec", "scaleTargetRef"])
            .or_else(|| object.at(&["spec", "targetRef"]));
        let Some(target) = target else { return };
        let usual = if object.kind == "ScaledObject" {
            "Deployment"
        } else {
            return self.scaled(target, field(target, "kind"));
        };
        self.scaled(target, field(target, "kind").or(Some(usual)));
    }

    fn scaled(&mut self, target: &'a Node, kind: Option<&'a str>) {
        if let Some(kind) = kind {
            self.add(Target::Workload, kind, target.get("name"), "is scaled");
        }
    }
}
