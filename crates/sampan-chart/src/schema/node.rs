//! Schemas as they are carried out: a node for every schema of a document, with references resolved.

use super::decimal::Decimal;
use super::json::Json;
use crate::functions::regular_expressions::Matcher;

/// Which node of a [`Schema`].
pub(super) type Id = usize;

/// A schema document.
pub(super) struct Schema {
    pub(super) nodes: Vec<Node>,
    /// The edition of JSON Schema: 4, 6, 7, 2019 or 2020; a mix of the first three where Helm 3 is not told.
    pub(super) draft: u32,
    /// Whether any node looks at what others have left out.
    pub(super) looks_at_rest: bool,
}

/// A schema.
#[derive(Default)]
pub(super) struct Node {
    /// `true` and `false`.
    pub(super) constant: Option<bool>,
    pub(super) reference: Option<Id>,
    /// In the order of the document.
    pub(super) types: Vec<&'static str>,
    pub(super) literal: Option<Json>,
    pub(super) choices: Option<Vec<Json>>,
    pub(super) format: Option<String>,
    pub(super) number: Numbers,
    pub(super) text: Texts,
    pub(super) list: Lists,
    pub(super) object: Objects,
    pub(super) all_of: Vec<Id>,
    pub(super) any_of: Vec<Id>,
    pub(super) one_of: Vec<Id>,
    pub(super) not: Option<Id>,
    pub(super) condition: Option<Id>,
    pub(super) then: Option<Id>,
    pub(super) otherwise: Option<Id>,
}

/// What numbers must be.
#[derive(Default)]
pub(super) struct Numbers {
    pub(super) multiple_of: Option<Decimal>,
    pub(super) minimum: Option<Decimal>,
    pub(super) maximum: Option<Decimal>,
    pub(super) above: Option<Decimal>,
    pub(super) below: Option<Decimal>,
}

/// What texts must be.
#[derive(Default)]
pub(super) struct Texts {
    pub(super) min_length: Option<usize>,
    pub(super) max_length: Option<usize>,
    pub(super) pattern: Option<Pattern>,
}

/// A regular expression and its text.
pub(super) struct Pattern {
    pub(super) text: String,
    pub(super) expression: Matcher,
}

/// What lists must be.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) min_items: Option<usize>,
    pub(super) max_items: Option<usize>,
    pub(super) unique: bool,
    /// For all items, or for all behind those with schemas of their own.
    pub(super) items: Option<Id>,
    /// For the first items, each its own.
    pub(super) first_items: Vec<Id>,
    /// Where the first items have schemas: whether there may be more, if `items` does not say so.
    pub(super) no_more: bool,
    pub(super) contains: Option<Id>,
    pub(super) min_contains: Option<usize>,
    pub(super) max_contains: Option<usize>,
    pub(super) rest: Option<Id>,
}

/// What objects must be.
#[derive(Default)]
pub(super) struct Objects {
    pub(super) min_properties: Option<usize>,
    pub(super) max_properties: Option<usize>,
    pub(super) required: Vec<String>,
    pub(super) properties: Vec<(String, Id)>,
    pub(super) patterns: Vec<(Pattern, Id)>,
    pub(super) additional: Option<Additional>,
    pub(super) names: Option<Id>,
    pub(super) dependencies: Vec<(String, Dependency)>,
    pub(super) dependent_schemas: Vec<(String, Id)>,
    pub(super) dependent_required: Vec<(String, Vec<String>)>,
    pub(super) rest: Option<Id>,
}

/// What properties without a schema of their own must be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Additional {
    Allowed(bool),
    Schema(Id),
}

/// What the presence of a property asks for.
pub(super) enum Dependency {
    Required(Vec<String>),
    Schema(Id),
}

/// The names of the types of JSON.
pub(super) const TYPES: [&str; 7] = [
    "array", "boolean", "integer", "number", "null", "object", "string",
];

impl Node {
    /// Whether the type of a value is one of those that are asked for.
    pub(super) fn takes(&self, value: &Json) -> bool {
        let is_whole = matches!(value, Json::Number(number) if number.is_whole());
        let fits =
            |wanted: &&str| *wanted == value.type_name() || (*wanted == "integer" && is_whole);
        self.types.is_empty() || self.types.iter().any(fits)
    }
}
