//! The objects that a pod's environment and volumes are made from, read once per round.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapEnvSource, PersistentVolumeClaim, Pod, PodSpec, Secret, SecretEnvSource,
    Service, ServiceAccount,
};

use super::{record, tokens};
use crate::error::Error;
use crate::objects::{Object, Objects};

/// What was found; what is missing is not in the maps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// Config maps by name.
    pub(crate) config_maps: BTreeMap<String, ConfigMap>,
    /// Secrets by name.
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// Claims by name.
    pub(crate) claims: BTreeMap<String, PersistentVolumeClaim>,
    /// The account of the pod, if its volumes carry tokens of it.
    pub(crate) account: Option<ServiceAccount>,
    /// Services whose addresses the environment tells.
    pub(crate) services: Vec<Service>,
}

/// Names that a pod refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct References {
    /// Config maps.
    pub(crate) config_maps: BTreeSet<String>,
    /// Secrets.
    pub(crate) secrets: BTreeSet<String>,
    /// Claims.
    pub(crate) claims: BTreeSet<String>,
    /// Its account, if volumes carry tokens of it.
    pub(crate) account: Option<String>,
}

/// Everything that a pod refers to.
pub(crate) fn references(spec: &PodSpec) -> References {
    let mut found = References::default();
    for (container, _) in record::containers(spec) {
        for variable in container.env.iter().flatten() {
            let Some(from) = &variable.value_from else {
                continue;
            };
            found
                .config_maps
                .extend(from.config_map_key_ref.iter().map(|r| r.name.clone()));
            found
                .secrets
                .extend(from.secret_key_ref.iter().map(|r| r.name.clone()));
        }
        for from in container.env_from.iter().flatten() {
            let config_map = |source: &ConfigMapEnvSource| source.name.clone();
            let secret = |source: &SecretEnvSource| source.name.clone();
            found
                .config_maps
                .extend(from.config_map_ref.as_ref().map(config_map));
            found.secrets.extend(from.secret_ref.as_ref().map(secret));
        }
    }
    for volume in spec.volumes.iter().flatten() {
        found
            .config_maps
            .extend(volume.config_map.as_ref().map(|source| source.name.clone()));
        found
            .secrets
            .extend(volume.secret.as_ref().and_then(|s| s.secret_name.clone()));
        found.claims.extend(
            volume
                .persistent_volume_claim
                .as_ref()
                .map(|s| s.claim_name.clone()),
        );
        for part in volume
            .projected
            .iter()
            .flat_map(|p| p.sources.iter().flatten())
        {
            found
                .config_maps
                .extend(part.config_map.as_ref().map(|source| source.name.clone()));
            found
                .secrets
                .extend(part.secret.as_ref().map(|source| source.name.clone()));
        }
    }
    let has_tokens = tokens::projections(spec).next().is_some();
    found.account = has_tokens.then(|| tokens::account_name(spec).to_owned());
    found
}

/// Reads what the containers of a pod need.
pub(crate) async fn read(objects: &Objects, pod: &Pod) -> Result<Sources, Error> {
    let namespace = pod.metadata.namespace.as_deref();
    let Some(spec) = pod.spec.as_ref() else {
        return Ok(Sources::default());
    };
    let mut services = Vec::new();
    if spec.enable_service_links != Some(false) {
        services = objects.list::<Service>(namespace).await?;
    }
    if namespace != Some("default") {
        services.extend(
            objects
                .get::<Service>(Some("default"), "kubernetes")
                .await?,
        );
    }
    Ok(Sources {
        services,
        ..referred(objects, pod).await?
    })
}

/// Reads what a pod refers to by name, which is all that its volumes need.
pub(crate) async fn referred(objects: &Objects, pod: &Pod) -> Result<Sources, Error> {
    let namespace = pod.metadata.namespace.as_deref();
    let Some(spec) = pod.spec.as_ref() else {
        return Ok(Sources::default());
    };
    let wanted = references(spec);
    let account = match &wanted.account {
        Some(name) => objects.get(namespace, name).await?,
        None => None,
    };
    Ok(Sources {
        config_maps: read_all(objects, namespace, wanted.config_maps).await?,
        secrets: read_all(objects, namespace, wanted.secrets).await?,
        claims: read_all(objects, namespace, wanted.claims).await?,
        account,
        services: Vec::new(),
    })
}

async fn read_all<K: Object>(
    objects: &Objects,
    namespace: Option<&str>,
    names: BTreeSet<String>,
) -> Result<BTreeMap<String, K>, Error> {
    let mut found = BTreeMap::new();
    for name in names {
        if let Some(object) = objects.get::<K>(namespace, &name).await? {
            found.insert(name, object);
        }
    }
    Ok(found)
}
