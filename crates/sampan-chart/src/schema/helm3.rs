//! Checking values as Helm 3 does: which faults are told, in which order and in which words.
//!
//! Of several alternatives the library shows the faults of the one that fits best. It keeps a score for that, which is
//! followed here to the point.

use super::Endless;
use super::json::Json;
use super::node::{Dependency, Id, Node, Schema};
use plain::{common, numbers, repeated, texts};

mod object;
mod plain;

/// What was found out about a value.
#[derive(Default)]
struct Outcome {
    faults: Vec<String>,
    score: i64,
}

impl Outcome {
    fn fault(&mut self, field: &str, fault: impl std::fmt::Display) {
        let field = if field.is_empty() { "(root)" } else { field };
        self.faults.push(format!("{field}: {fault}"));
        self.score -= 2;
    }

    fn is_valid(&self) -> bool {
        self.faults.is_empty()
    }

    fn merge(&mut self, other: Self) {
        self.faults.extend(other.faults);
        self.score += other.score;
    }

    fn is_better_than(&self, other: Option<&Self>) -> bool {
        other.is_none_or(|other| self.score > other.score)
    }
}

struct Checker<'s> {
    schema: &'s Schema,
    bounds: super::Bounds,
}

/// The faults of values, one a line.
pub(super) fn faults(schema: &Schema, value: &Json) -> Result<Vec<String>, Endless> {
    let mut checker = Checker {
        schema,
        bounds: super::Bounds::default(),
    };
    let mut outcome = Outcome::default();
    checker.check(0, value, "", &mut outcome)?;
    Ok(outcome.faults)
}

