//! Fields: keys of maps, fields and methods of objects.

use super::super::error::Error;
use super::super::tree::{FieldNames, Operand, Place};
use super::MissingKey;
use super::walk::State;
use crate::value::{Dict, DictType, Object, Reflected, Value, method, quote};

impl<'t> State<'t, '_, '_> {
    /// The value behind names such as `.X.Y.Z`; the last one may take arguments.
    pub(super) fn fields(
        &mut self,
        dot: &Reflected,
        receiver: Reflected,
        (place, names): (Place<'t>, &'t FieldNames),
        arguments: &'t [Operand],
        last: Option<Reflected>,
    ) -> Result<Reflected, Error> {
        let mut names = names.names();
        let Some(mut name) = names.next() else {
            return Ok(receiver);
        };
        let mut value = receiver;
        for next in names {
            value = self.field(dot, &value, (place, name), &[], None)?;
            name = next;
        }
        self.field(dot, &value, (place, name), arguments, last)
    }

    fn field(
        &mut self,
        dot: &Reflected,
        receiver: &Reflected,
        (place, name): (Place<'t>, &'t str),
        arguments: &'t [Operand],
        last: Option<Reflected>,
    ) -> Result<Reflected, Error> {
        let strict = self.executor.settings.missing_key == MissingKey::Error;
        if !receiver.is_valid() {
            if strict {
                let key = quote::quote(name.as_bytes());
                return Err(self.error(format!("nil data; no entry for key {key}")));
            }
            return Ok(Reflected::INVALID);
        }
        if matches!(receiver.value, Value::Nil) {
            let of = receiver.type_name();
            return Err(self.error(format!("nil pointer evaluating {of}.{name}")));
        }
        if let Some(method) = method(&receiver.value, name) {
            return self.method(dot, (name, &method), place, arguments, last);
        }
        let has_arguments = !arguments.is_empty() || last.is_some();
        match &receiver.value {
            Value::Dict(dict) => {
                if has_arguments {
                    let text = format!("{name} is not a method but has arguments");
                    return Err(self.error(text));
                }
                match entry(dict, name) {
                    Some(value) => return Ok(value),
                    None if strict => {
                        let key = quote::quote(name.as_bytes());
                        return Err(self.error(format!("map has no entry for key {key}")));
                    }
                    None => return Ok(missing(dict)),
                }
            }
            Value::Object(object) => {
                if let Some(value) = self.object_field(&**object, name, has_arguments)? {
                    return Ok(value);
                }
            }
            _ => {}
        }
        let of = receiver.type_name();
        Err(self.error(format!("can't evaluate field {name} in type {of}")))
    }

    fn object_field(
        &self,
        object: &dyn Object,
        name: &str,
        has_arguments: bool,
    ) -> Result<Option<Reflected>, Error> {
        let is_map = object.kind_name() == "map";
        let field = object.field(name);
        if has_arguments && (is_map || field.is_some()) {
            return Err(self.error(if is_map {
                format!("{name} is not a method but has arguments")
            } else {
                format!("{name} has arguments but cannot be invoked as function")
            }));
        }
        Ok(match field {
            // A field that is nil is an interface or a pointer; it can be spoken of.
            Some(Value::Nil) => Some(Reflected::boxed(Value::Nil)),
            Some(value) => Some(Reflected::plain(value)),
            None if is_map => Some(Reflected::boxed(Value::Nil)),
            None => None,
        })
    }
}

fn entry(dict: &Dict, name: &str) -> Option<Reflected> {
    let value = dict.get(name.as_bytes())?;
    Some(Reflected {
        value,
        boxed: dict.dict_type() != DictType::Text,
    })
}

/// The zero value of a map's values.
fn missing(dict: &Dict) -> Reflected {
    match dict.dict_type() {
        DictType::Text => Reflected::plain(Value::text("")),
        _ => Reflected::boxed(Value::Nil),
    }
}
