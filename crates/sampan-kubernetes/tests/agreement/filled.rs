//! Objects that have every field.

use sampan_kubernetes::structure::{Presence, Scalar, StructureId};
use sampan_kubernetes::{Catalog, Type, Version};
use serde_json::{Map, Value, json};

/// An object with all fields that a structure has in a version, and all that these have. A structure within itself has no
/// fields.
pub(crate) fn object(structure: StructureId, version: Version) -> Map<String, Value> {
    within(structure, version, &mut Vec::new())
}

fn within(id: StructureId, version: Version, outer: &mut Vec<StructureId>) -> Map<String, Value> {
    let mut object = Map::new();
    if outer.contains(&id) {
        return object;
    }
    outer.push(id);
    let structure = Catalog::get().structure(id);
    if structure.is_kind {
        let api_version = match structure.group {
            "" | "meta" => structure.version.to_owned(),
            group => format!("{group}/{}", structure.version),
        };
        object.insert("apiVersion".to_owned(), api_version.into());
        object.insert("kind".to_owned(), structure.name.into());
    }
    for field in Catalog::get().fields(id, version) {
        let value = value(&field.value, version, outer);
        let is_empty = value.as_object().is_some_and(Map::is_empty);
        // What is empty is not written, unless it was given.
        if !is_empty || field.presence != Presence::WhenNotEmpty {
            object.insert(field.name.to_owned(), value);
        }
    }
    outer.pop();
    object
}

fn value(value_type: &Type, version: Version, outer: &mut Vec<StructureId>) -> Value {
    match value_type {
        Type::Scalar(scalar) => sample(*scalar),
        Type::Enumeration(id) => {
            let enumeration = Catalog::get().enumeration(*id);
            let mut values = enumeration.values(version);
            values.find(|value| !value.is_empty()).unwrap().into()
        }
        Type::Structure(id) => Value::Object(within(*id, version, outer)),
        Type::List(item) | Type::NamedList(item) => json!([value(item, version, outer)]),
        Type::Map(item) => json!({"key": value(item, version, outer)}),
        Type::SchemaOr(_, schema) => Value::Object(within(*schema, version, outer)),
    }
}

fn sample(scalar: Scalar) -> Value {
    match scalar {
        Scalar::String => json!("text"),
        Scalar::Bool => json!(true),
        Scalar::Int32 => json!(-7),
        Scalar::Int64 => json!(1_i64 << 40),
        Scalar::Double => json!(1.5),
        Scalar::Bytes => json!("AAH/"),
        Scalar::Quantity => json!("250m"),
        Scalar::IntOrString => json!("50%"),
        Scalar::Time => json!("2024-02-29T23:59:59Z"),
        Scalar::MicroTime => json!("2024-02-29T23:59:59.000001Z"),
        Scalar::Duration => json!("1h30m0s"),
        Scalar::RawExtension => json!({"apiVersion": "example.com/v1", "kind": "Any"}),
        Scalar::Fields => json!({"f:metadata": {}}),
        Scalar::Json => json!(["any", 1]),
    }
}
