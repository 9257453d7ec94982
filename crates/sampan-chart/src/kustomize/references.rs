//! Names that have changed are changed where other resources refer to them.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::path::{Make, walk};
use super::resource::{Id, Resource};

/// Where the pods of kinds are described, and whether it is a kind of pods for all references.
const PODS: [(&str, &str); 9] = [
    ("Pod", "spec"),
    ("PodTemplate", "template/spec"),
    ("Deployment", "spec/template/spec"),
    ("ReplicaSet", "spec/template/spec"),
    ("DaemonSet", "spec/template/spec"),
    ("StatefulSet", "spec/template/spec"),
    ("Job", "spec/template/spec"),
    ("CronJob", "spec/jobTemplate/spec/template/spec"),
    ("ReplicationController", "spec/template/spec"),
];

/// References of pods: the kind that is referred to, and the path below the description of the pod.
const OF_PODS: [(&str, &str); 15] = [
    ("ConfigMap", "volumes/configMap/name"),
    ("ConfigMap", "containers/env/valueFrom/configMapKeyRef/name"),
    (
        "ConfigMap",
        "initContainers/env/valueFrom/configMapKeyRef/name",
    ),
    ("ConfigMap", "containers/envFrom/configMapRef/name"),
    ("ConfigMap", "initContainers/envFrom/configMapRef/name"),
    ("ConfigMap", "volumes/projected/sources/configMap/name"),
    ("Secret", "volumes/secret/secretName"),
    ("Secret", "containers/env/valueFrom/secretKeyRef/name"),
    ("Secret", "initContainers/env/valueFrom/secretKeyRef/name"),
    ("Secret", "containers/envFrom/secretRef/name"),
    ("Secret", "initContainers/envFrom/secretRef/name"),
    ("Secret", "imagePullSecrets/name"),
    ("Secret", "volumes/projected/sources/secret/name"),
    ("ServiceAccount", "serviceAccountName"),
    (
        "PersistentVolumeClaim",
        "volumes/persistentVolumeClaim/claimName",
    ),
];

/// Other references: the kind that is referred to, the kind that refers, and the path in it.
const OTHERS: [(&str, &str, &str); 42] = [
    (
        "Deployment",
        "HorizontalPodAutoscaler",
        "spec/scaleTargetRef/name",
    ),
    (
        "ReplicationController",
        "HorizontalPodAutoscaler",
        "spec/scaleTargetRef/name",
    ),
    (
        "ReplicaSet",
        "HorizontalPodAutoscaler",
        "spec/scaleTargetRef/name",
    ),
    (
        "StatefulSet",
        "HorizontalPodAutoscaler",
        "spec/scaleTargetRef/name",
    ),
    ("ConfigMap", "Node", "spec/configSource/configMap"),
    ("ConfigMap", "Role", "rules/resourceNames"),
    ("ConfigMap", "ClusterRole", "rules/resourceNames"),
    (
        "ConfigMap",
        "Ingress",
        "metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap",
    ),
    ("Secret", "Ingress", "spec/tls/secretName"),
    (
        "Secret",
        "Ingress",
        "metadata/annotations/ingress.kubernetes.io\\/auth-secret",
    ),
    (
        "Secret",
        "Ingress",
        "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret",
    ),
    (
        "Secret",
        "Ingress",
        "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret",
    ),
    ("Secret", "ServiceAccount", "imagePullSecrets/name"),
    ("Secret", "StorageClass", "parameters/secretName"),
    ("Secret", "StorageClass", "parameters/adminSecretName"),
    ("Secret", "StorageClass", "parameters/userSecretName"),
    ("Secret", "StorageClass", "parameters/secretRef"),
    ("Secret", "Role", "rules/resourceNames"),
    ("Secret", "ClusterRole", "rules/resourceNames"),
    ("Secret", "PersistentVolume", "spec/azureFile/secretName"),
    ("Service", "StatefulSet", "spec/serviceName"),
    (
        "Service",
        "Ingress",
        "spec/rules/http/paths/backend/serviceName",
    ),
    ("Service", "Ingress", "spec/backend/serviceName"),
    (
        "Service",
        "Ingress",
        "spec/rules/http/paths/backend/service/name",
    ),
    ("Service", "Ingress", "spec/defaultBackend/service/name"),
    ("Service", "APIService", "spec/service/name"),
    (
        "Service",
        "ValidatingWebhookConfiguration",
        "webhooks/clientConfig/service",
    ),
    (
        "Service",
        "MutatingWebhookConfiguration",
        "webhooks/clientConfig/service",
    ),
    ("Role", "RoleBinding", "roleRef/name"),
    ("ClusterRole", "RoleBinding", "roleRef/name"),
    ("ClusterRole", "ClusterRoleBinding", "roleRef/name"),
    ("ServiceAccount", "RoleBinding", "subjects"),
    ("ServiceAccount", "ClusterRoleBinding", "subjects"),
    (
        "PersistentVolume",
        "PersistentVolumeClaim",
        "spec/volumeName",
    ),
    ("PersistentVolume", "ClusterRole", "rules/resourceNames"),
    ("StorageClass", "PersistentVolume", "spec/storageClassName"),
    (
        "StorageClass",
        "PersistentVolumeClaim",
        "spec/storageClassName",
    ),
    (
        "StorageClass",
        "StatefulSet",
        "spec/volumeClaimTemplates/spec/storageClassName",
    ),
    ("IngressClass", "Ingress", "spec/ingressClassName"),
    (
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "spec/policyName",
    ),
    ("PriorityClass", "Pod", "spec/priorityClassName"),
    (
        "PriorityClass",
        "CronJob",
        "spec/jobTemplate/spec/template/spec/priorityClassName",
    ),
];

