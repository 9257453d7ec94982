//! Custom resources, by the schemas of their definitions.

use regex_automata::meta::Regex;
use sampan_model::nearest;
use sampan_model::yaml::{Content, Node};

use super::{BAD_VALUE, Flaw, Flaws, MISSING_FIELD, WRONG_TYPE, definition, values};
use crate::check::object::Object;
use crate::check::selector::is_open;
use crate::check::world::World;

/// What is wrong with a custom resource; none when its schema is not known.
pub(super) fn flaws<'a>(object: &'a Object, world: &World) -> Option<Vec<Flaw<'a>>> {
    let definition = definition::of(object, world)?;
    let schema = definition.schema?;
    let mut walk = Walk {
        flaws: Flaws::default(),
    };
    for (key, value) in object.root.entries() {
        if matches!(key.name.as_str(), "apiVersion" | "kind" | "metadata") {
            continue;
        }
        match schema.at(&["properties", &key.name]) {
            Some(inner) => walk.value(value, inner),
            None if definition.keeps_unknown || keeps_unknown(schema) => {}
            None => walk.unknown(value, &key.name, schema),
        }
    }
    walk.required(&object.root, schema);
    Some(walk.flaws.0)
}

fn flag(schema: &Node, name: &str) -> bool {
    schema.get(name).and_then(Node::as_bool) == Some(true)
}

fn keeps_unknown(schema: &Node) -> bool {
    flag(schema, "x-kubernetes-preserve-unknown-fields")
        || flag(schema, "x-kubernetes-embedded-resource")
}

fn list<'a>(schema: &'a Node, name: &str) -> &'a [Node] {
    schema.get(name).map_or(&[], Node::items)
}

struct Walk<'a> {
    flaws: Flaws<'a>,
}

impl<'a> Walk<'a> {
    fn bad(&mut self, node: &'a Node, message: String) {
        self.flaws.add(BAD_VALUE, node, message, None);
    }

    fn value(&mut self, node: &'a Node, schema: &Node) {
        if is_open(node) || node.content == Content::Null {
            return;
        }
        let expected = schema
            .get("type")
            .and_then(Node::as_str)
            .unwrap_or_default();
        let (fits, what) = match expected {
            _ if flag(schema, "x-kubernetes-int-or-string") => (
                node.as_i64().is_some() || node.as_str().is_some(),
                "a whole number or text",
            ),
            "object" => (matches!(node.content, Content::Mapping(_)), "a mapping"),
            "array" => (matches!(node.content, Content::Sequence(_)), "a list"),
            "string" => (node.as_str().is_some(), "text"),
            "boolean" => (node.as_bool().is_some(), "true or false"),
            "integer" => (node.as_i64().is_some(), "a whole number"),
            "number" => (matches!(node.content, Content::Number(_)), "a number"),
            _ => (true, ""),
        };
        if !fits {
            let (message, mend) = values::wrong_type(node, what);
            return self.flaws.add(WRONG_TYPE, node, message, mend);
        }
        match &node.content {
            Content::Mapping(_) => self.mapping(node, schema),
            Content::Sequence(items) => self.list(node, items, schema),
            _ => self.scalar(node, schema),
        }
    }

    fn mapping(&mut self, node: &'a Node, schema: &Node) {
        let more = schema.get("additionalProperties");
        // A schema without properties says nothing about them.
        let is_open = schema.get("properties").is_none() || keeps_unknown(schema);
        for (key, value) in node.entries() {
            match (
                schema.at(&["properties", &key.name]),
                more.map(|more| (more, more.as_bool())),
            ) {
                (Some(inner), _) | (None, Some((inner, None))) => self.value(value, inner),
                (None, Some((_, Some(true)))) => {}
                (None, _) if is_open => {}
                (None, _) => self.unknown(value, &key.name, schema),
            }
        }
        self.required(node, schema);
    }

