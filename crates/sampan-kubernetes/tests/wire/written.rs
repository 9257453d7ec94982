//! Writes objects in protobuf, to have something to read.

use sampan_kubernetes::structure::{Scalar, SchemaOr, StructureId};
use sampan_kubernetes::{Catalog, Type, Version};
use serde_json::{Map, Value};

/// An object in its envelope.
pub(crate) fn body(
    structure: StructureId,
    object: &Map<String, Value>,
    version: Version,
) -> Vec<u8> {
    let text = |field: &str| object[field].as_str().unwrap_or_default().as_bytes();
    let meta = [bytes(1, text("apiVersion")), bytes(2, text("kind"))].concat();
    let raw = message(structure, object, version);
    [b"k8s\0".to_vec(), bytes(1, &meta), bytes(2, &raw)].concat()
}

fn message(id: StructureId, object: &Map<String, Value>, version: Version) -> Vec<u8> {
    let mut written = Vec::new();
    for field in &Catalog::get().structure(id).fields {
        if !field.span.contains(version) {
            continue;
        }
        if let (true, Type::Structure(inner)) = (field.inline, &field.value) {
            let inner = message(*inner, object, version);
            written.extend(bytes(field.number, &inner));
        } else if let Some(given) = object.get(field.name) {
            written.extend(value(field.number, &field.value, given, version));
        }
    }
    written
}

fn value(number: u32, kind: &Type, value: &Value, version: Version) -> Vec<u8> {
    let one = |kind: &Type, number: u32, item: &Value| self::value(number, kind, item, version);
    match kind {
        Type::Scalar(kind) => scalar(number, *kind, value),
        Type::Enumeration(_) => scalar(number, Scalar::String, value),
        Type::Structure(id) => bytes(number, &message(*id, value.as_object().unwrap(), version)),
        Type::List(item) => {
            let items = value.as_array().unwrap().iter();
            items.flat_map(|value| one(item, number, value)).collect()
        }
        Type::NamedList(item) => {
            let items = value.as_array().unwrap().iter();
            let items: Vec<u8> = items.flat_map(|value| one(item, 1, value)).collect();
            bytes(number, &items)
        }
        Type::Map(item) => {
            let entries = value.as_object().unwrap().iter();
            let entry = |(key, value): (&String, &Value)| {
                let entry = [bytes(1, key.as_bytes()), one(item, 2, value)].concat();
                bytes(number, &entry)
            };
            entries.flat_map(entry).collect()
        }
        Type::SchemaOr(other, schema) => {
            let schema = message(*schema, value.as_object().unwrap(), version);
            let place = if *other == SchemaOr::Bool { 2 } else { 1 };
            bytes(number, &bytes(place, &schema))
        }
    }
}

fn scalar(number: u32, kind: Scalar, value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap_or_default();
    let int = value.as_i64().unwrap_or_default();
    match kind {
        Scalar::String => bytes(number, text.as_bytes()),
        Scalar::Bool => varint_field(number, u64::from(value == &Value::Bool(true))),
        Scalar::Int32 | Scalar::Int64 => varint_field(number, int.cast_unsigned()),
        Scalar::Double => [
            varint(u64::from(number) << 3 | 1),
            value.as_f64().unwrap().to_le_bytes().to_vec(),
        ]
        .concat(),
        // The bytes and moments of the filled objects.
        Scalar::Bytes => bytes(number, &[0, 1, 0xff]),
        Scalar::Time => bytes(number, &varint_field(1, 1_709_251_199)),
        Scalar::MicroTime => {
            let moment = [varint_field(1, 1_709_251_199), varint_field(2, 1_000)].concat();
            bytes(number, &moment)
        }
        Scalar::Duration => bytes(number, &varint_field(1, 5_400_000_000_000)),
        Scalar::Quantity => bytes(number, &bytes(1, text.as_bytes())),
        Scalar::IntOrString => {
            let both = [varint_field(1, 1), bytes(3, text.as_bytes())].concat();
            bytes(number, &both)
        }
        Scalar::RawExtension | Scalar::Fields | Scalar::Json => {
            bytes(number, &bytes(1, value.to_string().as_bytes()))
        }
    }
}

/// A field of bytes, texts and messages.
pub(crate) fn bytes(number: u32, bytes: &[u8]) -> Vec<u8> {
    let length = u64::try_from(bytes.len()).unwrap();
    [
        varint(u64::from(number) << 3 | 2),
        varint(length),
        bytes.to_vec(),
    ]
    .concat()
}

/// A field of a number.
pub(crate) fn varint_field(number: u32, value: u64) -> Vec<u8> {
    [varint(u64::from(number) << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut written = Vec::new();
    while value >= 0x80 {
        written.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    written.push(value.to_le_bytes()[0]);
    written
}
