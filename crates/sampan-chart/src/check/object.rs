//! Kubernetes objects as rules see them.

use std::fmt::Write as _;
use std::sync::Arc;

use sampan_model::yaml::{Content, Key, Node};

use super::finding::ObjectName;
use crate::manifest::{Document, Origin, Place};

/// An object with its place.
#[derive(Debug, Clone)]
pub struct Object {
    /// Group and version, such as `apps/v1`.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// The name; a text with `${` where its value is not known.
    pub name: String,
    /// The namespace that the object will be in; empty for objects of the whole cluster.
    pub namespace: String,
    /// The whole object.
    pub root: Node,
    origin: Arc<Origin>,
}

/// A document is no object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoObject {
    pub(super) place: Place,
    pub(super) message: String,
    pub(super) mend: String,
}

/// Kinds of Kubernetes that belong to no namespace, with their groups.
const CLUSTER_KINDS: &[(&str, &str)] = &[
    ("", "Namespace"),
    ("", "Node"),
    ("", "PersistentVolume"),
    (
        "admissionregistration.k8s.io",
        "MutatingWebhookConfiguration",
    ),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    (
        "admissionregistration.k8s.io",
        "ValidatingAdmissionPolicyBinding",
    ),
    (
        "admissionregistration.k8s.io",
        "ValidatingWebhookConfiguration",
    ),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("certificates.k8s.io", "CertificateSigningRequest"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
    ("networking.k8s.io", "IngressClass"),
    ("networking.k8s.io", "IPAddress"),
    ("networking.k8s.io", "ServiceCIDR"),
    ("node.k8s.io", "RuntimeClass"),
    ("policy", "PodSecurityPolicy"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "CSINode"),
    ("storage.k8s.io", "StorageClass"),
    ("storage.k8s.io", "VolumeAttachment"),
];

/// The group of a version such as `apps/v1`; empty for the core group.
#[must_use]
pub fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

impl Object {
    /// The group of the API, empty for the core group.
    #[must_use]
    pub fn group(&self) -> &str {
        group_of(&self.api_version)
    }

    /// The node at a path of keys.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        self.root.at(path)
    }

    /// The text of a scalar at a path of keys.
    #[must_use]
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.scalar()
    }

    /// Keys and values of the annotations.
    #[must_use]
    pub fn annotations(&self) -> &[(Key, Node)] {
        self.at(&["metadata", "annotations"])
            .map_or(&[], Node::entries)
    }

    /// The value of an annotation.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<&Node> {
        self.at(&["metadata", "annotations", name])
    }

    /// Whether a chart runs it at some moment instead of keeping it.
    #[must_use]
    pub fn is_hook(&self) -> bool {
        self.annotation("helm.sh/hook").is_some()
    }

    /// The place of a part of the object.
    #[must_use]
    pub fn place(&self, node: &Node) -> Place {
        self.origin.place(&node.location)
    }

    /// The object's name as findings give it.
    #[must_use]
    pub fn full_name(&self) -> ObjectName {
        ObjectName {
            api_version: self.api_version.clone(),
            kind: self.kind.clone(),
            namespace: self.text(&["metadata", "namespace"]).map(str::to_owned),
            name: self.name.clone(),
        }
    }

    /// The path of a part of the object, such as `spec.containers[0]`.
    #[must_use]
    pub fn path_of(&self, part: &Node) -> Option<String> {
        let mut path = String::new();
        find(&self.root, part, &mut path).then_some(path)
    }
}

fn find(node: &Node, part: &Node, path: &mut String) -> bool {
    if std::ptr::eq(node, part) {
        return true;
    }
    let length = path.len();
    match &node.content {
        Content::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                let _infallible = write!(path, "[{index}]");
                if find(item, part, path) {
                    return true;
                }
                path.truncate(length);
            }
        }
        Content::Mapping(entries) => {
            for (key, value) in entries {
                if key.name.contains(['.', '[']) {
                    let _infallible = write!(path, "[\"{}\"]", key.name);
                } else {
                    if length > 0 {
                        path.push('.');
                    }
                    path.push_str(&key.name);
                }
                if find(value, part, path) {
                    return true;
                }
                path.truncate(length);
            }
        }
        _ => {}
    }
    false
}

