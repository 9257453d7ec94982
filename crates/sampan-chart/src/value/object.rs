//! Values with fields and methods: the objects that Helm and Sprig hand to templates.

use std::any::Any;

use super::{Text, Value};
use crate::functions::{FunctionError, Parameter};

/// A struct, a pointer to one, or a named map of Go.
pub trait Object: Any {
    /// Go's name of the type, such as `time.Time` or `*semver.Version`.
    fn type_name(&self) -> &'static str;

    /// Go's name of the kind: `struct`, `ptr` or `map`.
    fn kind_name(&self) -> &'static str {
        "struct"
    }

    /// The value of a field.
    fn field(&self, name: &str) -> Option<Value>;

    /// A method by its name.
    fn method(&self, _name: &str) -> Option<Invocation> {
        None
    }

    /// The names and values that `range` walks, in their order; none for what cannot be ranged over.
    fn entries(&self) -> Option<Vec<(Value, Value)>> {
        None
    }

    /// What `print` and `%v` write.
    fn print(&self) -> Text;

    /// What a template prints that comes upon it in its place. There Go can reach the `String` method of its pointer, which
    /// it cannot when the object is an argument.
    fn print_in_place(&self) -> Text {
        self.print()
    }

    /// The members that JSON writes, in their order, for a struct.
    fn members(&self) -> Option<Vec<(&'static str, Value)>> {
        None
    }

    /// What JSON and YAML write for it: by default its entries, or its printed form where it has none.
    fn data(&self) -> Value {
        match self.entries() {
            Some(entries) => Value::dict(entries.into_iter().map(|(key, value)| match key {
                Value::Text(name) => (name, value),
                other => (Text::from(format!("{other:?}")), value),
            })),
            None => Value::Text(self.print()),
        }
    }

    /// Whether Go can compare two of the type; structs that hold slices or maps cannot be.
    fn is_comparable(&self) -> bool {
        true
    }

    /// Whether `if` takes it for true; structs always are.
    fn is_true(&self) -> bool {
        true
    }
}

/// A method that can be called on an object.
pub struct Invocation {
    /// What each argument must be.
    pub parameters: &'static [Parameter],
    /// What further arguments must be, when there may be any.
    pub variadic: Option<Parameter>,
    /// The body.
    pub call: Method,
}

/// The body of a method.
pub type Method = Box<dyn Fn(&[Value]) -> Result<Value, FunctionError>>;
