//! Strict decoding: what a body has that its kind does not know, and what has the wrong type.

use std::fmt;

use k8s_openapi::api::{
    apps, authentication, authorization, autoscaling, batch, coordination, core, discovery, events,
    networking, policy, rbac, scheduling, storage,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::duplicates;
use crate::custom::structural::{self, Step};
use crate::decode;
use crate::error::Error;
use crate::resources::Resource;

/// The problems of a body that its kind could still be read from. With `fieldValidation=Strict`
/// they refuse the request ([`refusal`]), with `Warn` each becomes a `Warning` header; what is
/// stored never has the unknown fields.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Each problem: `unknown field "spec.replcas"`, `duplicate field "spec.replicas"`.
    pub messages: Vec<String>,
    unknown: Vec<Place>,
}

impl Findings {
    /// Removes the unknown fields from the object.
    pub fn prune(&self, object: &mut Value) {
        for place in &self.unknown {
            place.remove_from(object);
        }
    }
}

/// Where a field is in an object, step by step.
#[derive(Debug, PartialEq, Eq)]
struct Place(Vec<Step>);

impl Place {
    fn of(path: &serde_ignored::Path<'_>) -> Self {
        use serde_ignored::Path;
        let (parent, step) = match path {
            Path::Root => return Self(Vec::new()),
            Path::Seq { parent, index } => (parent, Some(Step::Item(*index))),
            Path::Map { parent, key } => (parent, Some(Step::Field(key.clone()))),
            Path::Some { parent }
            | Path::NewtypeStruct { parent }
            | Path::NewtypeVariant { parent } => (parent, None),
        };
        let mut place = Self::of(parent);
        place.0.extend(step);
        place
    }

    fn remove_from(&self, object: &mut Value) {
        let Some((Step::Field(last), parents)) = self.0.split_last() else {
            return;
        };
        let parent = parents.iter().try_fold(object, |value, step| match step {
            Step::Field(name) => value.get_mut(name),
            Step::Item(index) => value.get_mut(index),
        });
        if let Some(Value::Object(parent)) = parent {
            parent.remove(last);
        }
    }
}

/// The place as Kubernetes writes it: `spec.containers[0].imag`.
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if index == 0 => write!(formatter, "{name}")?,
                Step::Field(name) => write!(formatter, ".{name}")?,
                Step::Item(item) => write!(formatter, "[{item}]")?,
            }
        }
        Ok(())
    }
}

/// Compares a body with its kind.
///
/// `object` has its defaults already, as filling them in also gives quantities their one type.
///
/// # Errors
/// [`Error::BadRequest`] when the body cannot be read as its kind at all.
pub fn findings(resource: &Resource, object: &Value, body: &[u8]) -> Result<Findings, Error> {
    let unknown = unknown_fields(resource, object)?;
    let duplicate = duplicates::of(body).into_iter();
    let messages = duplicate
        .map(|path| format!("duplicate field {path:?}"))
        .chain(
            unknown
                .iter()
                .map(|place| format!("unknown field \"{place}\"")),
        )
        .collect();
    Ok(Findings { messages, unknown })
}

/// The error with which a strict request is refused.
#[must_use]
pub fn refusal(resource: &Resource, findings: &Findings) -> Error {
    let what = format!("strict decoding error: {}", findings.messages.join(", "));
    Error::BadRequest(unreadable(resource, &what))
}

fn unreadable(resource: &Resource, what: &str) -> String {
    let Resource { kind, version, .. } = resource;
    format!("{kind} in version {version:?} cannot be handled as a {kind}: {what}")
}

/// The fields of an object that its kind does not know.
fn unknown_fields(resource: &Resource, object: &Value) -> Result<Vec<Place>, Error> {
    if let Some(custom) = resource.custom {
        let unknown = structural::unknown(&custom.schema, object);
        return Ok(unknown.into_iter().map(Place).collect());
    }
    let Some(read) = reader(resource) else {
        return Ok(Vec::new());
    };
    let mut unknown = Vec::new();
    read(object, &mut unknown).map_err(|what| Error::BadRequest(unreadable(resource, &what)))?;
    Ok(unknown)
}

type Reader = fn(&Value, &mut Vec<Place>) -> Result<(), String>;

