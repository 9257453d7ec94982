//! The values that templates compute with: what Go's `interface{}` can hold in a chart.
//!
//! Go's types show in charts: `kindOf` prints them, `eq 1 1.0` is an error, `has 3 list` compares types as well as
//! numbers. So a [`Value`] keeps the Go type of what it holds, and only the types that charts can meet exist.
//!
//! Dictionaries are shared, as Go's maps are: `set $d "k" 1` is seen by everybody who holds `$d`. Everything else is
//! immutable and cheap to clone.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

mod allowance;
mod equality;
pub mod float;
mod format;
mod methods;
pub mod named;
mod nesting;
mod object;
pub mod print;
pub mod printf;
pub mod quote;
mod reflected;
mod text;

pub(crate) use allowance::Allowance;
pub use allowance::TooLarge;
pub use methods::method;
pub use object::{Invocation, Method, Object};
pub use reflected::Reflected;
pub(crate) use text::lossy;
pub use text::{Text, decode_rune};

/// How deep values may nest: what is read or written beyond is refused, so that walking a value needs no bound of its own.
pub const MAX_DEPTH: usize = 200;

/// A Go value of any type.
#[derive(Clone)]
pub enum Value {
    /// No value at all: `nil`, a missing key.
    Nil,
    /// `bool`
    Bool(bool),
    /// A number without a fraction, of one of Go's integer types.
    Integer(Integer),
    /// `float64`
    Float(f64),
    /// `complex128`: the real and the imaginary part.
    Complex(f64, f64),
    /// `string`
    Text(Text),
    /// A slice.
    List(List),
    /// A map with keys of type `string`.
    Dict(Dict),
    /// A struct, a pointer to one, or a named map: what has fields and methods of its own.
    Object(Rc<dyn Object>),
}

/// The integer types of Go that charts can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntegerType {
    /// `int`: literals, `len`, most of the functions.
    Int,
    /// `int32`: what `printf "%c"` style functions give out.
    Int32,
    /// `int64`: `--set` and the arithmetic functions.
    Int64,
    /// `uint8`: bytes of text.
    Uint8,
    /// `uint32`
    Uint32,
    /// `uint64`: parts of versions.
    Uint64,
    /// `time.Duration`, in nanoseconds.
    Duration,
    /// `time.Month`, from 1.
    Month,
    /// `time.Weekday`, from 0 for Sunday.
    Weekday,
}

/// An integer and its Go type; the value always fits the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Integer {
    /// The number.
    pub value: i128,
    /// Its type.
    pub of: IntegerType,
}

/// The slice types that charts can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListType {
    /// `[]interface {}`
    Any,
    /// `[]string`
    Text,
    /// `[]int`
    Int,
    /// `[]uint8`
    Byte,
    /// `[]map[string]interface {}`
    Dict,
    /// `[][]interface {}`, what `chunk` gives out.
    List,
    /// `chartutil.VersionSet`, a `[]string` with a name and methods.
    VersionSet,
    /// `common.VersionSet`, Helm 4's name of the same.
    CommonVersionSet,
}

/// A slice.
#[derive(Clone)]
pub struct List {
    items: Option<Rc<[Value]>>,
    of: ListType,
}

/// The map types that charts can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DictType {
    /// `map[string]interface {}`
    Any,
    /// `map[string]string`
    Text,
    /// `chartutil.Values`, a `map[string]interface {}` with a name.
    Values,
    /// `common.Values`, Helm 4's name of the same.
    CommonValues,
}

/// A map, shared by everybody who holds it. The type belongs to the holder: a function that takes
/// `map[string]interface {}` sees `.Values` as one.
#[derive(Clone)]
pub struct Dict {
    entries: Rc<RefCell<BTreeMap<Text, Value>>>,
    of: DictType,
    is_nil: bool,
}

impl IntegerType {
    /// Go's name of the type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint8 => "uint8",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Duration => "time.Duration",
            Self::Month => "time.Month",
            Self::Weekday => "time.Weekday",
        }
    }

    /// Go's name of the kind (`reflect.Kind`) of the type.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Duration => "int64",
            Self::Month | Self::Weekday => "int",
            plain => plain.name(),
        }
    }
}

impl ListType {
    /// Go's name of the type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "[]interface {}",
            Self::Text => "[]string",
            Self::Int => "[]int",
            Self::Byte => "[]uint8",
            Self::Dict => "[]map[string]interface {}",
            Self::List => "[][]interface {}",
            Self::VersionSet => "chartutil.VersionSet",
            Self::CommonVersionSet => "common.VersionSet",
        }
    }
}

impl DictType {
    /// Go's name of the type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "map[string]interface {}",
            Self::Text => "map[string]string",
            Self::Values => "chartutil.Values",
            Self::CommonValues => "common.Values",
        }
    }
}

impl List {
    /// A slice of any values, `[]interface {}`.
    #[must_use]
    pub fn new(items: impl IntoIterator<Item = Value>) -> Self {
        Self::of(ListType::Any, items)
    }

    /// A slice of a type; each item must be of it.
    #[must_use]
    pub fn of(of: ListType, items: impl IntoIterator<Item = Value>) -> Self {
        let items = Some(items.into_iter().collect());
        Self { items, of }
    }

    /// A nil slice: empty, but `null` in JSON.
    #[must_use]
    pub fn nil(of: ListType) -> Self {
        Self { items: None, of }
    }