/// The objects of a document; the items of a list stand for themselves. Objects without a namespace get `namespace`.
pub(super) fn objects_of(document: Document, namespace: &str) -> (Vec<Object>, Vec<NoObject>) {
    let (mut objects, mut problems) = (Vec::new(), Vec::new());
    let Document { root, origin } = document;
    collect(
        root,
        &origin,
        namespace,
        None,
        (&mut objects, &mut problems),
    );
    (objects, problems)
}

fn collect(
    root: Node,
    origin: &Arc<Origin>,
    namespace: &str,
    inherited: Option<(&str, &str)>,
    (objects, problems): (&mut Vec<Object>, &mut Vec<NoObject>),
) {
    if !matches!(root.content, Content::Mapping(_)) {
        problems.push(NoObject {
            place: origin.place(&root.location),
            message: format!("a manifest is a mapping, and this is {}", root.type_name()),
            mend: "begin the document with `apiVersion:` and `kind:`".to_owned(),
        });
        return;
    }
    let text = |key: &str| root.at(&[key]).and_then(Node::as_str).map(str::to_owned);
    let api_version =
        text("apiVersion").or_else(|| inherited.map(|(version, _)| version.to_owned()));
    let kind = text("kind").or_else(|| inherited.map(|(_, kind)| kind.to_owned()));
    let (Some(api_version), Some(kind)) = (api_version, kind) else {
        problems.push(missing(&root, origin));
        return;
    };
    if let (Some(of), Some(Content::Sequence(_))) = (
        kind.strip_suffix("List"),
        root.get("items").map(|items| &items.content),
    ) {
        let of = of.to_owned();
        let inherited = (!of.is_empty()).then_some((api_version.as_str(), of.as_str()));
        if let Content::Mapping(entries) = root.content {
            let items = entries.into_iter().find(|(key, _)| key.name == "items");
            if let Some((
                _,
                Node {
                    content: Content::Sequence(items),
                    ..
                },
            )) = items
            {
                for item in items {
                    collect(item, origin, namespace, inherited, (objects, problems));
                }
            }
        }
        return;
    }
    let metadata = |key: &str| root.at(&["metadata", key]).and_then(Node::scalar);
    let name = metadata("name")
        .or_else(|| metadata("generateName"))
        .unwrap_or_default()
        .to_owned();
    if name.is_empty() {
        problems.push(NoObject {
            place: origin.place(&root.get("metadata").unwrap_or(&root).location),
            message: format!("the {kind} has no name"),
            mend: "give it a `metadata.name`".to_owned(),
        });
    }
    let is_of_cluster = CLUSTER_KINDS.contains(&(group_of(&api_version), kind.as_str()));
    let namespace = if is_of_cluster {
        ""
    } else {
        metadata("namespace").unwrap_or(namespace)
    }
    .to_owned();
    objects.push(Object {
        api_version,
        kind,
        name,
        namespace,
        root,
        origin: Arc::clone(origin),
    });
}

fn missing(root: &Node, origin: &Origin) -> NoObject {
    let key = if root.at(&["kind"]).is_none() {
        "kind"
    } else {
        "apiVersion"
    };
    let keys = root.entries().iter().map(|(key, _)| key.name.as_str());
    let near = sampan_model::nearest(key, keys);
    NoObject {
        place: origin.place(&root.location),
        message: format!("the document has no `{key}`"),
        mend: match near {
            Some(near) => format!("write `{key}` instead of `{near}`"),
            None => "every manifest says its `apiVersion` and `kind`; leave other files out of the paths".to_owned(),
        },
    }
}
