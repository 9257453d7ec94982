//! The table of resources that the API serves. Adding a kind is adding a row.

use k8s_openapi::Resource as Kind;

use crate::custom::Custom;

/// Where objects of a resource live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Each object is in a namespace.
    Namespaced,
    /// The objects belong to the whole cluster.
    Cluster,
}

/// One resource: a kind of objects under one group and version.
#[derive(Debug, PartialEq, Eq)]
pub struct Resource {
    /// The API group, empty for the core group.
    pub group: &'static str,
    /// The version within the group.
    pub version: &'static str,
    /// The kind, such as `Pod`.
    pub kind: &'static str,
    /// The plural name used in paths, such as `pods`.
    pub plural: &'static str,
    /// The singular name.
    pub singular: &'static str,
    /// The short names that `kubectl` takes.
    pub short_names: &'static [&'static str],
    /// The categories that the resource is part of (`all`).
    pub categories: &'static [&'static str],
    /// Namespaced or not.
    pub scope: Scope,
    /// The subresources besides the object itself.
    pub subresources: &'static [Subresource],
    /// The group under which the objects are stored; differs where two groups show the same objects.
    pub stored_group: &'static str,
    /// The version in whose form the objects are stored; differs where two versions show the same objects.
    pub stored_version: &'static str,
    /// What becomes of the objects.
    pub nature: Nature,
    /// What else is known of a resource that a definition has added.
    pub custom: Option<&'static Custom>,
}

/// What becomes of the objects of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// They are stored.
    Stored,
    /// They are questions, which are answered at once and forgotten.
    Review,
    /// They are measured when somebody reads them.
    Measured,
}

/// A part of an object, or an action on it, with a path of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subresource {
    /// The observed state.
    Status,
    /// The number of replicas, as `autoscaling/v1` Scale.
    Scale,
    /// The output of a container.
    Log,
    /// Runs a command in a container.
    Exec,
    /// Joins the streams of a container.
    Attach,
    /// Forwards ports of a pod.
    PortForward,
    /// Asks a pod to leave.
    Eviction,
    /// Ends the deletion of a namespace.
    Finalize,
    /// Issues a token of a service account.
    Token,
}

impl Subresource {
    /// The last part of its path.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Scale => "scale",
            Self::Log => "log",
            Self::Exec => "exec",
            Self::Attach => "attach",
            Self::PortForward => "portforward",
            Self::Eviction => "eviction",
            Self::Finalize => "finalize",
            Self::Token => "token",
        }
    }
}

impl Resource {
    /// `GROUP/VERSION`, or the version alone in the core group: the `apiVersion` of the objects.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The resource with its group, as error messages name it: `pods`, `deployments.apps`.
    #[must_use]
    pub fn qualified(&self) -> String {
        qualify(self.plural, self.group)
    }

    /// The kind with its group, as error messages name it: `Pod`, `Deployment.apps`.
    #[must_use]
    pub fn qualified_kind(&self) -> String {
        qualify(self.kind, self.group)
    }

    /// Whether this is the form in which the objects are stored.
    #[must_use]
    pub fn is_stored_form(&self) -> bool {
        self.nature == Nature::Stored
            && self.group == self.stored_group
            && self.version == self.stored_version
    }

    /// The form in which the objects are stored.
    #[must_use]
    pub fn stored_form(&'static self) -> &'static Self {
        find(self.stored_group, self.stored_version, self.plural).unwrap_or(self)
    }

    /// Whether objects live in namespaces.
    #[must_use]
    pub fn namespaced(&self) -> bool {
        self.scope == Scope::Namespaced
    }

    /// Whether the resource has the subresource.
    #[must_use]
    pub fn has(&self, subresource: Subresource) -> bool {
        self.subresources.contains(&subresource)
    }
}

fn qualify(name: &str, group: &str) -> String {
    if group.is_empty() {
        name.to_owned()
    } else {
        format!("{name}.{group}")
    }
}

/// Every resource, in the order of discovery.
#[must_use]
pub fn all() -> &'static [Resource] {
    RESOURCES
}

