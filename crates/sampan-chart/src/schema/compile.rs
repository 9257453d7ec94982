//! Reading a schema document; the faults are told as the library of Helm 3 tells them. Helm 4 looks for them before.

use std::collections::HashMap;

use super::decimal::Decimal;
use super::json::Json;
use super::node::{Additional, Id, Node, Pattern, Schema, TYPES};
use crate::compatibility::Compatibility;
use crate::functions::regular_expressions::Matcher;
use pointer::below;

mod collections;
mod pointer;

/// The edition that Helm 3 takes where the document does not name one: a mix of 4, 6 and 7.
pub(super) const MIXED: u32 = 100;

pub(super) struct Compiler<'d> {
    document: &'d Json,
    schema: Schema,
    by_pointer: HashMap<String, Id>,
    compatibility: Compatibility,
}

/// Reads a schema document of an edition.
pub(super) fn compile(
    document: &Json,
    draft: u32,
    compatibility: Compatibility,
) -> Result<Schema, String> {
    let schema = Schema {
        nodes: Vec::new(),
        draft,
        looks_at_rest: false,
    };
    let mut compiler = Compiler {
        document,
        schema,
        by_pointer: HashMap::new(),
        compatibility,
    };
    compiler.node(document, "")?;
    Ok(compiler.schema)
}

impl<'d> Compiler<'d> {
    fn draft(&self) -> u32 {
        self.schema.draft
    }

    /// The node of the schema at a pointer.
    fn node(&mut self, json: &'d Json, pointer: &str) -> Result<Id, String> {
        if let Some(known) = self.by_pointer.get(pointer) {
            return Ok(*known);
        }
        let id = self.schema.nodes.len();
        self.schema.nodes.push(Node::default());
        self.by_pointer.insert(pointer.to_owned(), id);
        let mut node = Node::default();
        match json {
            Json::Bool(constant) if self.draft() >= 6 => node.constant = Some(*constant),
            Json::Object(_) => self.fill(&mut node, json, pointer)?,
            _ => return Err("Expected: valid schema, given: Invalid JSON".to_owned()),
        }
        self.schema.nodes[id] = node;
        Ok(id)
    }

    fn fill(&mut self, node: &mut Node, json: &'d Json, pointer: &str) -> Result<(), String> {
        for definitions in ["definitions", "$defs"] {
            if let Some(Json::Object(definitions_of)) = json.get(definitions) {
                for (name, definition) in definitions_of {
                    self.node(definition, &below(pointer, &[definitions, name]))?;
                }
            }
        }
        if let Some(reference) = json.get("$ref") {
            let Json::Text(reference) = reference else {
                return Err(invalid_type("string", "$ref"));
            };
            node.reference = Some(self.reference(reference)?);
            if self.draft() < 2019 {
                return Ok(());
            }
        }
        Self::types(node, json)?;
        self.objects(node, json, pointer)?;
        self.lists(node, json, pointer)?;
        self.numbers(node, json)?;
        Self::texts(node, json)?;
        self.values(node, json)?;
        self.combinations(node, json, pointer)
    }

    fn types(node: &mut Node, json: &Json) -> Result<(), String> {
        let names = match json.get("type") {
            None => return Ok(()),
            Some(Json::Array(names)) => names.iter().collect(),
            Some(name) => vec![name],
        };
        for name in names {
            let Json::Text(name) = name else {
                return Err(invalid_type("string/array of strings", "type"));
            };
            let Some(known) = TYPES.iter().find(|known| *known == name) else {
                let valid = TYPES.join(" ");
                let given = format!("given: /{name}/ Expected valid values are:[{valid}]");
                return Err(format!("has a primitive type that is NOT VALID -- {given}"));
            };
            if node.types.contains(known) {
                return Err(format!("{name} type is duplicated"));
            }
            node.types.push(known);
        }
        Ok(())
    }

    fn numbers(&self, node: &mut Node, json: &Json) -> Result<(), String> {
        let numbers = &mut node.number;
        if let Some(multiple) = json.get("multipleOf") {
            let Json::Number(multiple) = multiple else {
                return Err(invalid_type("number", "multipleOf"));
            };
            if multiple.is_negative() || multiple.is_zero() {
                return Err("multipleOf must be strictly greater than 0".to_owned());
            }
            numbers.multiple_of = Some(*multiple);
        }
        (numbers.minimum, numbers.above) = self.bounds(json, "minimum", "exclusiveMinimum")?;
        (numbers.maximum, numbers.below) = self.bounds(json, "maximum", "exclusiveMaximum")?;
        Ok(())
    }

    /// A bound and one that is not reached itself; in edition 4 the second is a switch for the first.
    fn bounds(
        &self,
        json: &Json,
        name: &str,
        strict: &str,
    ) -> Result<(Option<Decimal>, Option<Decimal>), String> {
        let bound = match json.get(name) {
            None => None,
            Some(Json::Number(bound)) => Some(*bound),
            Some(_) => return Err(format!("{name} must be of a number")),
        };
        let takes_switch = self.draft() == 4 || self.draft() == MIXED;
        match json.get(strict) {
            None => Ok((bound, None)),
            Some(Json::Number(strict)) if self.draft() != 4 => Ok((bound, Some(*strict))),
            Some(Json::Bool(_)) if takes_switch && bound.is_none() => {
                Err(format!("{strict} cannot be used without {name}"))
            }
            Some(Json::Bool(true)) if takes_switch => Ok((None, bound)),
            Some(Json::Bool(false)) if takes_switch => Ok((bound, None)),
            Some(_) => Err(invalid_type(
                match self.draft() {
                    4 => "boolean",
                    MIXED => "boolean/number",
                    _ => "number",
                },
                strict,
            )),
        }
    }