/// The groups of kinds that are referred to, where other groups have kinds of the same name.
const GROUPS: [(&str, &str); 6] = [
    ("Role", "rbac.authorization.k8s.io"),
    ("ClusterRole", "rbac.authorization.k8s.io"),
    ("StorageClass", "storage.k8s.io"),
    ("PriorityClass", "scheduling.k8s.io"),
    ("IngressClass", "networking.k8s.io"),
    ("ValidatingAdmissionPolicy", "admissionregistration.k8s.io"),
];

/// What others may refer to: what it was and is called, and by which prefixes and suffixes.
struct Candidate {
    before: Vec<Id>,
    now: Id,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
}

impl Candidate {
    /// What it was called where it was written.
    fn original(&self) -> &Id {
        self.before.first().unwrap_or(&self.now)
    }
}

/// Follows all names that have changed.
pub(super) fn update(resources: &mut [Resource]) {
    let candidates: Vec<Candidate> = resources
        .iter()
        .map(|resource| Candidate {
            before: resource.before.clone(),
            now: resource.id(),
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
        })
        .collect();
    let names = Names::of(&candidates);
    for (index, resource) in resources.iter_mut().enumerate() {
        let kind = resource.original_id().kind;
        let role = resource.value.get("roleRef").cloned();
        let referrer = Referrer {
            own: &candidates[index],
            names: &names,
            role,
        };
        for (of, path) in paths(&kind) {
            walk(&mut resource.value, &path, Make::Nothing, &mut |value| {
                referrer.follow(value, of, &path);
            });
        }
    }
}

/// The references of a kind: what is referred to, and where.
fn paths(kind: &str) -> Vec<(&'static str, String)> {
    let mut paths = Vec::new();
    if let Some((_, pod)) = PODS.iter().find(|(known, _)| *known == kind) {
        paths.extend(
            OF_PODS
                .iter()
                .map(|(of, path)| (*of, format!("{pod}/{path}"))),
        );
        if !matches!(kind, "PodTemplate" | "ReplicaSet" | "Pod" | "CronJob") {
            paths.push(("PriorityClass", format!("{pod}/priorityClassName")));
        }
    }
    let others = OTHERS.iter().filter(|(_, referrer, _)| *referrer == kind);
    paths.extend(others.map(|(of, _, path)| (*of, (*path).to_owned())));
    paths
}

/// Candidates by all names that they had.
struct Names<'a> {
    candidates: &'a [Candidate],
    everywhere: HashMap<&'a str, Vec<usize>>,
    /// With a namespace that they are in, or were in where they were written; empty for what is in none.
    within: HashMap<(&'a str, &'a str), Vec<usize>>,
}

