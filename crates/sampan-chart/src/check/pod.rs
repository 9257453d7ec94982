//! Pods and containers, wherever a manifest holds them.

use sampan_model::yaml::{Key, Node};

use super::object::Object;

/// The pod that an object describes.
#[derive(Debug, Clone, Copy)]
pub struct Pod<'a> {
    /// The object.
    pub object: &'a Object,
    /// What holds the pod's metadata and spec.
    pub template: &'a Node,
    /// The pod's spec.
    pub spec: &'a Node,
}

/// What a container is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is what the pod is for.
    Main,
    /// It runs before those, and ends.
    Init,
    /// It starts before those, and runs beside them.
    Sidecar,
}

/// A container of a pod.
#[derive(Debug, Clone, Copy)]
pub struct Container<'a> {
    /// The pod.
    pub pod: Pod<'a>,
    /// The container.
    pub node: &'a Node,
    /// What it is for.
    pub role: Role,
}

/// Where kinds keep the template of their pods.
const TEMPLATES: &[(&str, &[&str])] = &[
    ("Pod", &[]),
    ("CronJob", &["spec", "jobTemplate", "spec", "template"]),
    ("PodTemplate", &["template"]),
];

/// Where all other kinds keep it, custom ones included.
const TEMPLATE: &[&str] = &["spec", "template"];

/// The kinds that always describe pods, also where their containers were forgotten.
const KINDS: &[&str] = &[
    "CronJob",
    "DaemonSet",
    "Deployment",
    "Job",
    "Pod",
    "PodTemplate",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
];

impl Object {
    /// The pod that the object describes, if it does.
    #[must_use]
    pub fn pod(&self) -> Option<Pod<'_>> {
        let own = TEMPLATES.iter().find(|(kind, _)| *kind == self.kind);
        let path = own.map_or(TEMPLATE, |(_, path)| path);
        let template = self.root.at(path)?;
        let spec = template.at(&["spec"])?;
        if !KINDS.contains(&self.kind.as_str()) {
            spec.get("containers")?;
        }
        Some(Pod {
            object: self,
            template,
            spec,
        })
    }

    /// How many pods the object asks for; none where it does not say or the value is not known.
    #[must_use]
    pub fn replicas(&self) -> Option<i64> {
        self.at(&["spec", "replicas"])?.as_i64()
    }
}

impl<'a> Pod<'a> {
    /// The labels of the pod.
    #[must_use]
    pub fn labels(&self) -> &'a [(Key, Node)] {
        self.template
            .at(&["metadata", "labels"])
            .map_or(&[], Node::entries)
    }

    /// All containers, but for those that are added while the pod runs.
    pub fn containers(&self) -> impl Iterator<Item = Container<'a>> + use<'a> {
        let pod = *self;
        let of = move |key: &str, role: Role| {
            let items = pod.spec.get(key).map_or(&[][..], Node::items);
            items.iter().map(move |node| Container {
                pod,
                node,
                role: match node.get("restartPolicy").and_then(Node::as_str) {
                    Some("Always") if role == Role::Init => Role::Sidecar,
                    _ => role,
                },
            })
        };
        of("initContainers", Role::Init).chain(of("containers", Role::Main))
    }

    /// The volumes.
    #[must_use]
    pub fn volumes(&self) -> &'a [Node] {
        self.spec.get("volumes").map_or(&[], Node::items)
    }

    /// Whether the pod is meant to end.
    #[must_use]
    pub fn ends(&self) -> bool {
        matches!(self.object.kind.as_str(), "Job" | "CronJob")
            || (self.object.kind == "Pod" && self.object.is_hook())
            || (self.object.kind == "Pod"
                && self
                    .spec
                    .get("restartPolicy")
                    .and_then(Node::as_str)
                    .is_some_and(|policy| policy != "Always"))
    }

    /// Whether some container declares a port of this name.
    #[must_use]
    pub fn has_port_name(&self, name: &str) -> bool {
        let mut ports = self.containers().flat_map(|container| container.ports());
        ports.any(|port| port.get("name").and_then(Node::scalar) == Some(name))
    }

    /// The numbers of all ports that containers declare.
    #[must_use]
    pub fn port_numbers(&self) -> Vec<i64> {
        let ports = self.containers().flat_map(|container| container.ports());
        ports
            .filter_map(|port| port.get("containerPort")?.as_i64())
            .collect()
    }

    /// What Windows does not know is not asked of pods for it.
    #[must_use]
    pub fn is_windows(&self) -> bool {
        let os = self.spec.at(&["os", "name"]).and_then(Node::as_str);
        let selected = self
            .spec
            .at(&["nodeSelector", "kubernetes.io/os"])
            .and_then(Node::as_str);
        os == Some("windows") || selected == Some("windows")
    }
}

impl<'a> Container<'a> {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.node
            .get("name")
            .and_then(Node::scalar)
            .unwrap_or_default()
    }

    /// A field.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        self.node.at(&[key])
    }

    /// The ports that it declares.
    #[must_use]
    pub fn ports(&self) -> &'a [Node] {
        self.get("ports").map_or(&[], Node::items)
    }

    /// The variables that it gives its process.
    #[must_use]
    pub fn env(&self) -> &'a [Node] {
        self.get("env").map_or(&[], Node::items)
    }

    /// A field of its security context, or else of its pod's.
    #[must_use]
    pub fn security(&self, field: &[&str]) -> Option<&'a Node> {
        let own = self
            .get("securityContext")
            .and_then(|context| context.at(field));
        own.or_else(|| self.pod.spec.get("securityContext")?.at(field))
    }

    /// A field of its own security context, which pods do not have.
    #[must_use]
    pub fn own_security(&self, field: &[&str]) -> Option<&'a Node> {
        self.get("securityContext")?.at(field)
    }

    /// Whether a capability is in one of its lists.
    #[must_use]
    pub fn capability(&self, list: &str, name: &str) -> Option<&'a Node> {
        let items = self.own_security(&["capabilities", list])?.items();
        items.iter().find(|item| {
            let given = item.as_str().unwrap_or_default();
            given
                .strip_prefix("CAP_")
                .unwrap_or(given)
                .eq_ignore_ascii_case(name)
        })
    }
}