    fn unknown(&mut self, node: &'a Node, key: &str, schema: &Node) {
        let known = schema.at(&["properties"]).map_or(&[][..], Node::entries);
        let message = format!("the definition has no field `{key}` here");
        let known = known.iter().map(|(key, _)| key.name.as_str());
        self.flaws.unknown_field(node, message, key, known);
    }

    fn required(&mut self, node: &'a Node, schema: &Node) {
        for name in list(schema, "required").iter().filter_map(Node::scalar) {
            let is_filled_in = schema.at(&["properties", name, "default"]).is_some();
            if node.get(name).is_none() && !is_filled_in {
                self.flaws.add(
                    MISSING_FIELD,
                    node,
                    format!("`{name}` is missing"),
                    Some(format!("add `{name}`")),
                );
            }
        }
    }

    fn list(&mut self, node: &'a Node, items: &'a [Node], schema: &Node) {
        if let Some(inner) = schema.at(&["items"]) {
            for item in items {
                self.value(item, inner);
            }
        }
        self.length(node, items.len(), schema, ("minItems", "maxItems", "items"));
        let keys: Vec<&str> = list(schema, "x-kubernetes-list-map-keys")
            .iter()
            .filter_map(Node::scalar)
            .collect();
        if keys.is_empty() {
            return;
        }
        self.flaws.repeated(items, |item| {
            let parts = keys.iter().map(|key| item.get(key)?.scalar());
            parts.collect()
        });
    }

    fn length(
        &mut self,
        node: &'a Node,
        length: usize,
        schema: &Node,
        (least, most, what): (&str, &str, &str),
    ) {
        let bound = |name| schema.get(name).and_then(Node::as_i64);
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        if let Some(least) = bound(least).filter(|least| length < *least) {
            self.bad(
                node,
                format!("there are {length} {what}, and at least {least} are needed"),
            );
        }
        if let Some(most) = bound(most).filter(|most| length > *most) {
            self.bad(
                node,
                format!("there are {length} {what}, and at most {most} are allowed"),
            );
        }
    }

    fn scalar(&mut self, node: &'a Node, schema: &Node) {
        let text = node.scalar().unwrap_or_default();
        let values: Vec<&str> = list(schema, "enum")
            .iter()
            .filter_map(Node::scalar)
            .collect();
        if !values.is_empty() && !values.contains(&text) {
            let near = nearest(text, values.iter().copied());
            let mend = near.map_or_else(
                || format!("write one of {}", values.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            self.flaws.add(
                BAD_VALUE,
                node,
                format!("`{text}` is none of the values that the definition allows"),
                Some(mend),
            );
        }
        match &node.content {
            Content::Number(number) => {
                self.number(node, number.value.as_f64().unwrap_or(0.0), schema);
            }
            Content::String(text, _) => self.text(node, text, schema),
            _ => {}
        }
    }

    fn number(&mut self, node: &'a Node, number: f64, schema: &Node) {
        let limit = |name: &str| match &schema.get(name)?.content {
            Content::Number(limit) => limit.value.as_f64(),
            _ => None,
        };
        if let Some(least) = limit("minimum").filter(|least| number < *least) {
            self.bad(node, format!("{number} is less than {least}"));
        }
        if let Some(most) = limit("maximum").filter(|most| number > *most) {
            self.bad(node, format!("{number} is more than {most}"));
        }
    }

    fn text(&mut self, node: &'a Node, text: &str, schema: &Node) {
        self.length(
            node,
            text.chars().count(),
            schema,
            ("minLength", "maxLength", "characters"),
        );
        let pattern = schema.get("pattern").and_then(Node::as_str);
        // A pattern that this program cannot read judges nothing.
        if let Some((pattern, Ok(expression))) =
            pattern.map(|pattern| (pattern, Regex::new(pattern)))
            && !expression.is_match(text)
        {
            self.bad(
                node,
                format!("`{text}` does not fit the pattern `{pattern}`"),
            );
        }
    }
}
