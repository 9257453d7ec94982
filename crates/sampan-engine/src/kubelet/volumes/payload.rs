//! The files of config map, secret, downward API and projected volumes. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    ConfigMap, DownwardAPIVolumeFile, KeyToPath, Pod, Secret, Volume, VolumeProjection,
};

use super::VolumeError;
use crate::kubelet::fields::{self, Surroundings};
use crate::kubelet::sources::Sources;
use crate::kubelet::tokens::{Tokens, account_name};

/// One file: its content and its mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// The bytes.
    pub(crate) content: Vec<u8>,
    /// The permission bits.
    pub(crate) mode: u32,
}

/// Files by relative path.
pub(crate) type Payload = BTreeMap<String, File>;

/// What projected files are made from.
pub(crate) struct Origin<'a> {
    /// The pod.
    pub(crate) pod: &'a Pod,
    /// The objects that it refers to.
    pub(crate) sources: &'a Sources,
    /// The tokens of its account.
    pub(crate) tokens: &'a Tokens,
    /// Its addresses and the node's size.
    pub(crate) around: &'a Surroundings,
    /// Whether its containers have begun, who work in its volumes since.
    pub(crate) begun: bool,
}

/// The files of a volume; `None` for volumes of other kinds.
pub(crate) fn of_volume(
    volume: &Volume,
    origin: &Origin<'_>,
) -> Result<Option<Payload>, VolumeError> {
    let mut payload = Payload::new();
    if let Some(source) = &volume.config_map {
        let (mode, optional) = (mode(source.default_mode), source.optional);
        let entries = config_map(origin, &source.name, optional)?;
        select(
            &mut payload,
            entries,
            source.items.as_deref(),
            mode,
            &optional_of("configmap", &source.name, optional),
        )?;
    } else if let Some(source) = &volume.secret {
        let name = source.secret_name.as_deref().unwrap_or_default();
        let (mode, optional) = (mode(source.default_mode), source.optional);
        let entries = secret(origin, name, optional)?;
        select(
            &mut payload,
            entries,
            source.items.as_deref(),
            mode,
            &optional_of("secret", name, optional),
        )?;
    } else if let Some(source) = &volume.downward_api {
        let mode = mode(source.default_mode);
        downward(
            &mut payload,
            origin,
            source.items.as_deref().unwrap_or_default(),
            mode,
        )?;
    } else if let Some(source) = &volume.projected {
        for part in source.sources.iter().flatten() {
            projected(&mut payload, origin, part, mode(source.default_mode))?;
        }
    } else {
        return Ok(None);
    }
    Ok(Some(payload))
}

fn mode(mode: Option<i32>) -> u32 {
    mode.and_then(|mode| u32::try_from(mode).ok())
        .unwrap_or(0o644)
        & 0o777
}

/// Of what kind a source is, and whether missing keys are fine.
struct Optional<'a> {
    kind: &'static str,
    name: &'a str,
    yes: bool,
}

fn optional_of<'a>(kind: &'static str, name: &'a str, optional: Option<bool>) -> Optional<'a> {
    Optional {
        kind,
        name,
        yes: optional == Some(true),
    }
}

type Entries = BTreeMap<String, Vec<u8>>;

fn config_map(
    origin: &Origin<'_>,
    name: &str,
    optional: Option<bool>,
) -> Result<Entries, VolumeError> {
    let entries = |map: &ConfigMap| {
        let text = map
            .data
            .iter()
            .flatten()
            .map(|(k, v)| (k.clone(), v.clone().into_bytes()));
        let binary = map
            .binary_data
            .iter()
            .flatten()
            .map(|(k, v)| (k.clone(), v.0.clone()));
        text.chain(binary).collect()
    };
    match origin.sources.config_maps.get(name) {
        Some(map) => Ok(entries(map)),
        None if optional == Some(true) => Ok(Entries::new()),
        None => Err(VolumeError::NoSource {
            kind: "configmap",
            name: name.to_owned(),
        }),
    }
}