impl<'a> Names<'a> {
    fn of(candidates: &'a [Candidate]) -> Self {
        let mut names = Self {
            candidates,
            everywhere: HashMap::new(),
            within: HashMap::new(),
        };
        for (place, candidate) in candidates.iter().enumerate() {
            let own = [candidate.original(), &candidate.now];
            let namespaces = BTreeSet::from(own.map(Id::effective_namespace));
            let own: BTreeSet<&str> = candidate.before.iter().map(|id| id.name.as_str()).collect();
            for name in own {
                names.everywhere.entry(name).or_default().push(place);
                for namespace in &namespaces {
                    let within = names.within.entry((name, namespace)).or_default();
                    within.push(place);
                }
            }
        }
        names
    }

    /// Those of a name in one of these namespaces, or in any, in their order.
    fn find(&self, name: &str, namespaces: Option<&[&str]>) -> Vec<&'a Candidate> {
        let mut places = match namespaces {
            None => self.everywhere.get(name).cloned().unwrap_or_default(),
            Some(namespaces) => {
                let found = namespaces.iter();
                let found = found.filter_map(|namespace| self.within.get(&(name, *namespace)));
                found.flatten().copied().collect()
            }
        };
        places.sort_unstable();
        places.dedup();
        let found = places.into_iter().map(|place| &self.candidates[place]);
        found.collect()
    }
}

struct Referrer<'a> {
    own: &'a Candidate,
    names: &'a Names<'a>,
    role: Option<Value>,
}

impl Referrer<'_> {
    fn follow(&self, value: &mut Value, of: &str, path: &str) {
        match value {
            Value::String(name) => {
                if let Some(found) = self.find(name, of, path, None) {
                    name.clone_from(&found.name);
                }
            }
            Value::Object(map) => {
                let text = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
                let (Some(name), namespace) = (text("name"), text("namespace")) else {
                    return;
                };
                let Some(found) = self.find(&name, of, path, namespace.as_deref()) else {
                    return;
                };
                map.insert("name".to_owned(), found.name.clone().into());
                if !found.namespace.is_empty() {
                    map.insert("namespace".to_owned(), found.namespace.clone().into());
                }
            }
            _ => {}
        }
    }

    /// What a name stands for now.
    fn find(&self, name: &str, of: &str, path: &str, namespace: Option<&str>) -> Option<&Id> {
        let group = GROUPS.iter().find(|(kind, _)| *kind == of);
        let group = group.map_or("", |(_, group)| *group);
        let own = &self.own.now;
        let near = [own.effective_namespace(), ""];
        let named = match namespace {
            Some(namespace) => self.names.find(name, Some(&[namespace])),
            // Those who may refer to other namespaces look everywhere; see `is_near`.
            None if of == "ServiceAccount" || own.is_cluster_scoped() => {
                self.names.find(name, None)
            }
            None => self.names.find(name, Some(&near)),
        };
        let mut found: Vec<&Candidate> = named
            .into_iter()
            .filter(|one| one.before.iter().any(|id| id.is_selected(group, "", of)))
            .filter(|one| self.is_role(one, path))
            .filter(|one| self.is_near(one))
            .collect();
        if found.len() > 1 {
            found.retain(|one| self.is_alike(one, true));
        }
        if found.len() > 1 {
            found.retain(|one| self.is_alike(one, false));
        }
        let first = found.first()?;
        let unique = found.iter().all(|one| one.now.name == first.now.name);
        unique.then_some(&first.now)
    }

    /// A binding says the kind of its role beside the name.
    fn is_role(&self, one: &Candidate, path: &str) -> bool {
        let part = |key: &str| self.role.as_ref()?.get(key)?.as_str();
        match (part("apiGroup"), part("kind")) {
            (Some(group), Some(kind)) if path.ends_with("roleRef/name") => {
                one.before.iter().any(|id| id.is_selected(group, "", kind))
            }
            _ => true,
        }
    }

    /// Resources of other namespaces are not referred to by name, but for accounts.
    fn is_near(&self, one: &Candidate) -> bool {
        let own = &self.own.now;
        own.is_cluster_scoped()
            || one.now.is_cluster_scoped()
            || one.now.kind == "ServiceAccount"
            || own.effective_namespace() == one.now.effective_namespace()
    }

    /// Whether both were changed in the same layers.
    fn is_alike(&self, one: &Candidate, or_empty: bool) -> bool {
        let alike = |own: &[String], other: &[String]| {
            let none = own.is_empty() || other.is_empty();
            let common = own.len().min(other.len());
            (or_empty && none) || own[own.len() - common..] == other[other.len() - common..]
        };
        alike(&self.own.prefixes, &one.prefixes) && alike(&self.own.suffixes, &one.suffixes)
    }
}