    /// The items.
    #[must_use]
    pub fn items(&self) -> &[Value] {
        self.items.as_deref().unwrap_or_default()
    }

    /// Whether it is a nil slice.
    #[must_use]
    pub fn is_nil(&self) -> bool {
        self.items.is_none()
    }

    /// The slice's type.
    #[must_use]
    pub fn list_type(&self) -> ListType {
        self.of
    }
}

impl Dict {
    /// A map of any values, `map[string]interface {}`.
    #[must_use]
    pub fn new(entries: impl IntoIterator<Item = (Text, Value)>) -> Self {
        Self::of(DictType::Any, entries)
    }

    /// A map of a type; each value must be of it.
    #[must_use]
    pub fn of(of: DictType, entries: impl IntoIterator<Item = (Text, Value)>) -> Self {
        let entries = Rc::new(RefCell::new(entries.into_iter().collect()));
        let is_nil = false;
        Self {
            entries,
            of,
            is_nil,
        }
    }

    /// A nil map: empty, but `null` in JSON, and nothing can be set in it.
    #[must_use]
    pub fn nil(of: DictType) -> Self {
        let entries = Rc::default();
        let is_nil = true;
        Self {
            entries,
            of,
            is_nil,
        }
    }

    /// Whether it is a nil map.
    #[must_use]
    pub fn is_nil(&self) -> bool {
        self.is_nil
    }

    /// The same map under another type.
    #[must_use]
    pub fn retyped(&self, of: DictType) -> Self {
        let entries = Rc::clone(&self.entries);
        let is_nil = self.is_nil;
        Self {
            entries,
            of,
            is_nil,
        }
    }

    /// The map's type.
    #[must_use]
    pub fn dict_type(&self) -> DictType {
        self.of
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<Value> {
        self.entries.borrow().get(key).cloned()
    }

    /// Sets the value of a key, for everybody who holds this map.
    pub fn insert(&self, key: Text, value: Value) {
        self.entries.borrow_mut().insert(key, value);
    }

    /// The entries in the order of their keys, which is the order that templates see. Nobody may change the map while
    /// they are borrowed.
    #[must_use]
    pub fn entries(&self) -> Ref<'_, BTreeMap<Text, Value>> {
        self.entries.borrow()
    }

    /// The entries, to be changed.
    #[must_use]
    pub fn entries_mut(&self) -> RefMut<'_, BTreeMap<Text, Value>> {
        self.entries.borrow_mut()
    }

    /// Whether both are the same map, not only equal ones.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.entries, &other.entries)
    }
}

impl From<BTreeMap<Text, Value>> for Dict {
    /// A map of any values, `map[string]interface {}`.
    fn from(entries: BTreeMap<Text, Value>) -> Self {
        Self {
            entries: Rc::new(RefCell::new(entries)),
            of: DictType::Any,
            is_nil: false,
        }
    }
}

impl Value {
    /// An `int`.
    #[must_use]
    pub fn int(value: i64) -> Self {
        Self::integer(value, IntegerType::Int)
    }

    /// An `int64`.
    #[must_use]
    pub fn int64(value: i64) -> Self {
        Self::integer(value, IntegerType::Int64)
    }

    /// An integer of a type that the value fits.
    #[must_use]
    pub fn integer(value: impl Into<i128>, of: IntegerType) -> Self {
        let value = value.into();
        Self::Integer(Integer { value, of })
    }

    /// A `string`.
    #[must_use]
    pub fn text(text: impl Into<Text>) -> Self {
        Self::Text(text.into())
    }

    /// A slice of any values.
    #[must_use]
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(List::new(items))
    }

    /// A map of any values.
    #[must_use]
    pub fn dict<K: Into<Text>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        let entries = entries.into_iter();
        Self::Dict(Dict::new(entries.map(|(key, value)| (key.into(), value))))
    }

    /// Go's name of the value's type, as `printf "%T"` prints it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Integer(integer) => integer.of.name(),
            Self::Float(_) => "float64",
            Self::Complex(..) => "complex128",
            Self::Text(_) => "string",
            Self::List(list) => list.of.name(),
            Self::Dict(dict) => dict.dict_type().name(),
            Self::Object(object) => object.type_name(),
        }
    }

    /// Go's name of the value's kind (`reflect.Kind`), as `kindOf` prints it.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Nil => "invalid",
            Self::Integer(integer) => integer.of.kind(),
            Self::List(_) => "slice",
            Self::Dict(_) => "map",
            Self::Object(object) => object.kind_name(),
            plain => plain.type_name(),
        }
    }

    /// Whether `if` takes the value for true: what is neither zero nor empty. Structs always are.
    #[must_use]
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Integer(integer) => integer.value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Complex(real, imaginary) => *real != 0.0 || *imaginary != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.items().is_empty(),
            Self::Dict(dict) => !dict.entries().is_empty(),
            Self::Object(object) => object.is_true(),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Bool(value) => value.fmt(f),
            Self::Integer(integer) => write!(f, "{}({})", integer.of.name(), integer.value),
            Self::Float(value) => value.fmt(f),
            Self::Complex(real, imaginary) => write!(f, "({real}+{imaginary}i)"),
            Self::Text(text) => text.fmt(f),
            Self::List(list) => f.debug_list().entries(list.items()).finish(),
            Self::Dict(dict) => f.debug_map().entries(dict.entries().iter()).finish(),
            Self::Object(object) => f.write_str(object.type_name()),
        }
    }
}
