//! Who owns the fields of an object, when it goes over to server-side apply.
//!
//! What was written by plain requests is owned by them for ever, and a field that an apply leaves out would stay. So the
//! fields that Helm owns in that way are handed to its applies first, as Helm 4 does it.

use serde_json::{Map, Value as Json, json};

/// The name under which Helm owns fields.
const MANAGER: &str = "helm";

/// A merge patch that makes the fields that Helm has written those of its applies; none when there are none.
pub(super) fn to_apply(live: &Json) -> Option<Json> {
    let entries = live.pointer("/metadata/managedFields")?.as_array()?;
    let mut fields = Map::new();
    let mut rest = Vec::new();
    let mut model: Option<&Json> = None;
    let mut written = false;
    for entry in entries {
        let whole = entry["subresource"].as_str().unwrap_or_default().is_empty();
        let applied = match entry["operation"].as_str() {
            Some("Apply") => true,
            Some("Update") => false,
            _ => return None,
        };
        if !whole || entry["manager"] != MANAGER {
            rest.push(entry.clone());
            continue;
        }
        written |= !applied;
        if let Some(own) = entry["fieldsV1"].as_object() {
            unite(&mut fields, own);
        }
        // Helm's newest form of the object is that of its last apply, or else of its last write.
        if applied || model.is_none_or(|model| model["operation"] == "Update") {
            model = Some(entry);
        }
    }
    let mut own = model.filter(|_| written)?.clone();
    own["operation"] = "Apply".into();
    own["fieldsV1"] = Json::Object(fields);
    rest.insert(0, own);
    let version = live.pointer("/metadata/resourceVersion");
    Some(json!({"metadata": {"managedFields": rest, "resourceVersion": version}}))
}

/// Adds the fields of one set to another.
fn unite(fields: &mut Map<String, Json>, others: &Map<String, Json>) {
    for (name, other) in others {
        let field = fields.entry(name.clone()).or_insert_with(|| json!({}));
        if let (Json::Object(field), Json::Object(other)) = (field, other) {
            unite(field, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, fields: &Json) -> Json {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    fn live(entries: &[Json]) -> Json {
        json!({"metadata": {"resourceVersion": "7", "managedFields": entries}})
    }

    #[test]
    fn fields_that_helm_has_written_become_those_of_its_applies() {
        let other = entry("kubectl", "Update", &json!({"f:a": {}}));
        let applied = entry("helm", "Apply", &json!({"f:data": {"f:a": {}}}));
        let written = entry("helm", "Update", &json!({"f:data": {"f:b": {}}, "f:c": {}}));
        let both = entry(
            "helm",
            "Apply",
            &json!({"f:c": {}, "f:data": {"f:a": {}, "f:b": {}}}),
        );
        let patch = to_apply(&live(&[other.clone(), written.clone(), applied.clone()]));
        assert_eq!(
            patch,
            Some(live(&[both, other.clone()])),
            "both of them are one"
        );
        let alone = entry("helm", "Apply", &json!({"f:c": {}, "f:data": {"f:b": {}}}));
        assert_eq!(to_apply(&live(&[written])), Some(live(&[alone])));
        assert_eq!(to_apply(&live(&[other, applied])), None, "nothing to do");
        let mut status = entry("helm", "Update", &json!({"f:status": {}}));
        status["subresource"] = "status".into();
        assert_eq!(to_apply(&live(&[status])), None, "of a part only");
        assert_eq!(to_apply(&json!({})), None);
    }
}
