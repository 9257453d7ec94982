//! The rules of volumes and volume claims.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{
    KeyToPath, PersistentVolumeClaim, PersistentVolumeClaimSpec, Volume,
};
use serde_json::Value;

use super::causes::{Causes, Path};
use super::{Quantity, names};

/// Checks the volumes of a pod and gives their names.
pub(super) fn check<'a>(
    volumes: &'a [Volume],
    path: &Path,
    causes: &mut Causes,
) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    for (index, volume) in volumes.iter().enumerate() {
        let path = path.index(index);
        let name = path.child("name");
        if volume.name.is_empty() {
            causes.required(&name, "");
        } else {
            causes.complaints(&name, &volume.name, names::dns_label(&volume.name));
        }
        if !seen.insert(volume.name.as_str()) {
            causes.duplicate(&name, &volume.name);
        }
        source(volume, &path, causes);
    }
    seen
}

fn source(volume: &Volume, path: &Path, causes: &mut Causes) {
    // Every field but the name is a source.
    let given = match serde_json::to_value(volume) {
        Ok(Value::Object(fields)) => fields.len() - usize::from(fields.contains_key("name")),
        _ => 1,
    };
    match given {
        0 => causes.required(path, "must specify a volume type"),
        1 => {}
        _ => causes.forbidden(path, "may not specify more than 1 volume type"),
    }
    if let Some(secret) = &volume.secret {
        let path = path.child("secret");
        if secret.secret_name.as_deref().is_none_or(str::is_empty) {
            causes.required(&path.child("secretName"), "");
        }
        mode(secret.default_mode, &path.child("defaultMode"), causes);
        items(
            secret.items.as_deref().unwrap_or_default(),
            &path.child("items"),
            causes,
        );
    }
    if let Some(map) = &volume.config_map {
        let path = path.child("configMap");
        if map.name.is_empty() {
            causes.required(&path.child("name"), "");
        }
        mode(map.default_mode, &path.child("defaultMode"), causes);
        items(
            map.items.as_deref().unwrap_or_default(),
            &path.child("items"),
            causes,
        );
    }
    if let Some(claim) = &volume.persistent_volume_claim
        && claim.claim_name.is_empty()
    {
        causes.required(&path.child("persistentVolumeClaim").child("claimName"), "");
    }
    if let Some(host) = &volume.host_path {
        let path = path.child("hostPath");
        if host.path.is_empty() {
            causes.required(&path.child("path"), "");
        } else if host.path.split('/').any(|part| part == "..") {
            causes.invalid(&path.child("path"), &host.path, "must not contain '..'");
        }
        causes.one_of(&path.child("type"), host.type_.as_deref(), HOST_PATH_TYPES);
    }
    if let Some(limit) = volume
        .empty_dir
        .as_ref()
        .and_then(|empty| empty.size_limit.as_ref())
        && Quantity::parse(&limit.0).is_none_or(Quantity::is_negative)
    {
        let path = path.child("emptyDir").child("sizeLimit");
        causes.forbidden(&path, "SizeLimit field must be a valid resource quantity");
    }
}

const HOST_PATH_TYPES: &[&str] = &[
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];

fn mode(mode: Option<i32>, path: &Path, causes: &mut Causes) {
    if let Some(mode) = mode.filter(|mode| !(0..=0o777).contains(mode)) {
        causes.invalid(
            path,
            &mode,
            "must be a number between 0 and 0777 (octal), both inclusive",
        );
    }
}

fn items(items: &[KeyToPath], path: &Path, causes: &mut Causes) {
    for (index, item) in items.iter().enumerate() {
        let path = path.index(index);
        if item.key.is_empty() {
            causes.required(&path.child("key"), "");
        }
        let target = path.child("path");
        if item.path.is_empty() {
            causes.required(&target, "");
        } else if item.path.starts_with('/') {
            causes.invalid(&target, &item.path, "must be a relative path");
        } else if item.path.split('/').any(|part| part == "..") {
            causes.invalid(&target, &item.path, "must not contain '..'");
        }
        mode(item.mode, &path.child("mode"), causes);
    }
}

/// Checks a volume claim.
pub(super) fn claim(
    new: &PersistentVolumeClaim,
    old: Option<&PersistentVolumeClaim>,
    causes: &mut Causes,
) {
    let path = Path::new("spec");
    let Some(spec) = &new.spec else {
        causes.required(
            &path.child("accessModes"),
            "at least 1 access mode is required",
        );
        return;
    };
    claim_spec(spec, &path, causes);
    if let Some(old) = old.and_then(|old| old.spec.as_ref()) {
        claim_update(spec, old, &path, causes);
    }
}

/// Checks the spec of a claim, also that of a template.
pub(super) fn claim_spec(spec: &PersistentVolumeClaimSpec, path: &Path, causes: &mut Causes) {
    let modes = path.child("accessModes");
    let given = spec.access_modes.as_deref().unwrap_or_default();
    if given.is_empty() {
        causes.required(&modes, "at least 1 access mode is required");
    }
    for mode in given {
        causes.one_of(
            &modes,
            Some(mode),
            &[
                "ReadOnlyMany",
                "ReadWriteMany",
                "ReadWriteOnce",
                "ReadWriteOncePod",
            ],
        );
    }
    let storage_path = path.child("resources").key("storage");
    let requests = spec
        .resources
        .as_ref()
        .and_then(|resources| resources.requests.as_ref());
    match requests.and_then(|requests| requests.get("storage")) {
        None => causes.required(&storage_path, ""),
        Some(amount) => match Quantity::parse(&amount.0) {
            None => causes.invalid(&storage_path, &amount.0, Quantity::MALFORMED),
            Some(size) if size.is_negative() || size.canonical() == "0" => {
                causes.invalid(&storage_path, &amount.0, "must be greater than zero");
            }
            Some(_) => {}
        },
    }
    causes.one_of(
        &path.child("volumeMode"),
        spec.volume_mode.as_deref(),
        &["Block", "Filesystem"],
    );
}

fn claim_update(
    new: &PersistentVolumeClaimSpec,
    old: &PersistentVolumeClaimSpec,
    path: &Path,
    causes: &mut Causes,
) {
    let fixed = |spec: &PersistentVolumeClaimSpec| {
        let mut spec = spec.clone();
        spec.resources = None;
        spec.volume_attributes_class_name = None;
        if old.volume_name.is_none() {
            spec.volume_name = None;
        }
        spec
    };
    if fixed(new) != fixed(old) {
        causes.forbidden(
            path,
            "spec is immutable after creation except resources.requests and \
             volumeAttributesClassName for bound claims",
        );
    }
    let size = |spec: &PersistentVolumeClaimSpec| {
        Quantity::parse(
            &spec
                .resources
                .as_ref()?
                .requests
                .as_ref()?
                .get("storage")?
                .0,
        )
    };
    if let (Some(new), Some(old)) = (size(new), size(old))
        && old.exceeds(new)
    {
        causes.forbidden(
            &path.child("resources").child("requests").child("storage"),
            "field can not be less than status.capacity",
        );
    }
}