impl<'s> Checker<'s> {
    fn node(&self, id: Id) -> &'s Node {
        &self.schema.nodes[id]
    }

    fn check(
        &mut self,
        id: Id,
        value: &Json,
        field: &str,
        outcome: &mut Outcome,
    ) -> Result<(), Endless> {
        self.bounds.enter()?;
        let node = self.node(id);
        if let Some(constant) = node.constant {
            if !constant {
                outcome.fault(field, "False always fails validation");
            }
        } else if let Some(reference) = node.reference {
            self.check(reference, value, field, outcome)?;
        } else if node.takes(value) {
            self.combinations(node, value, field, outcome)?;
            self.by_type(node, value, field, outcome)?;
            outcome.score += 1;
        } else {
            let expected = match &node.types[..] {
                [one] => (*one).to_owned(),
                several => format!("[{}]", several.join(",")),
            };
            let given = match value {
                Json::Number(number) if number.is_whole() => "integer",
                value => value.type_name(),
            };
            outcome.fault(
                field,
                format_args!("Invalid type. Expected: {expected}, given: {given}"),
            );
        }
        self.bounds.leave();
        Ok(())
    }

    fn alone(&mut self, id: Id, value: &Json, field: &str) -> Result<Outcome, Endless> {
        let mut outcome = Outcome::default();
        self.check(id, value, field, &mut outcome)?;
        Ok(outcome)
    }

    fn by_type(
        &mut self,
        node: &'s Node,
        value: &Json,
        field: &str,
        outcome: &mut Outcome,
    ) -> Result<(), Endless> {
        match value {
            Json::Number(number) => {
                numbers(node, *number, field, outcome);
                common(node, value, field, outcome);
            }
            Json::Null | Json::Bool(_) => common(node, value, field, outcome),
            Json::Text(text) => {
                common(node, value, field, outcome);
                texts(node, text, field, outcome);
            }
            Json::Array(items) => {
                self.items(node, items, field, outcome)?;
                common(node, value, field, outcome);
            }
            Json::Object(entries) => {
                self.object(node, entries, value, field, outcome)?;
                common(node, value, field, outcome);
                for (name, id) in &node.object.properties {
                    if let Some(property) = value.get(name) {
                        self.check(*id, property, &joined(field, name), outcome)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn combinations(
        &mut self,
        node: &'s Node,
        value: &Json,
        field: &str,
        outcome: &mut Outcome,
    ) -> Result<(), Endless> {
        self.any_of(node, value, field, outcome)?;
        self.one_of(node, value, field, outcome)?;
        let mut valid = 0;
        for id in &node.all_of {
            let result = self.alone(*id, value, field)?;
            valid += usize::from(result.is_valid());
            outcome.merge(result);
        }
        if valid != node.all_of.len() {
            outcome.fault(field, "Must validate all the schemas (allOf)");
        }
        if let Some(not) = node.not
            && self.alone(not, value, field)?.is_valid()
        {
            outcome.fault(field, "Must not validate the schema (not)");
        }
        self.dependencies(node, value, field, outcome)?;
        self.condition(node, value, field, outcome)?;
        outcome.score += 1;
        Ok(())
    }

    fn any_of(
        &mut self,
        node: &'s Node,
        value: &Json,
        field: &str,
        outcome: &mut Outcome,
    ) -> Result<(), Endless> {
        let mut best: Option<Outcome> = None;
        for id in &node.any_of {
            let result = self.alone(*id, value, field)?;
            if result.is_valid() {
                return Ok(());
            }
            if result.is_better_than(best.as_ref()) {
                best = Some(result);
            }
        }
        if let Some(best) = best {
            outcome.fault(field, "Must validate at least one schema (anyOf)");
            outcome.merge(best);
        }
        Ok(())
    }

    fn one_of(
        &mut self,
        node: &'s Node,
        value: &Json,
        field: &str,
        outcome: &mut Outcome,
    ) -> Result<(), Endless> {
        if node.one_of.is_empty() {
            return Ok(());
        }
        let (mut valid, mut best) = (0, None);
        for id in &node.one_of {
            let result = self.alone(*id, value, field)?;
            if result.is_valid() {
                valid += 1;
            } else if valid == 0 && result.is_better_than(best.as_ref()) {
                best = Some(result);
            }
        }
        if valid != 1 {
            outcome.fault(field, "Must validate one and only one schema (oneOf)");
        }
        if let Some(best) = best.filter(|_| valid == 0) {
            outcome.merge(best);
        }
        Ok(())
    }

    fn dependencies(
        &mut self,
        node: &'s Node,
        value: &Json,
        field: &str,
        outcome: &mut Outcome,
    ) -> Result<(), Endless> {
        for (name, dependency) in &node.object.dependencies {
            if value.get(name).is_none() {
                continue;
            }
            match dependency {
                Dependency::Schema(id) => self.check(*id, value, field, outcome)?,
                Dependency::Required(names) => {
                    for name in names.iter().filter(|name| value.get(name).is_none()) {
                        outcome.fault(field, format_args!("Has a dependency on {name}"));
                    }
                }
            }
        }
        Ok(())
    }

    fn condition(
        &mut self,
        node: &'s Node,
        value: &Json,
        field: &str,
        outcome: &mut Outcome,
    ) -> Result<(), Endless> {
        let Some(condition) = node.condition else {
            return Ok(());
        };
        let holds = self.alone(condition, value, field)?.is_valid();
        let (branch, fault) = if holds {
            (node.then, "Must validate \"then\" as \"if\" was valid")
        } else {
            (
                node.otherwise,
                "Must validate \"else\" as \"if\" was not valid",
            )
        };
        let Some(branch) = branch else { return Ok(()) };
        let result = self.alone(branch, value, field)?;
        if !result.is_valid() {
            outcome.fault(field, fault);
            outcome.merge(result);
        }
        Ok(())
    }

    fn items(
        &mut self,
        node: &'s Node,
        items: &[Json],
        field: &str,
        outcome: &mut Outcome,
    ) -> Result<(), Endless> {
        let list = &node.list;
        for (index, item) in items.iter().enumerate() {
            let schema = list.first_items.get(index).copied().or(list.items);
            if let Some(id) = schema {
                let result = self.alone(id, item, &joined(field, &index.to_string()))?;
                outcome.merge(result);
            }
        }
        if list.no_more && items.len() > list.first_items.len() {
            outcome.fault(field, "No additional items allowed on array");
        }
        if let Some(least) = list.min_items.filter(|least| items.len() < *least) {
            outcome.fault(
                field,
                format_args!("Array must have at least {least} items"),
            );
        }
        if let Some(most) = list.max_items.filter(|most| items.len() > *most) {
            outcome.fault(field, format_args!("Array must have at most {most} items"));
        }
        if list.unique {
            repeated(items, field, outcome);
        }
        if let Some(id) = list.contains {
            self.contains(id, items, field, outcome)?;
        }
        outcome.score += 1;
        Ok(())
    }

    fn contains(
        &mut self,
        id: Id,
        items: &[Json],
        field: &str,
        outcome: &mut Outcome,
    ) -> Result<(), Endless> {
        let mut best: Option<Outcome> = None;
        for (index, item) in items.iter().enumerate() {
            let result = self.alone(id, item, &joined(field, &index.to_string()))?;
            if result.is_valid() {
                return Ok(());
            }
            if result.is_better_than(best.as_ref()) {
                best = Some(result);
            }
        }
        outcome.fault(field, "At least one of the items must match");
        if let Some(best) = best {
            outcome.merge(best);
        }
        Ok(())
    }
}

fn joined(field: &str, name: &str) -> String {
    if field.is_empty() {
        name.to_owned()
    } else {
        format!("{field}.{name}")
    }
}