fn reader(resource: &Resource) -> Option<Reader> {
    Some(match (resource.group, resource.kind) {
        ("", "ConfigMap") => read::<core::v1::ConfigMap>,
        ("", "Endpoints") => read::<core::v1::Endpoints>,
        ("", "Event") => read::<core::v1::Event>,
        ("", "LimitRange") => read::<core::v1::LimitRange>,
        ("", "Namespace") => read::<core::v1::Namespace>,
        ("", "Node") => read::<core::v1::Node>,
        ("", "PersistentVolume") => read::<core::v1::PersistentVolume>,
        ("", "PersistentVolumeClaim") => read::<core::v1::PersistentVolumeClaim>,
        ("", "Pod") => read::<core::v1::Pod>,
        ("", "PodTemplate") => read::<core::v1::PodTemplate>,
        ("", "ResourceQuota") => read::<core::v1::ResourceQuota>,
        ("", "Secret") => read::<core::v1::Secret>,
        ("", "Service") => read::<core::v1::Service>,
        ("", "ServiceAccount") => read::<core::v1::ServiceAccount>,
        ("apps", "ControllerRevision") => read::<apps::v1::ControllerRevision>,
        ("apps", "DaemonSet") => read::<apps::v1::DaemonSet>,
        ("apps", "Deployment") => read::<apps::v1::Deployment>,
        ("apps", "ReplicaSet") => read::<apps::v1::ReplicaSet>,
        ("apps", "StatefulSet") => read::<apps::v1::StatefulSet>,
        ("authentication.k8s.io", "SelfSubjectReview") => {
            read::<authentication::v1::SelfSubjectReview>
        }
        ("authentication.k8s.io", "TokenReview") => read::<authentication::v1::TokenReview>,
        ("authorization.k8s.io", "LocalSubjectAccessReview") => {
            read::<authorization::v1::LocalSubjectAccessReview>
        }
        ("authorization.k8s.io", "SelfSubjectAccessReview") => {
            read::<authorization::v1::SelfSubjectAccessReview>
        }
        ("authorization.k8s.io", "SelfSubjectRulesReview") => {
            read::<authorization::v1::SelfSubjectRulesReview>
        }
        ("authorization.k8s.io", "SubjectAccessReview") => {
            read::<authorization::v1::SubjectAccessReview>
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => read::<CustomResourceDefinition>,
        ("autoscaling", "HorizontalPodAutoscaler") if resource.version == "v1" => {
            read::<autoscaling::v1::HorizontalPodAutoscaler>
        }
        ("autoscaling", "HorizontalPodAutoscaler") => {
            read::<autoscaling::v2::HorizontalPodAutoscaler>
        }
        ("networking.k8s.io", "NetworkPolicy") => read::<networking::v1::NetworkPolicy>,
        ("policy", "PodDisruptionBudget") => read::<policy::v1::PodDisruptionBudget>,
        ("rbac.authorization.k8s.io", "ClusterRole") => read::<rbac::v1::ClusterRole>,
        ("rbac.authorization.k8s.io", "ClusterRoleBinding") => read::<rbac::v1::ClusterRoleBinding>,
        ("rbac.authorization.k8s.io", "Role") => read::<rbac::v1::Role>,
        ("rbac.authorization.k8s.io", "RoleBinding") => read::<rbac::v1::RoleBinding>,
        ("scheduling.k8s.io", "PriorityClass") => read::<scheduling::v1::PriorityClass>,
        ("batch", "CronJob") => read::<batch::v1::CronJob>,
        ("batch", "Job") => read::<batch::v1::Job>,
        ("coordination.k8s.io", "Lease") => read::<coordination::v1::Lease>,
        ("discovery.k8s.io", "EndpointSlice") => read::<discovery::v1::EndpointSlice>,
        ("events.k8s.io", "Event") => read::<events::v1::Event>,
        ("networking.k8s.io", "Ingress") => read::<networking::v1::Ingress>,
        ("networking.k8s.io", "IngressClass") => read::<networking::v1::IngressClass>,
        ("storage.k8s.io", "StorageClass") => read::<storage::v1::StorageClass>,
        _ => return None,
    })
}

fn read<K: DeserializeOwned>(object: &Value, unknown: &mut Vec<Place>) -> Result<(), String> {
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(object, &mut track);
    let mut ignored = |path: serde_ignored::Path<'_>| unknown.push(Place::of(&path));
    let result = decode::erased::<K, _>(serde_ignored::Deserializer::new(tracked, &mut ignored));
    result.map(|_| ()).map_err(|error| {
        let path = track.path().to_string();
        if path == "." {
            error.to_string()
        } else {
            format!("{path}: {error}")
        }
    })
}
