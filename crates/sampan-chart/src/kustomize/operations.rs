//! Lists of operations (RFC 6902).

use json_patch::PatchOperation;
use serde_json::Value;

use super::error::Error;
use super::resource::Resource;

/// How large copies may make a resource, in about the bytes of its text: each can double it, and no cluster takes such large ones.
const RESOURCE_LIMIT_BYTES: usize = 16 << 20;

/// Carries operations out on a resource.
pub(super) fn apply(operations: &Value, resource: &mut Resource) -> Result<(), Error> {
    let id = resource.id().to_string();
    let failed = |problem: String| Error::Operation {
        resource: id.clone(),
        problem,
    };
    let patch: json_patch::Patch =
        serde_json::from_value(operations.clone()).map_err(|error| failed(error.to_string()))?;
    resource.remember();
    let mut value = Value::Object(std::mem::take(&mut resource.value));
    let mut size = weight(&value);
    for operation in &patch.0 {
        if let PatchOperation::Copy(copy) = operation {
            size = size.saturating_add(value.pointer(copy.from.as_str()).map_or(0, weight));
            if size > RESOURCE_LIMIT_BYTES {
                return Err(failed(format!(
                    "copying makes it larger than {RESOURCE_LIMIT_BYTES} bytes"
                )));
            }
        }
        json_patch::patch(&mut value, std::slice::from_ref(operation))
            .map_err(|error| failed(error.to_string()))?;
    }
    match value {
        Value::Object(map) => {
            resource.value = map;
            Ok(())
        }
        _ => Err(failed("it is no longer a resource".to_owned())),
    }
}

/// About how many bytes the text of a value has.
fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 4,
        Value::String(text) => 4 + text.len(),
        Value::Array(items) => 4 + items.iter().map(weight).sum::<usize>(),
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| 4 + key.len() + weight(value);
            4 + map.iter().map(entry).sum::<usize>()
        }
    }
}