/// The resource with this group, version and plural name.
#[must_use]
pub fn find(group: &str, version: &str, plural: &str) -> Option<&'static Resource> {
    RESOURCES
        .iter()
        .find(|r| r.group == group && r.version == version && r.plural == plural)
}

/// The resource whose objects are stored under this group and plural name.
#[must_use]
pub fn stored(group: &str, plural: &str) -> Option<&'static Resource> {
    RESOURCES
        .iter()
        .find(|r| r.is_stored_form() && r.group == group && r.plural == plural)
}

/// The resource of an `apiVersion` and a kind, as manifests and owner references name it.
#[must_use]
pub fn find_kind(api_version: &str, kind: &str) -> Option<&'static Resource> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    RESOURCES
        .iter()
        .find(|r| r.group == group && r.version == version && r.kind == kind)
}

/// The resource of a typed object, or `None` for kinds that are not served.
#[must_use]
pub fn of<K: Kind>() -> Option<&'static Resource> {
    find(K::GROUP, K::VERSION, K::URL_PATH_SEGMENT)
}

const STATUS: &[Subresource] = &[Subresource::Status];
const SCALED: &[Subresource] = &[Subresource::Scale, Subresource::Status];
const POD: &[Subresource] = &[
    Subresource::Attach,
    Subresource::Eviction,
    Subresource::Exec,
    Subresource::Log,
    Subresource::PortForward,
    Subresource::Status,
];
const NAMESPACE: &[Subresource] = &[Subresource::Finalize, Subresource::Status];
const ALL: &[&str] = &["all"];

/// A namespaced resource without short names, categories and subresources.
const fn namespaced(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    singular: &'static str,
) -> Resource {
    Resource {
        group,
        version,
        kind,
        plural,
        singular,
        short_names: &[],
        categories: &[],
        scope: Scope::Namespaced,
        subresources: &[],
        stored_group: group,
        stored_version: version,
        nature: Nature::Stored,
        custom: None,
    }
}

/// A question that is answered at once.
const fn review(
    group: &'static str,
    kind: &'static str,
    plural: &'static str,
    singular: &'static str,
) -> Resource {
    Resource {
        nature: Nature::Review,
        ..namespaced(group, "v1", kind, plural, singular).cluster()
    }
}

impl Resource {
    const fn short(self, short_names: &'static [&'static str]) -> Self {
        Self {
            short_names,
            ..self
        }
    }

    const fn in_all(self) -> Self {
        Self {
            categories: ALL,
            ..self
        }
    }

    const fn in_extensions(self) -> Self {
        Self {
            categories: &["api-extensions"],
            ..self
        }
    }

    const fn cluster(self) -> Self {
        Self {
            scope: Scope::Cluster,
            ..self
        }
    }

    const fn with(self, subresources: &'static [Subresource]) -> Self {
        Self {
            subresources,
            ..self
        }
    }

    const fn stored_in(self, stored_group: &'static str, stored_version: &'static str) -> Self {
        Self {
            stored_group,
            stored_version,
            ..self
        }
    }
}

