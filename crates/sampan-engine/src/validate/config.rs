//! The rules of config maps and secrets.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};

use super::causes::{Causes, Path};
use super::names;

/// What the data of one object may be together.
const MOST_BYTES: usize = 1024 * 1024;

/// Checks a config map.
pub(super) fn config_map(new: &ConfigMap, old: Option<&ConfigMap>, causes: &mut Causes) {
    let data = Path::new("data");
    let binary = Path::new("binaryData");
    let mut size = 0;
    for (key, value) in new.data.iter().flatten() {
        causes.complaints(&data.key(key), key, names::config_key(key));
        if new
            .binary_data
            .as_ref()
            .is_some_and(|binary| binary.contains_key(key))
        {
            causes.invalid(
                &data.key(key),
                key,
                "duplicate of key present in binaryData",
            );
        }
        size += value.len();
    }
    for (key, value) in new.binary_data.iter().flatten() {
        causes.complaints(&binary.key(key), key, names::config_key(key));
        size += value.0.len();
    }
    if size > MOST_BYTES {
        causes.too_long(&Path::new(""), MOST_BYTES);
    }
    let Some(old) = old.filter(|old| old.immutable == Some(true)) else {
        return;
    };
    if new.immutable != Some(true) {
        causes.forbidden(&Path::new("immutable"), SET);
    }
    if new.data != old.data {
        causes.forbidden(&data, SET);
    }
    if new.binary_data != old.binary_data {
        causes.forbidden(&binary, SET);
    }
}

const SET: &str = "field is immutable when `immutable` is set";

/// Checks a secret.
pub(super) fn secret(new: &Secret, old: Option<&Secret>, causes: &mut Causes) {
    let path = Path::new("data");
    let empty = BTreeMap::new();
    let data = new.data.as_ref().unwrap_or(&empty);
    let mut size = 0;
    for (key, value) in data {
        causes.complaints(&path.key(key), key, names::config_key(key));
        size += value.0.len();
    }
    if size > MOST_BYTES {
        causes.too_long(&path, MOST_BYTES);
    }
    typed(
        new.type_.as_deref().unwrap_or("Opaque"),
        data,
        &path,
        causes,
    );
    let Some(old) = old else { return };
    if new.type_ != old.type_ {
        causes.unchanged(&Path::new("type"), &new.type_, &old.type_);
    }
    if old.immutable == Some(true) {
        if new.immutable != Some(true) {
            causes.forbidden(&Path::new("immutable"), SET);
        }
        if new.data != old.data {
            causes.forbidden(&path, SET);
        }
    }
}

/// What the well-known types of secrets must hold.
fn typed(kind: &str, data: &BTreeMap<String, ByteString>, path: &Path, causes: &mut Causes) {
    let needed: &[&str] = match kind {
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        _ => &[],
    };
    for key in needed {
        match data.get(*key) {
            None => causes.required(&path.key(key), ""),
            Some(value)
                if key.starts_with(".docker")
                    && serde_json::from_slice::<serde_json::Value>(&value.0).is_err() =>
            {
                causes.invalid(
                    &path.key(key),
                    "<secret contents redacted>",
                    "must be valid json",
                );
            }
            Some(_) => {}
        }
    }
    let either = ["username", "password"];
    if kind == "kubernetes.io/basic-auth" && !either.iter().any(|key| data.contains_key(*key)) {
        for key in either {
            causes.required(&path.key(key), "");
        }
    }
}
