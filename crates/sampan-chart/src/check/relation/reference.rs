//! What objects refer to by name.

use sampan_model::yaml::Node;

use super::field;
use crate::check::object::Object;
use crate::check::pod::Pod;
use crate::check::world::World;

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

    fn pod(&mut self, pod: &Pod<'a>) {
        for container in pod.containers() {
            let from = container.get("envFrom").map_or(&[][..], Node::items);
            for source in from {
                self.source(
                    source.at(&["configMapRef"]),
                    "name",
                    Target::ConfigMap,
                    "gives variables to a container",
                );
                self.source(
                    source.at(&["secretRef"]),
                    "name",
                    Target::Secret,
                    "gives variables to a container",
                );
            }
            for variable in container.env() {
                let source = |kind| variable.at(&["valueFrom", kind]);
                self.source(
                    source("configMapKeyRef"),
                    "name",
                    Target::ConfigMap,
                    "gives a variable to a container",
                );
                self.source(
                    source("secretKeyRef"),
                    "name",
                    Target::Secret,
                    "gives a variable to a container",
                );
            }
        }
        for volume in pod.volumes() {
            self.volume(volume);
        }
        let spec = |field: &str| pod.spec.at(&[field]);
        self.add(
            Target::ServiceAccount,
            "ServiceAccount",
            spec("serviceAccountName").or_else(|| spec("serviceAccount")),
            "the pod runs as",
        );
        self.cluster(
            Target::PriorityClass,
            "PriorityClass",
            spec("priorityClassName"),
            "ranks the pod",
        );
        self.cluster(
            Target::RuntimeClass,
            "RuntimeClass",
            spec("runtimeClassName"),
            "runs the pod",
        );
        for secret in spec("imagePullSecrets").map_or(&[][..], Node::items) {
            self.add(
                Target::Secret,
                "Secret",
                secret.get("name"),
                "opens the registry of the images",
            );
        }
    }

    fn volume(&mut self, volume: &'a Node) {
        self.source(
            volume.at(&["configMap"]),
            "name",
            Target::ConfigMap,
            "is mounted as a volume",
        );
        self.source(
            volume.at(&["secret"]),
            "secretName",
            Target::Secret,
            "is mounted as a volume",
        );
        self.add(
            Target::Claim,
            "PersistentVolumeClaim",
            volume.at(&["persistentVolumeClaim", "claimName"]),
            "is mounted as a volume",
        );
        self.claim(volume.at(&["ephemeral", "volumeClaimTemplate", "spec"]));
        for source in volume
            .at(&["projected", "sources"])
            .map_or(&[][..], Node::items)
        {
            self.source(
                source.at(&["configMap"]),
                "name",
                Target::ConfigMap,
                "is mounted as a volume",
            );
            self.source(
                source.at(&["secret"]),
                "name",
                Target::Secret,
                "is mounted as a volume",
            );
        }
    }

    fn claim_templates(&mut self, templates: Option<&'a Node>) {
        for template in templates.map_or(&[][..], Node::items) {
            self.claim(template.at(&["spec"]));
        }
    }

    fn claim(&mut self, spec: Option<&'a Node>) {
        let Some(spec) = spec else { return };
        self.cluster(
            Target::StorageClass,
            "StorageClass",
            spec.at(&["storageClassName"]),
            "provides the volume",
        );
        self.cluster(
            Target::Volume,
            "PersistentVolume",
            spec.at(&["volumeName"]),
            "is claimed",
        );
    }

    fn ingress(&mut self) {
        let object = self.object;
        let backends = super::routes::backends(object);
        for backend in backends {
            self.add(
                Target::Service,
                "Service",
                Some(backend.name),
                "gets requests of the Ingress",
            );
        }
        self.cluster(
            Target::IngressClass,
            "IngressClass",
            object.at(&["spec", "ingressClassName"]),
            "serves the Ingress",
        );
        // The certificates of these are made when the Ingress is there.
        let is_made = object.annotations().iter().any(|(key, _)| {
            key.name.starts_with("cert-manager.io/")
                || key.name.starts_with("certmanager.k8s.io/")
                || key.name == "kubernetes.io/tls-acme"
        });
        for tls in object.at(&["spec", "tls"]).map_or(&[][..], Node::items) {
            let namespace = &object.namespace;
            self.push(
                Target::Secret,
                "Secret",
                namespace,
                tls.get("secretName"),
                (is_made, "holds the certificate of the Ingress"),
            );
        }
    }

    fn binding(&mut self) {
        let object = self.object;
        let role = object.at(&["roleRef"]);
        match role.and_then(|role| field(role, "kind")) {
            Some("Role") => self.add(
                Target::Role,
                "Role",
                role.and_then(|role| role.get("name")),
                "is bound",
            ),
            Some("ClusterRole") => self.cluster(
                Target::Role,
                "ClusterRole",
                role.and_then(|role| role.get("name")),
                "is bound",
            ),
            _ => {}
        }
        for subject in object.at(&["subjects"]).map_or(&[][..], Node::items) {
            if field(subject, "kind") == Some("ServiceAccount") {
                let namespace = field(subject, "namespace").unwrap_or(&object.namespace);
                self.push(
                    Target::ServiceAccount,
                    "ServiceAccount",
                    namespace,
                    subject.get("name"),
                    (false, "gets the rights"),
                );
            }
        }
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

    fn account(&mut self) {
        let object = self.object;
        for list in ["imagePullSecrets", "secrets"] {
            for secret in object.at(&[list]).map_or(&[][..], Node::items) {
                self.add(
                    Target::Secret,
                    "Secret",
                    secret.get("name"),
                    "belongs to the account",
                );
            }
        }
    }

    fn webhooks(&mut self) {
        let object = self.object;
        for webhook in object.at(&["webhooks"]).map_or(&[][..], Node::items) {
            self.service(
                webhook.at(&["clientConfig", "service"]),
                "is asked before objects are taken",
            );
        }
    }

    fn service(&mut self, service: Option<&'a Node>, by: &'static str) {
        let Some(service) = service else { return };
        let namespace = field(service, "namespace").unwrap_or(&self.object.namespace);
        self.push(
            Target::Service,
            "Service",
            namespace,
            service.get("name"),
            (false, by),
        );
    }
}

