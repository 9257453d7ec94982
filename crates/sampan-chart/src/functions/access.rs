//! Go's own functions on maps, slices and texts: `len`, `index`.

use super::{FunctionError, Parameter, ReflectBody, ReflectFunction};
use crate::compatibility::Compatibility;
use crate::value::{DictType, Integer, IntegerType, ListType, Object, Reflected, Text, Value};

type Result<T> = std::result::Result<T, FunctionError>;

/// The functions of this family.
pub(super) const FUNCTIONS: &[ReflectFunction] = &[
    ReflectFunction {
        name: "len",
        parameters: &[Parameter::Reflected],
        variadic: None,
        call: ReflectBody::Plain(length),
    },
    ReflectFunction {
        name: "index",
        parameters: &[Parameter::Reflected],
        variadic: Some(Parameter::Reflected),
        call: ReflectBody::Plain(index),
    },
];

fn length(_: Compatibility, values: &[Reflected]) -> Result<Reflected> {
    let item = &values[0];
    let length = match &item.value {
        Value::Nil if item.boxed => return Err(FunctionError::new("len of nil pointer")),
        // What Go's reflection says about a value that is none at all.
        Value::Nil => {
            return Err(FunctionError::new(
                "reflect: call of reflect.Value.Type on zero Value",
            ));
        }
        Value::Text(text) => text.len(),
        Value::List(list) => list.items().len(),
        Value::Dict(dict) => dict.entries().len(),
        other => object_length(other).ok_or_else(|| {
            let of = other.type_name();
            FunctionError::new(format!("len of type {of}"))
        })?,
    };
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    Ok(Reflected::plain(Value::int(length)))
}

fn object_length(value: &Value) -> Option<usize> {
    match value {
        Value::Object(object) if object.kind_name() == "map" => {
            Some(object.entries().map_or(0, |entries| entries.len()))
        }
        _ => None,
    }
}

fn index(_: Compatibility, values: &[Reflected]) -> Result<Reflected> {
    let (item, indexes) = (&values[0], &values[1..]);
    if matches!(item.value, Value::Nil) {
        return Err(FunctionError::new("index of untyped nil"));
    }
    let mut item = item.clone().unboxed();
    for index in indexes {
        item = match &item.value {
            Value::Nil => return Err(FunctionError::new("index of nil pointer")),
            Value::Text(text) => {
                let position = position(&index.value, text.len())?;
                let byte = text.get(position).copied();
                let byte = byte.ok_or_else(|| out_of_range("string"))?;
                Reflected::plain(Value::integer(byte, IntegerType::Uint8))
            }
            Value::List(list) => {
                let position = position(&index.value, list.items().len())?;
                let item = list.items().get(position).cloned();
                let value = item.ok_or_else(|| out_of_range("slice"))?;
                Reflected {
                    value,
                    boxed: list.list_type() == ListType::Any,
                }
            }
            Value::Dict(dict) => {
                let key = key(&index.value)?;
                let boxed = dict.dict_type() != DictType::Text;
                match dict.get(key) {
                    Some(value) => Reflected { value, boxed },
                    None if boxed => Reflected::boxed(Value::Nil),
                    None => Reflected::plain(Value::text("")),
                }
            }
            Value::Object(object) if object.kind_name() == "map" => {
                object_entry(&**object, key(&index.value)?)
            }
            other => {
                // Go looks through a pointer at what it points to.
                let of = other.type_name();
                let of = of.strip_prefix('*').unwrap_or(of);
                return Err(FunctionError::new(format!("can't index item of type {of}")));
            }
        };
    }
    Ok(item)
}

fn object_entry(object: &dyn Object, key: &[u8]) -> Reflected {
    let name = String::from_utf8_lossy(key);
    match object.field(&name) {
        Some(value) => Reflected::plain(value),
        None => Reflected::boxed(Value::Nil),
    }
}

fn out_of_range(what: &str) -> FunctionError {
    FunctionError::new(format!("reflect: {what} index out of range"))
}

fn key(value: &Value) -> Result<&Text> {
    match value {
        Value::Text(key) => Ok(key),
        Value::Nil => Err(FunctionError::new("value is nil; should be of type string")),
        other => {
            let of = other.type_name();
            Err(FunctionError::new(format!(
                "value has type {of}; should be string"
            )))
        }
    }
}

/// An index that may be as large as the capacity, as Go's check has it.
fn position(value: &Value, capacity: usize) -> Result<usize> {
    match value {
        Value::Integer(Integer { value, .. }) => usize::try_from(*value)
            .ok()
            .filter(|position| *position <= capacity)
            .ok_or_else(|| FunctionError::new(format!("index out of range: {value}"))),
        Value::Nil => Err(FunctionError::new("cannot index slice/array with nil")),
        other => {
            let of = other.type_name();
            Err(FunctionError::new(format!(
                "cannot index slice/array with type {of}"
            )))
        }
    }
}
