//! Versions of APIs that Kubernetes is about to drop, or has dropped, as Helm warns of them.
//!
//! Helm asks the library that it was built with. What that library does not know or say of the catalogue's kinds stands
//! in the tables here, taken from the releases 0.32 (Helm 3.17) and 0.36 (Helm 4.2) of `k8s.io/api`.

use std::fmt::Write as _;

use sampan_kubernetes::kind::KindName;
use sampan_kubernetes::{Catalog, Kind, Version};

use crate::compatibility::Compatibility;
use crate::render::KubeVersion;

/// Group, version and kind; empty ones stand for all.
type Row = (&'static str, &'static str, &'static str);

/// What neither library knows, or does not mark.
const UNMARKED: &[Row] = &[
    ("", "v1", "Endpoints"),
    ("apiextensions.k8s.io", "", ""),
    ("apiregistration.k8s.io", "", ""),
    ("extensions", "", "PodSecurityPolicy"),
    ("flowcontrol.apiserver.k8s.io", "v1alpha1", ""),
    ("networking.k8s.io", "v1alpha1", "ClusterCIDR"),
    ("resource.k8s.io", "v1alpha3", "PodSchedulingContext"),
    ("policy", "", "PodSecurityPolicy"),
];

/// What the library of Helm 4 no longer knows.
const DROPPED: &[Row] = &[
    ("autoscaling", "v2beta1", ""),
    ("autoscaling", "v2beta2", ""),
    ("networking.k8s.io", "v1alpha1", ""),
    ("resource.k8s.io", "v1alpha3", "DeviceClass"),
    ("resource.k8s.io", "v1alpha3", "ResourceClaim"),
    ("resource.k8s.io", "v1alpha3", "ResourceClaimTemplate"),
    ("resource.k8s.io", "v1alpha3", "ResourceSlice"),
    ("storagemigration.k8s.io", "v1alpha1", ""),
];

/// What the libraries name nothing in place of, though something has taken it.
const ALONE: &[Row] = &[
    ("admissionregistration.k8s.io", "v1alpha1", ""),
    (
        "admissionregistration.k8s.io",
        "v1beta1",
        "ValidatingAdmissionPolicy",
    ),
    (
        "admissionregistration.k8s.io",
        "v1beta1",
        "ValidatingAdmissionPolicyBinding",
    ),
    ("authentication.k8s.io", "", "SelfSubjectReview"),
    ("certificates.k8s.io", "v1alpha1", ""),
    ("coordination.k8s.io", "v1alpha2", ""),
    ("events.k8s.io", "", ""),
    ("networking.k8s.io", "v1alpha1", ""),
    ("networking.k8s.io", "v1beta1", "IPAddress"),
    ("networking.k8s.io", "v1beta1", "ServiceCIDR"),
    ("node.k8s.io", "v1beta1", "RuntimeClass"),
    ("resource.k8s.io", "v1alpha3", "DeviceTaintRule"),
    ("resource.k8s.io", "v1beta1", ""),
    ("resource.k8s.io", "v1beta2", ""),
    ("storagemigration.k8s.io", "", ""),
];

/// What only the library of Helm 4 names something in place of.
const ALONE_IN_HELM3: &[Row] = &[("storage.k8s.io", "", "VolumeAttributesClass")];

/// What has been dropped earlier or later than the library of Helm 3 foretells: when it is deprecated and dropped there.
const FORETOLD_IN_HELM3: &[(Row, u16, u16)] = &[
    (("resource.k8s.io", "v1alpha3", ""), 34, 37),
    (("storagemigration.k8s.io", "v1alpha1", ""), 33, 36),
];

/// Bodies of requests, which the catalogue does not have: the kind, when it is deprecated and dropped, and the version that
/// takes its place.
const BODIES: &[(&str, &str, u16, u16, Option<&str>)] = &[
    ("apps/v1beta1", "Scale", 8, 16, Some("autoscaling/v1")),
    ("apps/v1beta2", "Scale", 9, 16, Some("autoscaling/v1")),
    ("apps/v1beta1", "DeploymentRollback", 8, 16, Some("apps/v1")),
    ("extensions/v1beta1", "DeploymentRollback", 8, 16, None),
    ("extensions/v1beta1", "Scale", 2, 16, None),
    ("policy/v1beta1", "Eviction", 22, 25, None),
];

fn fits(row: &Row, name: &KindName) -> bool {
    let fits = |wanted: &str, own: &str| wanted.is_empty() || wanted == own;
    // Lists live as long as what they list.
    let kind = name.kind.strip_suffix("List").unwrap_or(name.kind);
    row.0 == name.group && fits(row.1, name.version) && fits(row.2, kind)
}

fn is_in(rows: &[Row], name: &KindName) -> bool {
    rows.iter().any(|row| fits(row, name))
}

/// Refuses a version of an API that is deprecated in a version of Kubernetes.
pub(super) fn check(
    api_version: &str,
    kind: &str,
    kube_version: &KubeVersion,
    compatibility: Compatibility,
) -> Result<(), String> {
    let number = |text: &str| text.parse::<u16>().ok();
    let now = number(&kube_version.major).zip(number(&kube_version.minor));
    let found = life(api_version, kind, compatibility);
    let (Some(now), Some(life)) = (now, found) else {
        return Ok(());
    };
    if now < (1, life.deprecated) {
        return Ok(());
    }
    let mut text = format!(
        "{api_version} {kind} is deprecated in v1.{}+",
        life.deprecated
    );
    if let Some(removed) = life.removed {
        let _infallible = write!(text, ", unavailable in v1.{removed}+");
    }
    if let Some((api_version, kind)) = life.replacement {
        let _infallible = write!(text, "; use {api_version} {kind}");
    }
    Err(text)
}

/// When a version of an API is deprecated and dropped, and what takes its place.
struct Life {
    deprecated: u16,
    removed: Option<u16>,
    replacement: Option<(String, String)>,
}

fn life(api_version: &str, kind: &str, compatibility: Compatibility) -> Option<Life> {
    let body = BODIES
        .iter()
        .find(|row| (row.0, row.1) == (api_version, kind));
    if let Some((_, _, deprecated, removed, replacement)) = body {
        return Some(Life {
            deprecated: *deprecated,
            removed: Some(*removed),
            replacement: replacement.map(|api_version| (api_version.to_owned(), kind.to_owned())),
        });
    }
    let known = own(api_version, kind).and_then(|known| life_of(known, compatibility));
    known.or_else(|| {
        // Not all lists are in the catalogue, or are marked there.
        let known = own(api_version, kind.strip_suffix("List")?)?;
        let mut life = life_of(known, compatibility)?;
        if let Some((_, kind)) = &mut life.replacement
            && !kind.ends_with("List")
        {
            kind.push_str("List");
        }
        Some(life)
    })
}

/// A kind of this very group and version, not one that all groups share.
fn own(api_version: &str, kind: &str) -> Option<&'static Kind> {
    let known = Catalog::get().kind_of(api_version, kind)?;
    (known.name.api_version() == api_version).then_some(known)
}

fn life_of(kind: &Kind, compatibility: Compatibility) -> Option<Life> {
    let name = &kind.name;
    let is_helm3 = compatibility == Compatibility::Helm3;
    let newest = compatibility.pick(32, 36);
    let is_newer = kind.since.is_some_and(|since| since.minor() > newest);
    let is_dropped = !is_helm3 && is_in(DROPPED, name);
    if is_newer || is_dropped || is_in(UNMARKED, name) {
        return None;
    }
    let foretold = FORETOLD_IN_HELM3
        .iter()
        .find(|(row, ..)| is_helm3 && fits(row, name));
    let (deprecated, removed) = match foretold {
        Some((_, deprecated, removed)) => (*deprecated, Some(*removed)),
        None => (kind.deprecated?.minor(), kind.removed.map(Version::minor)),
    };
    let is_alone = is_in(ALONE, name) || is_helm3 && is_in(ALONE_IN_HELM3, name);
    let replacement = kind
        .replacement
        .filter(|_| !is_alone)
        .map(|kind| (kind.api_version(), kind.kind.to_owned()));
    Some(Life {
        deprecated,
        removed,
        replacement,
    })
}
