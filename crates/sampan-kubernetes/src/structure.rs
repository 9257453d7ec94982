//! Structures: the fields of kinds and of what kinds are made of.

use crate::version::{Span, Version};

/// Names a structure within the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StructureId(pub(crate) usize);

/// Names an enumeration within the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnumerationId(pub(crate) usize);

/// Something with fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    /// The group that it is defined in: empty for the core group, `meta` for what all groups share.
    pub group: &'static str,
    /// The version within the group.
    pub version: &'static str,
    /// The name, such as `PodSpec`.
    pub name: &'static str,
    /// Whether it is a kind: its objects may have `apiVersion` and `kind`, also where they are part of others, as the claims of
    /// a `StatefulSet` are.
    pub is_kind: bool,
    /// The fields of all versions of Kubernetes, in the order of their definition. Those of structures that are taken in
    /// [inline](Field::inline) are not among them; [`Catalog::fields`](crate::Catalog::fields) resolves that.
    pub fields: Vec<Field>,
}

/// A field of a structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name in JSON; `-` when it is taken in inline and thus has none.
    pub name: &'static str,
    /// The number in protobuf.
    pub number: u32,
    /// The type of the value.
    pub value: Type,
    /// When Kubernetes writes the field.
    pub presence: Presence,
    /// Whether an object without it is refused, or makes no sense.
    pub required: bool,
    /// Whether the value is a structure whose fields stand among those of the parent in JSON, but not in protobuf.
    pub inline: bool,
    /// What tells the items of a list apart.
    pub unique: Unique,
    /// The versions of Kubernetes that know it.
    pub span: Span,
}

/// When Kubernetes writes a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// When it was given, whatever its value: an optional value.
    WhenGiven,
    /// When it is not empty: zero, `false`, `""` and nothing are the same.
    WhenNotEmpty,
    /// Always: what is not given is zero, `false` or `""`.
    Always,
}

/// What tells the items of a list apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unique {
    /// Nothing: it is no list, or items may occur twice.
    Nothing,
    /// Their values, which must be different.
    Values,
    /// The values of these fields, which must be different.
    Keys(Vec<&'static str>),
}

/// The type of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// A single value.
    Scalar(Scalar),
    /// A text out of a few.
    Enumeration(EnumerationId),
    /// An object with known fields.
    Structure(StructureId),
    /// A list.
    List(Box<Type>),
    /// A list that is a message of its own in protobuf.
    NamedList(Box<Type>),
    /// An object whose keys are data.
    Map(Box<Type>),
    /// A JSON schema or something else, in the schemas of custom resources.
    SchemaOr(SchemaOr, StructureId),
}

/// A single value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// A text.
    String,
    /// A truth value.
    Bool,
    /// A whole number of 32 bits.
    Int32,
    /// A whole number of 64 bits.
    Int64,
    /// A floating point number.
    Double,
    /// Bytes, in base64.
    Bytes,
    /// An amount, such as `100m` or `2Gi`; a number is taken as well.
    Quantity,
    /// A whole number or a text, such as a port or a percentage.
    IntOrString,
    /// A moment in RFC 3339, to the second.
    Time,
    /// A moment in RFC 3339, to the microsecond.
    MicroTime,
    /// A length of time as Go writes it, such as `1h30m0s`.
    Duration,
    /// An object of any kind.
    RawExtension,
    /// The fields that a manager owns.
    Fields,
    /// Any JSON.
    Json,
}

/// What may stand in place of a JSON schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchemaOr {
    /// A list of schemas.
    List,
    /// A truth value.
    Bool,
    /// A list of texts.
    Strings,
}

/// A set of texts that a field takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enumeration {
    /// The name, such as `PullPolicy`.
    pub name: &'static str,
    /// The texts of all versions of Kubernetes.
    pub values: Vec<EnumerationValue>,
}

/// One of the texts that a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnumerationValue {
    /// The text.
    pub text: &'static str,
    /// The versions of Kubernetes that know it.
    pub span: Span,
}

impl Enumeration {
    /// The texts that a version of Kubernetes takes.
    pub fn values(&self, version: Version) -> impl Iterator<Item = &'static str> {
        self.values
            .iter()
            .filter(move |value| value.span.contains(version))
            .map(|value| value.text)
    }

    /// Whether a version of Kubernetes takes the text.
    #[must_use]
    pub fn allows(&self, text: &str, version: Version) -> bool {
        self.values(version).any(|value| value == text)
    }
}

impl Field {
    /// The structure whose fields stand in place of this one in JSON.
    pub(crate) fn taken_in(&self) -> Option<StructureId> {
        match self.value {
            Type::Structure(id) if self.inline => Some(id),
            _ => None,
        }
    }
}
