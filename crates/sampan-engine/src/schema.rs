//! What the merge algorithms need to know of each kind: which lists are merged and by which keys,
//! which maps and structures are taken as a whole, and what a strategic merge patch does to them.
//!
//! The rules are those that Kubernetes publishes in its API types (`listType`, `listMapKey`,
//! `mapType`, `structType`, `patchStrategy`, `patchMergeKey`). Only what differs from the default is
//! written down: a field that is not listed is a scalar, an atomic list, or a structure without
//! special fields, whichever its value is.

mod apps;
mod core;
mod meta;
mod network;
mod pod;

/// The merge rules of one structure.
#[derive(Debug)]
pub struct Struct {
    /// The fields with rules of their own.
    pub fields: &'static [Field],
}

/// The merge rules of one field of a structure.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The name in JSON.
    pub name: &'static str,
    /// How server-side apply owns and merges the value.
    pub shape: Shape,
    /// How a strategic merge patch merges the value.
    pub patch: Patch,
    /// Whether Kubernetes writes this structure even when it is empty; nobody owns such a
    /// structure itself, only what is in it.
    pub always: bool,
}

/// How server-side apply looks at a value.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Owned as a whole: scalars, atomic lists, maps and structures.
    Atomic,
    /// Owned field by field.
    Struct(&'static Struct),
    /// Owned key by key; the keys are data, not field names.
    Map,
    /// A list of structures, told apart by the values of these keys.
    Keyed(&'static [Key], &'static Struct),
    /// A list of different scalars, owned item by item.
    Set,
}

/// A field that tells the items of a list apart.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The name of the field.
    pub name: &'static str,
    /// The value that counts where the field is absent.
    pub default: Option<&'static str>,
}

/// How a strategic merge patch merges a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patch {
    /// Maps are merged, everything else is replaced.
    Default,
    /// The list's items are merged by the value of this key.
    MergeBy(&'static str),
    /// The patch's scalars are added to the list.
    MergeScalars,
    /// The value is replaced, also when it is a map.
    Replace,
}

/// An object with metadata and nothing else that is special.
static ANY: Struct = Struct {
    fields: &[meta::METADATA],
};

/// A structure without special fields.
pub(crate) static PLAIN: Struct = Struct { fields: &[] };

/// The merge rules of a kind; a kind that is not listed has those of its metadata only.
#[must_use]
pub fn of(group: &str, kind: &str) -> &'static Struct {
    match (group, kind) {
        ("", "Pod") => &pod::POD,
        ("", "PodTemplate") => &pod::POD_TEMPLATE,
        ("", "Service") => &core::SERVICE,
        ("", "ConfigMap") => &core::CONFIG_MAP,
        ("", "Secret") => &core::SECRET,
        ("", "ServiceAccount") => &core::SERVICE_ACCOUNT,
        ("", "Namespace") => &core::NAMESPACE,
        ("", "Node") => &core::NODE,
        ("", "PersistentVolumeClaim") => &core::PERSISTENT_VOLUME_CLAIM,
        ("", "PersistentVolume") => &core::PERSISTENT_VOLUME,
        ("", "ResourceQuota") => &core::RESOURCE_QUOTA,
        ("", "ReplicationController") => &apps::REPLICATION_CONTROLLER,
        ("" | "events.k8s.io", "Event") => &core::EVENT,
        ("apps", "Deployment") => &apps::DEPLOYMENT,
        ("apps", "ReplicaSet") => &apps::REPLICA_SET,
        ("apps", "StatefulSet") => &apps::STATEFUL_SET,
        ("apps", "DaemonSet") => &apps::DAEMON_SET,
        ("batch", "Job") => &apps::JOB,
        ("batch", "CronJob") => &apps::CRON_JOB,
        ("apiextensions.k8s.io", "CustomResourceDefinition") => &core::DEFINITION,
        ("autoscaling", "HorizontalPodAutoscaler") => &apps::AUTOSCALER,
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => &apps::BINDING,
        ("policy", "PodDisruptionBudget") => &apps::POD_DISRUPTION_BUDGET,
        ("networking.k8s.io", "Ingress") => &network::INGRESS,
        ("networking.k8s.io", "IngressClass") => &network::INGRESS_CLASS,
        ("networking.k8s.io", "NetworkPolicy") => &network::NETWORK_POLICY,
        ("discovery.k8s.io", "EndpointSlice") => &network::ENDPOINT_SLICE,
        _ => &ANY,
    }
}

impl Struct {
    /// The rules of a field, if it has any.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Field {
    const fn new(name: &'static str, shape: Shape, patch: Patch) -> Self {
        Self {
            name,
            shape,
            patch,
            always: false,
        }
    }

    /// A list of structures that both algorithms merge, by the first key in a strategic merge.
    const fn keyed(name: &'static str, keys: &'static [Key], item: &'static Struct) -> Self {
        Self::new(name, Shape::Keyed(keys, item), Patch::MergeBy(keys[0].name))
    }

    /// A list of scalars that server-side apply owns one by one.
    const fn set(name: &'static str) -> Self {
        Self::new(name, Shape::Set, Patch::Default)
    }

    /// A map or structure that server-side apply takes as a whole.
    const fn atomic(name: &'static str) -> Self {
        Self::new(name, Shape::Atomic, Patch::Default)
    }

    /// A map whose keys are data.
    const fn map(name: &'static str) -> Self {
        Self::new(name, Shape::Map, Patch::Default)
    }

    /// A structure with special fields.
    const fn of(name: &'static str, fields: &'static Struct) -> Self {
        Self::new(name, Shape::Struct(fields), Patch::Default)
    }

    /// A structure that is always written.
    const fn always(name: &'static str, fields: &'static Struct) -> Self {
        let mut field = Self::of(name, fields);
        field.always = true;
        field
    }

    const fn patched(mut self, patch: Patch) -> Self {
        self.patch = patch;
        self
    }
}

const fn key(name: &'static str) -> Key {
    Key {
        name,
        default: None,
    }
}

const NAME: &[Key] = &[key("name")];
const TYPE: &[Key] = &[key("type")];

/// The conditions of a status.
const CONDITIONS: Field = Field::keyed("conditions", TYPE, &PLAIN);

/// A status whose only special field is its conditions.
static STATUS: Struct = Struct {
    fields: &[CONDITIONS],
};