fn secret(origin: &Origin<'_>, name: &str, optional: Option<bool>) -> Result<Entries, VolumeError> {
    let entries = |secret: &Secret| {
        secret
            .data
            .iter()
            .flatten()
            .map(|(k, v)| (k.clone(), v.0.clone()))
            .collect()
    };
    match origin.sources.secrets.get(name) {
        Some(secret) => Ok(entries(secret)),
        None if optional == Some(true) => Ok(Entries::new()),
        None => Err(VolumeError::NoSource {
            kind: "secret",
            name: name.to_owned(),
        }),
    }
}

fn select(
    payload: &mut Payload,
    mut entries: Entries,
    items: Option<&[KeyToPath]>,
    mode: u32,
    optional: &Optional<'_>,
) -> Result<(), VolumeError> {
    let Some(items) = items.filter(|items| !items.is_empty()) else {
        payload.extend(
            entries
                .into_iter()
                .map(|(key, content)| (key, File { content, mode })),
        );
        return Ok(());
    };
    for item in items {
        match entries.remove(&item.key) {
            Some(content) => {
                let mode = item.mode.map_or(mode, |mode| self::mode(Some(mode)));
                payload.insert(safe(&item.path)?, File { content, mode });
            }
            None if optional.yes => {}
            None => {
                return Err(VolumeError::NoKey {
                    kind: optional.kind,
                    name: optional.name.to_owned(),
                    key: item.key.clone(),
                });
            }
        }
    }
    Ok(())
}

fn downward(
    payload: &mut Payload,
    origin: &Origin<'_>,
    items: &[DownwardAPIVolumeFile],
    mode: u32,
) -> Result<(), VolumeError> {
    for item in items {
        let value = match (&item.field_ref, &item.resource_field_ref) {
            (Some(field), _) => fields::field(origin.pod, origin.around, &field.field_path)
                .ok_or_else(|| VolumeError::NoField(field.field_path.clone()))?,
            (None, Some(resource)) => fields::resource(origin.pod, "", origin.around, resource)
                .ok_or_else(|| VolumeError::NoField(resource.resource.clone()))?,
            (None, None) => continue,
        };
        let mode = item.mode.map_or(mode, |mode| self::mode(Some(mode)));
        payload.insert(
            safe(&item.path)?,
            File {
                content: value.into_bytes(),
                mode,
            },
        );
    }
    Ok(())
}

fn projected(
    payload: &mut Payload,
    origin: &Origin<'_>,
    part: &VolumeProjection,
    mode: u32,
) -> Result<(), VolumeError> {
    if let Some(source) = &part.config_map {
        let entries = config_map(origin, &source.name, source.optional)?;
        let optional = optional_of("configmap", &source.name, source.optional);
        select(payload, entries, source.items.as_deref(), mode, &optional)?;
    }
    if let Some(source) = &part.secret {
        let entries = secret(origin, &source.name, source.optional)?;
        let optional = optional_of("secret", &source.name, source.optional);
        select(payload, entries, source.items.as_deref(), mode, &optional)?;
    }
    if let Some(source) = &part.downward_api {
        downward(
            payload,
            origin,
            source.items.as_deref().unwrap_or_default(),
            mode,
        )?;
    }
    if let Some(source) = &part.service_account_token {
        let token = origin.tokens.get(source).ok_or_else(|| {
            let spec = origin.pod.spec.as_ref();
            VolumeError::NoSource {
                kind: "serviceaccount",
                name: spec.map(account_name).unwrap_or_default().to_owned(),
            }
        })?;
        let content = token.as_bytes().to_vec();
        payload.insert(safe(&source.path)?, File { content, mode });
    }
    if part.cluster_trust_bundle.is_some() {
        return Err(VolumeError::Unsupported("trust bundles"));
    }
    Ok(())
}

/// A path that stays inside of the volume.
fn safe(path: &str) -> Result<String, VolumeError> {
    let inside = !path.starts_with('/')
        && path
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..")
        && !path.starts_with("..");
    if inside {
        Ok(path.to_owned())
    } else {
        Err(VolumeError::Path(path.to_owned()))
    }
}