    fn texts(node: &mut Node, json: &Json) -> Result<(), String> {
        let texts = &mut node.text;
        texts.min_length = count(json, "minLength")?;
        texts.max_length = count(json, "maxLength")?;
        if matches!((texts.min_length, texts.max_length), (Some(least), Some(most)) if least > most)
        {
            return Err("minLength cannot be greater than maxLength".to_owned());
        }
        match json.get("pattern") {
            None => {}
            Some(Json::Text(text)) => {
                texts.pattern = Some(pattern(text).ok_or("pattern must be a valid regex")?);
            }
            Some(_) => return Err("pattern must be of a string".to_owned()),
        }
        match json.get("format") {
            None => {}
            Some(Json::Text(format)) => node.format = Some(format.clone()),
            Some(_) => return Err("format must be of type string".to_owned()),
        }
        Ok(())
    }

    fn values(&self, node: &mut Node, json: &Json) -> Result<(), String> {
        if self.draft() >= 6 {
            node.literal = json.get("const").cloned();
        }
        match json.get("enum") {
            None => {}
            Some(Json::Array(choices)) => {
                let repeated = (1..choices.len())
                    .any(|at| choices[..at].iter().any(|one| one.equals(&choices[at])));
                if repeated {
                    return Err("enum items must be unique".to_owned());
                }
                node.choices = Some(choices.clone());
            }
            Some(_) => return Err("enum must be of an array".to_owned()),
        }
        Ok(())
    }

    fn combinations(
        &mut self,
        node: &mut Node,
        json: &'d Json,
        pointer: &str,
    ) -> Result<(), String> {
        node.one_of = self.several(json, "oneOf", pointer)?;
        node.any_of = self.several(json, "anyOf", pointer)?;
        node.all_of = self.several(json, "allOf", pointer)?;
        node.not = self.optional(json, "not", pointer)?;
        if self.draft() >= 7 {
            node.condition = self.optional(json, "if", pointer)?;
            node.then = self.optional(json, "then", pointer)?;
            node.otherwise = self.optional(json, "else", pointer)?;
        }
        Ok(())
    }

    fn several(&mut self, json: &'d Json, name: &str, pointer: &str) -> Result<Vec<Id>, String> {
        let schemas = match json.get(name) {
            None => return Ok(Vec::new()),
            Some(Json::Array(schemas)) => schemas,
            // The library names another word for `allOf`.
            Some(_) if name == "allOf" => return Err("anyOf must be of an array".to_owned()),
            Some(_) => return Err(format!("{name} must be of an array")),
        };
        let ids = schemas.iter().enumerate();
        ids.map(|(index, schema)| self.node(schema, &below(pointer, &[name, &index.to_string()])))
            .collect()
    }

    fn optional(
        &mut self,
        json: &'d Json,
        name: &str,
        pointer: &str,
    ) -> Result<Option<Id>, String> {
        match json.get(name) {
            None => Ok(None),
            Some(schema @ (Json::Object(_) | Json::Bool(_))) => {
                self.node(schema, &below(pointer, &[name])).map(Some)
            }
            Some(_) if name == "propertyNames" => {
                Err(invalid_type("valid schema", "patternProperties"))
            }
            Some(_) if name == "contains" => {
                Err("Expected: valid schema, given: Invalid JSON".to_owned())
            }
            Some(_) => Err(format!("{name} must be of an object")),
        }
    }

    fn additional(
        &mut self,
        json: &'d Json,
        name: &str,
        pointer: &str,
    ) -> Result<Option<Additional>, String> {
        match json.get(name) {
            None => Ok(None),
            Some(Json::Bool(allowed)) => Ok(Some(Additional::Allowed(*allowed))),
            Some(schema @ Json::Object(_)) => {
                let id = self.node(schema, &below(pointer, &[name]))?;
                Ok(Some(Additional::Schema(id)))
            }
            Some(_) => Err(invalid_type("boolean/valid schema", name)),
        }
    }
}

fn invalid_type(expected: &str, given: &str) -> String {
    format!("Invalid type. Expected: {expected}, given: {given}")
}

fn pattern(text: &str) -> Option<Pattern> {
    let expression = Matcher::compile(text)?;
    Some(Pattern {
        text: text.to_owned(),
        expression,
    })
}

fn texts(json: &Json) -> Option<Vec<String>> {
    let Json::Array(items) = json else {
        return None;
    };
    let texts = items.iter().map(|item| match item {
        Json::Text(text) => Some(text.clone()),
        _ => None,
    });
    texts.collect()
}

fn count(json: &Json, name: &str) -> Result<Option<usize>, String> {
    match json.get(name) {
        None => Ok(None),
        Some(Json::Number(number)) if number.is_whole() && number.is_negative() => {
            Err(format!("{name} must be greater than or equal to 0"))
        }
        Some(Json::Number(number)) if number.is_whole() => Ok(number.to_count()),
        Some(_) => Err(format!("{name} must be of an integer")),
    }
}
