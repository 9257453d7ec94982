//! The hash behind the names of generated resources: who refers to one is changed when its content changes.

use serde_json::{Value, json};

use super::error::Error;
use super::resource::Resource;
use super::write;
use crate::json;

/// Puts the hash behind the name, where one is wanted.
pub(super) fn add(resource: &mut Resource) -> Result<(), Error> {
    if !resource.needs_hash {
        return Ok(());
    }
    let hash = of(resource).map_err(|source| Error::Hash {
        resource: resource.id().to_string(),
        source,
    })?;
    resource.remember();
    let name = format!("{}-{hash}", resource.id().name);
    resource.set_name(name);
    Ok(())
}

fn of(resource: &Resource) -> Result<String, json::Error> {
    let value = &resource.value;
    let part = |name: &str| value.get(name).cloned().unwrap_or_else(|| json!(""));
    // The name is not found there, and so is no part of the hash.
    let mut hashed = match resource.id().kind.as_str() {
        "ConfigMap" => json!({"kind": "ConfigMap", "name": "", "data": part("data")}),
        "Secret" => {
            json!({"kind": "Secret", "type": part("type"), "name": "", "data": part("data")})
        }
        _ => Value::Object(value.clone()),
    };
    let extra = match resource.id().kind.as_str() {
        "ConfigMap" => "binaryData",
        _ => "stringData",
    };
    if let (Some(more @ Value::Object(_)), Some(map)) = (value.get(extra), hashed.as_object_mut()) {
        map.insert(extra.to_owned(), more.clone());
    }
    // The JSON of Go: keys in order, and what HTML would not bear as numbers.
    let text = json::encode(&write::from_json(&hashed))?;
    let digest = ring::digest::digest(&ring::digest::SHA256, &text);
    let digits = hex::encode(digest);
    let readable = digits[..10].chars().map(|digit| match digit {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    });
    Ok(readable.collect())
}
