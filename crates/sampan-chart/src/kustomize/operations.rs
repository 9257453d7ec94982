//! Lists of operations (RFC 6902).

use serde_json::Value;

use super::error::Error;
use super::resource::Resource;

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
    json_patch::patch(&mut value, &patch).map_err(|error| failed(error.to_string()))?;
    match value {
        Value::Object(map) => {
            resource.value = map;
            Ok(())
        }
        _ => Err(failed("it is no longer a resource".to_owned())),
    }
}
