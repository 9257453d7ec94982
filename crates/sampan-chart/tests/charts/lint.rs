//! What `helm lint` says of versions of APIs, and what only one of both Helms says.

use sampan_chart::compatibility::Compatibility;
use sampan_chart::lint::{self, lint};
use sampan_chart::render::KubeVersion;
use sampan_chart::values::Table;

use super::{metadata, write};

const HELM3: Compatibility = Compatibility::Helm3;
const HELM4: Compatibility = Compatibility::Helm4;

/// What is said of a chart with these files.
fn said(
    files: &[(&str, &str)],
    kube_version: Option<&str>,
    compatibility: Compatibility,
) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("Chart.yaml", &metadata("c"))]);
    for (name, text) in files {
        write(folder.path(), &[(name, text.as_bytes())]);
    }
    let kube_version = kube_version.map(|text| KubeVersion::parse(text, compatibility).unwrap());
    let options = lint::Options {
        compatibility,
        namespace: "default".to_owned(),
        kube_version,
        skip_schemas: false,
    };
    let found = lint(folder.path(), &Table::new(), &options).unwrap();
    let found = found
        .iter()
        .filter(|message| message.path.starts_with("templates/"));
    found.map(ToString::to_string).collect()
}

/// What is said of objects of these versions and kinds.
fn of_kinds(
    kinds: &[(&str, &str)],
    kube_version: Option<&str>,
    compatibility: Compatibility,
) -> Vec<String> {
    let documents = kinds.iter().map(|(api_version, kind)| {
        format!("---\napiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a}}\nspec: {{selector: {{matchLabels: {{a: b}}}}}}\n")
    });
    let text: String = documents.collect();
    let said = said(&[("templates/a.yaml", &text)], kube_version, compatibility);
    let head = "[WARNING] templates/a.yaml: ";
    said.iter()
        .map(|line| line.strip_prefix(head).unwrap_or(line).to_owned())
        .collect()
}

#[test]
fn deprecated_versions_are_named_with_what_takes_their_place() {
    let kinds = [
        ("extensions/v1beta1", "Deployment"),
        ("autoscaling/v2beta1", "HorizontalPodAutoscaler"),
        ("networking.k8s.io/v1beta1", "Ingress"),
        ("events.k8s.io/v1beta1", "Event"),
        ("extensions/v1beta1", "DeploymentList"),
        ("v1", "ComponentStatus"),
        ("policy/v1beta1", "Eviction"),
        ("policy/v1beta1", "PodSecurityPolicy"),
        ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition"),
        ("apps/v1", "Deployment"),
        ("example.com/v1beta1", "Deployment"),
    ];
    let expected = [
        "extensions/v1beta1 Deployment is deprecated in v1.8+, unavailable in v1.16+; use apps/v1 Deployment",
        "autoscaling/v2beta1 HorizontalPodAutoscaler is deprecated in v1.22+, unavailable in v1.25+; use autoscaling/v2 HorizontalPodAutoscaler",
        "networking.k8s.io/v1beta1 Ingress is deprecated in v1.19+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress",
        "events.k8s.io/v1beta1 Event is deprecated in v1.22+, unavailable in v1.25+",
        "extensions/v1beta1 DeploymentList is deprecated in v1.8+, unavailable in v1.16+; use apps/v1 DeploymentList",
        "v1 ComponentStatus is deprecated in v1.19+",
        "policy/v1beta1 Eviction is deprecated in v1.22+, unavailable in v1.25+",
    ];
    assert_eq!(of_kinds(&kinds, None, HELM3), expected);
}

#[test]
fn what_is_deprecated_depends_on_the_version_of_kubernetes() {
    let kinds = [
        ("autoscaling/v2beta1", "HorizontalPodAutoscaler"),
        ("storage.k8s.io/v1beta1", "VolumeAttributesClass"),
    ];
    let old = of_kinds(&kinds, Some("1.21.0"), HELM3);
    assert_eq!(old, [""; 0]);
    let new = of_kinds(&kinds, Some("1.36.0"), HELM3);
    assert_eq!(
        new[1],
        "storage.k8s.io/v1beta1 VolumeAttributesClass is deprecated in v1.34+, unavailable in v1.37+"
    );
    // Helm 4 is built with a library that knows a replacement, and no longer knows the autoscaler.
    assert_eq!(
        of_kinds(&kinds, None, HELM4),
        [
            "storage.k8s.io/v1beta1 VolumeAttributesClass is deprecated in v1.34+, unavailable in v1.37+; use storage.k8s.io/v1 VolumeAttributesClass"
        ]
    );
}

#[test]
fn what_went_with_helm_3_is_not_looked_for_by_helm_4() {
    let hook = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  annotations: {\"helm.sh/hook\": crd-install}\n";
    let files = [("templates/a.yaml", hook)];
    assert_eq!(said(&files, None, HELM3).len(), 1);
    assert_eq!(said(&files, None, HELM4), [""; 0]);
    let files = [("templates/a.yml", "a: {")];
    assert_eq!(said(&files, None, HELM3), [""; 0]);
    assert_eq!(said(&files, None, HELM4).len(), 1);
    assert_eq!(
        said(&[], None, HELM4),
        ["[WARNING] templates/: directory does not exist"]
    );
}
