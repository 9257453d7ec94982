//! The API versions that a Helm without a cluster believes in: those of the client library that it is built with, in the
//! order of their registration.

use crate::compatibility::Compatibility;

/// The API versions without a cluster: of Kubernetes 1.32 for Helm 3.17.4, of 1.36 for Helm 4.2.3.
pub(super) fn known(compatibility: Compatibility) -> impl Iterator<Item = &'static str> {
    let absent = compatibility.pick(&SINCE_1_32[..], &GONE_BY_1_36[..]);
    let all = ALL.into_iter();
    all.filter(|version| !absent.contains(version))
}

/// Whether Helm knows the kinds of a group field by field, because they come with its client library.
pub(crate) fn is_known_to_helm(group: &str) -> bool {
    let mut groups = ALL
        .iter()
        .map(|version| version.split_once('/').map_or("", |(group, _)| group));
    groups.any(|known| known == group)
}

/// What came after Kubernetes 1.32.
const SINCE_1_32: [&str; 4] = [
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "scheduling.k8s.io/v1alpha2",
    "storagemigration.k8s.io/v1beta1",
];

/// What went before Kubernetes 1.36.
const GONE_BY_1_36: [&str; 5] = [
    "autoscaling/v2beta1",
    "autoscaling/v2beta2",
    "networking.k8s.io/v1alpha1",
    "scheduling.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1alpha1",
];

/// Those of both.
const ALL: [&str; 60] = [
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "autoscaling/v2beta1",
    "autoscaling/v2beta2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1alpha1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha1",
    "scheduling.k8s.io/v1alpha2",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];
