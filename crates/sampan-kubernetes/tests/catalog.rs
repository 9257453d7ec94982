//! What the catalogue says, and that it is what Kubernetes says.

#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

use std::time::Instant;

use sampan_kubernetes::structure::{Presence, Scalar, Unique};
use sampan_kubernetes::{Catalog, Field, Kind, Type, Version};

fn kind(api_version: &str, kind: &str) -> &'static Kind {
    Catalog::get().kind_of(api_version, kind).unwrap()
}

fn v(minor: u16) -> Version {
    Version::of_minor(minor)
}

/// The field at the end of a path through structures, items of lists and values of maps.
fn field(kind: &Kind, path: &str, version: Version) -> Option<&'static Field> {
    let catalog = Catalog::get();
    let mut structure = kind.structure?;
    let mut found = None;
    for name in path.split('.') {
        let field = catalog.field(structure, name, version)?;
        found = Some(field);
        let mut value = &field.value;
        while let Type::List(inner) | Type::Map(inner) | Type::NamedList(inner) = value {
            value = inner;
        }
        if let Type::Structure(inner) = value {
            structure = *inner;
        }
    }
    found
}

#[test]
fn kinds_have_names_places_and_ends() {
    let deployment = kind("apps/v1", "Deployment");
    let resource = deployment.resource.unwrap();
    assert_eq!(
        (resource.plural, resource.namespaced),
        ("deployments", true)
    );
    assert!(deployment.is_served(v(33)) && !deployment.is_deprecated(v(33)));

    let ingress = kind("extensions/v1beta1", "Ingress");
    assert_eq!(ingress.removed, Some(v(22)));
    assert_eq!(
        ingress.replacement.unwrap().to_string(),
        "networking.k8s.io/v1 Ingress"
    );
    assert!(ingress.is_deprecated(v(21)) && !ingress.is_removed(v(21)));
    assert!(ingress.is_removed(v(22)));
    assert_eq!(ingress.structure, None);

    let autoscaler = kind("autoscaling/v2beta2", "HorizontalPodAutoscaler");
    assert!(autoscaler.is_served(v(25)) && !autoscaler.is_served(v(26)));
    assert!(autoscaler.structure.is_some());

    let gone = [
        ("policy/v1beta1", "PodSecurityPolicy", 25),
        ("batch/v1beta1", "CronJob", 25),
        ("apps/v1beta1", "StatefulSet", 16),
        (
            "apiextensions.k8s.io/v1beta1",
            "CustomResourceDefinition",
            22,
        ),
        ("apiregistration.k8s.io/v1beta1", "APIService", 22),
        ("rbac.authorization.k8s.io/v1beta1", "Role", 22),
        ("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", 32),
        ("storage.k8s.io/v1beta1", "CSIStorageCapacity", 27),
    ];
    for (api_version, name, minor) in gone {
        assert_eq!(kind(api_version, name).removed, Some(v(minor)), "{name}");
    }
    for (api_version, name) in [("v1", "Namespace"), ("node.k8s.io/v1", "RuntimeClass")] {
        assert!(!kind(api_version, name).resource.unwrap().namespaced);
    }
    assert_eq!(Catalog::get().kind("apps", "v1", "Nonsense"), None);
    assert!(Catalog::get().has_group("") && !Catalog::get().has_group("example.com"));
}

#[test]
fn bodies_are_kinds_too() {
    for (api_version, name) in [
        ("autoscaling/v1", "Scale"),
        ("policy/v1", "Eviction"),
        ("authentication.k8s.io/v1", "TokenRequest"),
        ("v1", "DeleteOptions"),
        ("apps/v1", "DeleteOptions"),
        ("v1", "Status"),
        ("v1", "List"),
        ("v1", "PodList"),
    ] {
        let kind = kind(api_version, name);
        assert!(kind.structure.is_some(), "{name}");
        assert_eq!(kind.resource, None, "{name}");
    }
}

#[test]
fn fields_have_types_numbers_and_marks() {
    let deployment = kind("apps/v1", "Deployment");
    let at = |path| field(deployment, path, Version::NEWEST).unwrap();

    let replicas = at("spec.replicas");
    assert_eq!(replicas.number, 1);
    assert_eq!(replicas.value, Type::Scalar(Scalar::Int32));
    assert_eq!(replicas.presence, Presence::WhenGiven);
    assert!(!replicas.required && at("spec.selector").required);

    let containers = at("spec.template.spec.containers");
    assert_eq!(containers.unique, Unique::Keys(vec!["name"]));
    assert!(containers.required);
    let port = at("spec.template.spec.containers.ports.containerPort");
    assert_eq!(port.presence, Presence::Always);

    // Taken in from `VolumeSource`, `ProbeHandler` and `LocalObjectReference`.
    for path in [
        "spec.template.spec.volumes.configMap.name",
        "spec.template.spec.containers.livenessProbe.httpGet.port",
        "spec.template.spec.containers.envFrom.secretRef.name",
        "spec.template.spec.ephemeralContainers.image",
    ] {
        assert!(field(deployment, path, v(25)).is_some(), "{path}");
    }
    assert_eq!(
        field(deployment, "spec.template.spec.nonsense", v(25)),
        None
    );
}

