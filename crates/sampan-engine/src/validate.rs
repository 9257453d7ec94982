//! Refuses objects that Kubernetes would refuse, with the same words.
//!
//! [`strict`] finds what does not belong into an object of its kind (`fieldValidation`);
//! [`check`] finds values that are not allowed. Both are pure functions over JSON values, called
//! after the defaults are filled in.

mod causes;
mod config;
mod container;
mod duplicates;
mod ingress;
mod metadata;
mod names;
mod pod;
mod probe;
mod quantity;
mod service;
pub mod strict;
mod volume;
mod workload;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Secret, Service};
use k8s_openapi::api::networking::v1::Ingress;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Cause;
use crate::resources::Resource;
use causes::Causes;
pub(crate) use quantity::Quantity;

/// The rules that an object breaks; `old` is the object that it is to replace.
///
/// An object that cannot be read as its kind breaks no rule here: [`strict::findings`] reports it.
#[must_use]
pub fn check(resource: &Resource, object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes = Causes::default();
    metadata::check(resource, object, old, &mut causes);
    let (group, kind) = (resource.group, resource.kind);
    match (group, kind) {
        ("", "Pod") => both(object, old, |new: &Pod, old| {
            pod::check(new, old, &mut causes)
        }),
        ("", "Service") => {
            both(object, old, |new: &Service, old| {
                service::check(new, old, &mut causes)
            });
        }
        ("", "ConfigMap") => {
            both(object, old, |new: &ConfigMap, old| {
                config::config_map(new, old, &mut causes)
            });
        }
        ("", "Secret") => {
            both(object, old, |new: &Secret, old| {
                config::secret(new, old, &mut causes)
            });
        }
        ("", "PersistentVolumeClaim") => {
            both(object, old, |new: &PersistentVolumeClaim, old| {
                volume::claim(new, old, &mut causes);
            });
        }
        ("apps", "Deployment") => {
            both(object, old, |new: &Deployment, old| {
                workload::deployment(new, old, &mut causes)
            });
        }
        ("apps", "ReplicaSet") => {
            both(object, old, |new: &ReplicaSet, old| {
                workload::replica_set(new, old, &mut causes)
            });
        }
        ("apps", "StatefulSet") => {
            both(object, old, |new: &StatefulSet, old| {
                workload::stateful_set(new, old, &mut causes);
            });
        }
        ("networking.k8s.io", "Ingress") => {
            both(object, old, |new: &Ingress, _| {
                ingress::check(new, &mut causes)
            });
        }
        _ => {}
    }
    causes.into_vec()
}

/// Reads both objects as their kind and checks them, if that is possible.
fn both<K: DeserializeOwned>(
    object: &Value,
    old: Option<&Value>,
    check: impl FnOnce(&K, Option<&K>),
) {
    let Ok(new) = K::deserialize(object) else {
        return;
    };
    let old = old.and_then(|old| K::deserialize(old).ok());
    check(&new, old.as_ref());
}

#[cfg(test)]
mod tests;
