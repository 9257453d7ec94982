//! Values with the trace that Go's reflection leaves on them.

use super::Value;

/// A value as the executor holds it: Go's `reflect.Value`.
///
/// What comes out of a map or a list of `interface {}` still is an interface to reflection, a nil one even where nothing
/// is in it; what a pipeline gives is not. Error texts and some of Go's own functions tell the two apart.
#[derive(Debug, Clone)]
pub struct Reflected {
    /// The value itself.
    pub value: Value,
    /// Whether it is held in an `interface {}`.
    pub boxed: bool,
}

impl Reflected {
    /// No value at all: the zero `reflect.Value`.
    pub const INVALID: Self = Self {
        value: Value::Nil,
        boxed: false,
    };

    /// A value of its own type.
    #[must_use]
    pub fn plain(value: Value) -> Self {
        Self {
            value,
            boxed: false,
        }
    }

    /// A value in an `interface {}`.
    #[must_use]
    pub fn boxed(value: Value) -> Self {
        Self { value, boxed: true }
    }

    /// The value without the interface around it.
    #[must_use]
    pub fn unboxed(self) -> Self {
        Self::plain(self.value)
    }

    /// Whether there is something to speak of, if only a nil interface.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.boxed || !matches!(self.value, Value::Nil)
    }

    /// Go's name of the type that reflection sees.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        if self.boxed {
            "interface {}"
        } else {
            self.value.type_name()
        }
    }
}
