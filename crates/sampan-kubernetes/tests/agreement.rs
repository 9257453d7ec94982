//! Each field that the catalogue has for the version of k8s-openapi, k8s-openapi has as well, and the other way round.

#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

#[path = "agreement/filled.rs"]
mod filled;
#[path = "agreement/names.rs"]
mod names;

use k8s_openapi::api;
use sampan_kubernetes::{Catalog, Version};
use serde_json::Value;

/// Reads an object that has every field as its type, and compares the names of the fields of every structure on the way;
/// what is written of it is the same object.
fn agrees<K>()
where
    K: k8s_openapi::Resource + serde::de::DeserializeOwned + serde::Serialize,
{
    let version = Version::of_minor(33);
    let kind = Catalog::get().kind(K::GROUP, K::VERSION, K::KIND).unwrap();
    let object = Value::Object(filled::object(kind.structure.unwrap(), version));
    let read: K = names::read(&object).unwrap_or_else(|error| panic!("{}: {error}", kind.name));
    assert_eq!(serde_json::to_value(read).unwrap(), object, "{}", kind.name);
}

#[test]
fn workloads_agree() {
    agrees::<api::core::v1::Pod>();
    agrees::<api::core::v1::PodTemplate>();
    agrees::<api::core::v1::ReplicationController>();
    agrees::<api::apps::v1::ControllerRevision>();
    agrees::<api::apps::v1::DaemonSet>();
    agrees::<api::apps::v1::Deployment>();
    agrees::<api::apps::v1::ReplicaSet>();
    agrees::<api::apps::v1::StatefulSet>();
    agrees::<api::batch::v1::CronJob>();
    agrees::<api::batch::v1::Job>();
    agrees::<api::autoscaling::v1::HorizontalPodAutoscaler>();
    agrees::<api::autoscaling::v1::Scale>();
    agrees::<api::autoscaling::v2::HorizontalPodAutoscaler>();
    agrees::<api::policy::v1::Eviction>();
    agrees::<api::policy::v1::PodDisruptionBudget>();
}

#[test]
fn the_core_group_agrees() {
    agrees::<api::core::v1::Binding>();
    agrees::<api::core::v1::ComponentStatus>();
    agrees::<api::core::v1::ConfigMap>();
    agrees::<api::core::v1::Endpoints>();
    agrees::<api::core::v1::Event>();
    agrees::<api::core::v1::LimitRange>();
    agrees::<api::core::v1::Namespace>();
    agrees::<api::core::v1::Node>();
    agrees::<api::core::v1::PersistentVolume>();
    agrees::<api::core::v1::PersistentVolumeClaim>();
    agrees::<api::core::v1::ResourceQuota>();
    agrees::<api::core::v1::Secret>();
    agrees::<api::core::v1::Service>();
    agrees::<api::core::v1::ServiceAccount>();
}

#[test]
fn networks_and_storage_agree() {
    agrees::<api::discovery::v1::EndpointSlice>();
    agrees::<api::networking::v1::Ingress>();
    agrees::<api::networking::v1::IngressClass>();
    agrees::<api::networking::v1::IPAddress>();
    agrees::<api::networking::v1::NetworkPolicy>();
    agrees::<api::networking::v1::ServiceCIDR>();
    agrees::<api::storage::v1::CSIDriver>();
    agrees::<api::storage::v1::CSINode>();
    agrees::<api::storage::v1::CSIStorageCapacity>();
    agrees::<api::storage::v1::StorageClass>();
    agrees::<api::storage::v1::VolumeAttachment>();
    agrees::<api::storage::v1beta1::VolumeAttributesClass>();
    agrees::<api::resource::v1beta1::DeviceClass>();
    agrees::<api::resource::v1beta1::ResourceClaim>();
    agrees::<api::resource::v1beta2::ResourceSlice>();
}

#[test]
fn what_runs_the_cluster_agrees() {
    agrees::<api::admissionregistration::v1::MutatingWebhookConfiguration>();
    agrees::<api::admissionregistration::v1::ValidatingAdmissionPolicy>();
    agrees::<api::admissionregistration::v1::ValidatingAdmissionPolicyBinding>();
    agrees::<api::admissionregistration::v1::ValidatingWebhookConfiguration>();
    agrees::<api::authentication::v1::SelfSubjectReview>();
    agrees::<api::authentication::v1::TokenRequest>();
    agrees::<api::authentication::v1::TokenReview>();
    agrees::<api::authorization::v1::LocalSubjectAccessReview>();
    agrees::<api::authorization::v1::SelfSubjectAccessReview>();
    agrees::<api::authorization::v1::SelfSubjectRulesReview>();
    agrees::<api::authorization::v1::SubjectAccessReview>();
    agrees::<api::certificates::v1::CertificateSigningRequest>();
    agrees::<api::coordination::v1::Lease>();
    agrees::<api::events::v1::Event>();
    agrees::<api::flowcontrol::v1::FlowSchema>();
    agrees::<api::flowcontrol::v1::PriorityLevelConfiguration>();
    agrees::<api::node::v1::RuntimeClass>();
    agrees::<api::rbac::v1::ClusterRole>();
    agrees::<api::rbac::v1::ClusterRoleBinding>();
    agrees::<api::rbac::v1::Role>();
    agrees::<api::rbac::v1::RoleBinding>();
    agrees::<api::scheduling::v1::PriorityClass>();
    agrees::<k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition>();
    agrees::<k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService>();
}