#[test]
fn fields_come_and_go() {
    let pod = kind("v1", "Pod");
    let since = [
        ("spec.schedulingGates", 26),
        ("spec.containers.resizePolicy", 27),
        ("spec.containers.lifecycle.postStart.sleep", 29),
        ("spec.securityContext.supplementalGroupsPolicy", 31),
        ("spec.resources", 32),
    ];
    for (path, minor) in since {
        assert_eq!(field(pod, path, v(minor - 1)), None, "{path}");
        assert!(field(pod, path, v(minor)).is_some(), "{path}");
    }
    let claim = kind("v1", "PersistentVolumeClaim");
    assert!(field(claim, "status.resizeStatus", v(27)).is_some());
    assert_eq!(field(claim, "status.resizeStatus", v(28)), None);
    let catalog = Catalog::get();
    let structure = pod.structure.unwrap();
    assert_eq!(catalog.fields(structure, v(33)).len(), 3);
}

#[test]
fn enumerations_know_their_texts() {
    let pod = kind("v1", "Pod");
    let policy = field(pod, "spec.containers.imagePullPolicy", v(33)).unwrap();
    let Type::Enumeration(id) = policy.value else {
        panic!("a pull policy is one of a few");
    };
    let policy = Catalog::get().enumeration(id);
    let values: Vec<_> = policy.values(v(33)).collect();
    assert_eq!(values, ["Always", "Never", "IfNotPresent"]);
    assert!(!policy.allows("always", v(33)));

    let operator = field(pod, "spec.tolerations.operator", v(33)).unwrap();
    let Type::Enumeration(id) = operator.value else {
        panic!("an operator is one of a few");
    };
    let operator = Catalog::get().enumeration(id);
    assert!(operator.allows("Exists", v(25)));
    assert!(operator.allows("Gt", v(35)) && !operator.allows("Gt", v(34)));
}

#[test]
fn every_kind_is_sound() {
    let catalog = Catalog::get();
    for kind in catalog.kinds() {
        let name = kind.name;
        if let Some(replacement) = kind.replacement {
            let found = catalog.kind(replacement.group, replacement.version, replacement.kind);
            assert!(found.is_some(), "{name} is replaced by a kind that exists");
            assert_ne!(replacement, name);
        }
        let Some(structure) = kind.structure else {
            assert!(kind.is_removed(Version::OLDEST), "{name} has no fields");
            continue;
        };
        let mut numbers = std::collections::BTreeSet::new();
        for field in &catalog.structure(structure).fields {
            let known = (field.number, field.span.since);
            assert!(numbers.insert(known), "{name} has {field:?} twice");
        }
    }
}

/// Every kind of k8s-openapi is known under its name, plural and scope.
#[test]
fn names_agree_with_k8s_openapi() {
    macro_rules! same {
        ($($kind:ty, $namespaced:literal;)*) => {$({
            use k8s_openapi::Resource;
            let (group, version, name) = (<$kind>::GROUP, <$kind>::VERSION, <$kind>::KIND);
            let kind = Catalog::get().kind(group, version, name).unwrap();
            let resource = kind.resource.unwrap();
            assert_eq!(resource.plural, <$kind>::URL_PATH_SEGMENT);
            assert_eq!(resource.namespaced, $namespaced, "{name}");
            assert!(kind.is_served(v(33)), "{name}");
        })*};
    }
    use k8s_openapi::api;
    same! {
        api::admissionregistration::v1::ValidatingWebhookConfiguration, false;
        api::apps::v1::DaemonSet, true;
        api::autoscaling::v2::HorizontalPodAutoscaler, true;
        api::batch::v1::CronJob, true;
        api::certificates::v1::CertificateSigningRequest, false;
        api::coordination::v1::Lease, true;
        api::core::v1::Endpoints, true;
        api::core::v1::LimitRange, true;
        api::core::v1::ResourceQuota, true;
        api::core::v1::PersistentVolume, false;
        api::discovery::v1::EndpointSlice, true;
        api::events::v1::Event, true;
        api::flowcontrol::v1::FlowSchema, false;
        api::networking::v1::IngressClass, false;
        api::networking::v1::NetworkPolicy, true;
        api::networking::v1::IPAddress, false;
        api::networking::v1::ServiceCIDR, false;
        api::policy::v1::PodDisruptionBudget, true;
        api::rbac::v1::ClusterRoleBinding, false;
        api::scheduling::v1::PriorityClass, false;
        api::storage::v1::CSIStorageCapacity, true;
        api::storage::v1::StorageClass, false;
        api::storage::v1::VolumeAttachment, false;
    }
}

#[test]
fn reading_is_a_matter_of_milliseconds() {
    let start = Instant::now();
    let kinds = Catalog::get().kinds().count();
    // Without optimisation, on a busy machine.
    assert!(start.elapsed().as_millis() < 500 && kinds > 150);
}