#[rustfmt::skip]
static RESOURCES: &[Resource] = &[
    namespaced("", "v1", "ConfigMap", "configmaps", "configmap").short(&["cm"]),
    namespaced("", "v1", "Endpoints", "endpoints", "endpoints").short(&["ep"]),
    namespaced("", "v1", "Event", "events", "event").short(&["ev"]),
    namespaced("", "v1", "LimitRange", "limitranges", "limitrange").short(&["limits"]),
    namespaced("", "v1", "Namespace", "namespaces", "namespace").short(&["ns"]).cluster().with(NAMESPACE),
    namespaced("", "v1", "Node", "nodes", "node").short(&["no"]).cluster().with(STATUS),
    namespaced("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "persistentvolumeclaim").short(&["pvc"]).with(STATUS),
    namespaced("", "v1", "PersistentVolume", "persistentvolumes", "persistentvolume").short(&["pv"]).cluster().with(STATUS),
    namespaced("", "v1", "Pod", "pods", "pod").short(&["po"]).in_all().with(POD),
    namespaced("", "v1", "PodTemplate", "podtemplates", "podtemplate"),
    namespaced("", "v1", "ResourceQuota", "resourcequotas", "resourcequota").short(&["quota"]).with(STATUS),
    namespaced("", "v1", "Secret", "secrets", "secret"),
    namespaced("", "v1", "ServiceAccount", "serviceaccounts", "serviceaccount").short(&["sa"]).with(&[Subresource::Token]),
    namespaced("", "v1", "Service", "services", "service").short(&["svc"]).in_all().with(STATUS),
    namespaced("apps", "v1", "ControllerRevision", "controllerrevisions", "controllerrevision"),
    namespaced("apps", "v1", "DaemonSet", "daemonsets", "daemonset").short(&["ds"]).in_all().with(STATUS),
    namespaced("apps", "v1", "Deployment", "deployments", "deployment").short(&["deploy"]).in_all().with(SCALED),
    namespaced("apps", "v1", "ReplicaSet", "replicasets", "replicaset").short(&["rs"]).in_all().with(SCALED),
    namespaced("apps", "v1", "StatefulSet", "statefulsets", "statefulset").short(&["sts"]).in_all().with(SCALED),
    namespaced("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", "customresourcedefinition").short(&["crd", "crds"]).in_extensions().cluster().with(STATUS),
    review("authentication.k8s.io", "SelfSubjectReview", "selfsubjectreviews", "selfsubjectreview"),
    review("authentication.k8s.io", "TokenReview", "tokenreviews", "tokenreview"),
    Resource { scope: Scope::Namespaced, ..review("authorization.k8s.io", "LocalSubjectAccessReview", "localsubjectaccessreviews", "localsubjectaccessreview") },
    review("authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews", "selfsubjectaccessreview"),
    review("authorization.k8s.io", "SelfSubjectRulesReview", "selfsubjectrulesreviews", "selfsubjectrulesreview"),
    review("authorization.k8s.io", "SubjectAccessReview", "subjectaccessreviews", "subjectaccessreview"),
    namespaced("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "horizontalpodautoscaler").short(&["hpa"]).in_all().with(STATUS),
    namespaced("autoscaling", "v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "horizontalpodautoscaler").short(&["hpa"]).in_all().with(STATUS).stored_in("autoscaling", "v2"),
    namespaced("batch", "v1", "CronJob", "cronjobs", "cronjob").short(&["cj"]).in_all().with(STATUS),
    namespaced("batch", "v1", "Job", "jobs", "job").in_all().with(STATUS),
    namespaced("events.k8s.io", "v1", "Event", "events", "event").short(&["ev"]).stored_in("", "v1"),
    namespaced("networking.k8s.io", "v1", "IngressClass", "ingressclasses", "ingressclass").cluster(),
    namespaced("networking.k8s.io", "v1", "Ingress", "ingresses", "ingress").short(&["ing"]).with(STATUS),
    namespaced("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", "networkpolicy").short(&["netpol"]),
    namespaced("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", "poddisruptionbudget").short(&["pdb"]).with(STATUS),
    namespaced("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", "clusterrolebinding").cluster(),
    namespaced("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", "clusterrole").cluster(),
    namespaced("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", "rolebinding"),
    namespaced("rbac.authorization.k8s.io", "v1", "Role", "roles", "role"),
    namespaced("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", "priorityclass").short(&["pc"]).cluster(),
    namespaced("storage.k8s.io", "v1", "StorageClass", "storageclasses", "storageclass").short(&["sc"]).cluster(),
    namespaced("coordination.k8s.io", "v1", "Lease", "leases", "lease"),
    namespaced("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "endpointslice"),
    Resource { nature: Nature::Measured, ..namespaced("metrics.k8s.io", "v1beta1", "NodeMetrics", "nodes", "").cluster() },
    Resource { nature: Nature::Measured, ..namespaced("metrics.k8s.io", "v1beta1", "PodMetrics", "pods", "") },
];
