//! The form that JSON gives to what was read.

use serde_json::{Map, Value};

use super::message::Decoder;
use super::{ProtobufError, scalar};
use crate::structure::{Field, Presence, StructureId, Type};

impl Decoder {
    /// Brings what was read of a structure into the form that JSON has: what is always there is there, what is empty is
    /// not. Nested structures come first, for one of which nothing is left is empty itself.
    pub(super) fn complete(
        &mut self,
        id: StructureId,
        object: &mut Map<String, Value>,
    ) -> Result<(), ProtobufError> {
        let structure = self.catalog.structure(id);
        for field in &structure.fields {
            if !field.span.contains(self.version) {
                continue;
            }
            if let Some(inner) = field.taken_in() {
                self.complete(inner, object)?;
                continue;
            }
            if let Type::Structure(inner) = field.value
                && let Some(Value::Object(object)) = object.get_mut(field.name)
            {
                self.complete(inner, object)?;
            }
            match object.get(field.name) {
                Some(value) if is_dropped(field, value) => {
                    object.remove(field.name);
                }
                None if field.presence == Presence::Always => {
                    self.fill(field, object)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Adds the value of a field that was not given but is always there.
    fn fill(
        &mut self,
        field: &Field,
        object: &mut Map<String, Value>,
    ) -> Result<(), ProtobufError> {
        let value = match &field.value {
            Type::Scalar(kind) => scalar::zero(*kind),
            Type::Enumeration(_) => Some("".into()),
            _ => None,
        };
        if let Some(value) = value {
            self.count(1)?;
            object.insert(field.name.to_owned(), value);
        }
        Ok(())
    }
}

/// Whether JSON leaves a value out.
fn is_dropped(field: &Field, value: &Value) -> bool {
    let empty_list = match value {
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    match field.presence {
        // Without a moment or an object, there is nothing to write.
        _ if value.is_null() => true,
        Presence::WhenGiven => false,
        // A structure is there, if only as `{}`; no list and no map is null.
        Presence::Always => empty_list && !matches!(field.value, Type::Structure(_)),
        Presence::WhenNotEmpty => match value {
            Value::Bool(value) => !value,
            Value::String(text) => text.is_empty(),
            Value::Number(number) => number.as_f64() == Some(0.0),
            _ => empty_list,
        },
    }
}