/// What every cluster has.
pub(super) fn is_built_in(kind: &str, name: &str) -> bool {
    match kind {
        "ServiceAccount" => name == "default",
        "ConfigMap" => name == "kube-root-ca.crt",
        "PriorityClass" => matches!(name, "system-cluster-critical" | "system-node-critical"),
        "ClusterRole" => {
            matches!(name, "cluster-admin" | "admin" | "edit" | "view")
                || name.starts_with("system:")
        }
        "Role" => {
            name == "extension-apiserver-authentication-reader" || name.starts_with("system:")
        }
        "Namespace" => matches!(
            name,
            "default" | "kube-system" | "kube-public" | "kube-node-lease"
        ),
        _ => false,
    }
}

/// Whether another object of the inputs makes it once it is there.
pub(super) fn is_made(kind: &str, namespace: &str, name: &str, world: &World) -> bool {
    let named = |object: &&Object, path: &[&str]| {
        object.namespace == namespace && object.text(path) == Some(name)
    };
    match kind {
        "Secret" => {
            let by_certificate = world
                .of_kind("Certificate")
                .any(|object| named(&object, &["spec", "secretName"]));
            let by_external = world.of_kind("ExternalSecret").any(|object| {
                named(&object, &["spec", "target", "name"]) || named(&object, &["metadata", "name"])
            });
            let by_sealed = world
                .of_kind("SealedSecret")
                .any(|object| named(&object, &["metadata", "name"]));
            by_certificate || by_external || by_sealed
        }
        "PersistentVolumeClaim" => world
            .of_kind("StatefulSet")
            .filter(|set| set.namespace == namespace)
            .any(|set| {
                let templates = set
                    .at(&["spec", "volumeClaimTemplates"])
                    .map_or(&[][..], Node::items);
                templates
                    .iter()
                    .filter_map(|template| template.at(&["metadata", "name"])?.scalar())
                    .any(|template| {
                        let number = name.strip_prefix(&format!("{template}-{}-", set.name));
                        number.is_some_and(|number| number.parse::<u32>().is_ok())
                    })
            }),
        _ => false,
    }
}
