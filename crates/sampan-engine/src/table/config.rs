//! The rows of configuration.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
use serde_json::Value;

use super::{AGE, Column, NAME, age, read, text};

pub(super) const CONFIG_MAP: &[Column] = &[NAME, text("Data"), AGE];

pub(super) fn config_map(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let map: ConfigMap = read(object)?;
    let count = map.data.as_ref().map_or(0, BTreeMap::len)
        + map.binary_data.as_ref().map_or(0, BTreeMap::len);
    Some(vec![
        map.metadata.name.clone().into(),
        count.into(),
        age::of(&map.metadata, now).into(),
    ])
}

pub(super) const SECRET: &[Column] = &[NAME, text("Type"), text("Data"), AGE];

pub(super) fn secret(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let secret: Secret = read(object)?;
    Some(vec![
        secret.metadata.name.clone().into(),
        secret.type_.unwrap_or_default().into(),
        secret.data.as_ref().map_or(0, BTreeMap::len).into(),
        age::of(&secret.metadata, now).into(),
    ])
}

pub(super) const SERVICE_ACCOUNT: &[Column] = &[NAME, text("Secrets"), AGE];

pub(super) fn service_account(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let account: ServiceAccount = read(object)?;
    Some(vec![
        account.metadata.name.clone().into(),
        account.secrets.as_ref().map_or(0, Vec::len).into(),
        age::of(&account.metadata, now).into(),
    ])
}
