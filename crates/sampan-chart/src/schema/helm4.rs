//! Checking values as Helm 4 does: a tree of faults, by the places of the values.

use super::decimal::Decimal;
use super::json::Json;
use super::node::{Id, Node, Schema};
use super::{Endless, format};
use fault::{Fault, Kind, Seen, State, Stop, shown, single};

mod fault;
mod list;
mod object;

/// The faults of values as lines; empty when there are none.
pub(super) fn faults(schema: &Schema, value: &Json) -> Result<Vec<String>, Endless> {
    let mut checker = Checker {
        schema,
        bounds: super::Bounds::default(),
    };
    let causes = match checker.check(0, value, "") {
        Ok(_) => return Ok(Vec::new()),
        Err(Stop::Endless) => return Err(Endless),
        Err(Stop::Fault(fault)) if fault.kind == Kind::Group => fault.causes,
        Err(Stop::Fault(fault)) => vec![fault],
    };
    let mut lines = Vec::new();
    for cause in &causes {
        cause.write(1, &mut lines);
    }
    Ok(lines)
}

struct Checker<'s> {
    schema: &'s Schema,
    bounds: super::Bounds,
}

impl<'s> Checker<'s> {
    fn check(&mut self, id: Id, value: &Json, at: &str) -> Result<Seen, Stop> {
        self.bounds.enter()?;
        let checked = self.node(&self.schema.nodes[id], value, at);
        self.bounds.leave();
        checked
    }

    fn node(&mut self, node: &'s Node, value: &Json, at: &str) -> Result<Seen, Stop> {
        match node.constant {
            Some(true) => return Ok(Seen::default()),
            Some(false) => return Err(Stop::Fault(Fault::new(at, "false schema"))),
            None => {}
        }
        let mut state = State {
            at,
            faults: Vec::new(),
            seen: Seen::default(),
        };
        if let Some(reference) = node.reference.filter(|_| self.schema.draft < 2019) {
            self.reference(reference, value, &mut state)?;
            return state.finish();
        }
        if let Some(fault) = self.kind(node, value) {
            return Err(Stop::Fault(Fault::new(at, fault)));
        }
        if let Some(reference) = node.reference {
            self.reference(reference, value, &mut state)?;
        }
        match value {
            Json::Object(entries) => self.object(node, entries, value, &mut state)?,
            Json::Array(items) => self.items(node, items, &mut state)?,
            Json::Text(text) => texts(node, text, &mut state),
            Json::Number(number) => numbers(node, *number, &mut state),
            Json::Null | Json::Bool(_) => {}
        }
        self.combinations(node, value, &mut state)?;
        self.rest(node, value, &mut state)?;
        state.finish()
    }

    /// What is wrong with the value as a whole; nothing else is told then.
    fn kind(&self, node: &Node, value: &Json) -> Option<String> {
        if !node.takes(value) {
            let order = [
                "null", "boolean", "number", "integer", "string", "array", "object",
            ];
            let wanted: Vec<_> = order
                .into_iter()
                .filter(|name| node.types.contains(name))
                .collect();
            return Some(format!(
                "got {}, want {}",
                value.type_name(),
                wanted.join(" or ")
            ));
        }
        if let Some(literal) = node
            .literal
            .as_ref()
            .filter(|literal| !literal.equals(value))
        {
            return Some(match literal {
                Json::Array(_) | Json::Object(_) => "'const' failed".to_owned(),
                literal => format!("value must be {}", shown(literal)),
            });
        }
        if let Some(choices) = node
            .choices
            .as_ref()
            .filter(|choices| choices.iter().all(|one| !one.equals(value)))
        {
            if choices
                .iter()
                .any(|choice| matches!(choice, Json::Array(_) | Json::Object(_)))
            {
                return Some("'enum' failed".to_owned());
            }
            let names: Vec<_> = choices.iter().map(shown).collect();
            return Some(match &names[..] {
                [one] => format!("value must be {one}"),
                names => format!("value must be one of {}", names.join(", ")),
            });
        }
        match (&node.format, value) {
            (Some(format), Json::Text(text))
                if self.schema.draft < 2019 && !format::is(format, text) =>
            {
                Some(format!("{} is not valid {format}", single(text)))
            }
            _ => None,
        }
    }

    fn reference(&mut self, id: Id, value: &Json, state: &mut State<'_>) -> Result<(), Stop> {
        match self.check(id, value, state.at) {
            Ok(seen) => state.seen.add(seen),
            Err(Stop::Endless) => return Err(Stop::Endless),
            Err(Stop::Fault(fault)) => {
                let causes = if fault.kind == Kind::Group {
                    fault.causes
                } else {
                    vec![fault]
                };
                let text = "validation failed".to_owned();
                state.faults.push(Fault {
                    at: state.at.to_owned(),
                    text,
                    causes,
                    kind: Kind::Reference,
                });
            }
        }
        Ok(())
    }

    /// Checks the value itself against a further schema.
    fn same(&mut self, id: Id, value: &Json, state: &mut State<'_>) -> Result<(), Stop> {
        if let Some(fault) = self.attempt(id, value, state)? {
            state.faults.push(fault);
        }
        Ok(())
    }

    /// The same, when a fault is not yet one of the whole.
    fn attempt(
        &mut self,
        id: Id,
        value: &Json,
        state: &mut State<'_>,
    ) -> Result<Option<Fault>, Stop> {
        match self.check(id, value, state.at) {
            Ok(seen) => {
                state.seen.add(seen);
                Ok(None)
            }
            Err(Stop::Fault(fault)) => Ok(Some(fault)),
            Err(Stop::Endless) => Err(Stop::Endless),
        }
    }

    /// Checks a part of the value.
    fn part(
        &mut self,
        id: Id,
        value: &Json,
        name: &str,
        state: &mut State<'_>,
    ) -> Result<bool, Stop> {
        let at = format!(
            "{}/{}",
            state.at,
            name.replace('~', "~0").replace('/', "~1")
        );
        match self.check(id, value, &at) {
            Ok(_) => Ok(true),
            Err(Stop::Fault(fault)) => {
                state.faults.push(fault);
                Ok(false)
            }
            Err(Stop::Endless) => Err(Stop::Endless),
        }
    }

    fn combinations(
        &mut self,
        node: &'s Node,
        value: &Json,
        state: &mut State<'_>,
    ) -> Result<(), Stop> {
        if let Some(not) = node.not {
            let mut aside = State {
                at: state.at,
                faults: Vec::new(),
                seen: Seen::default(),
            };
            if self.attempt(not, value, &mut aside)?.is_none() {
                state.fault("'not' failed".to_owned());
            }
        }
        let mut causes = Vec::new();
        for id in &node.all_of {
            causes.extend(self.attempt(*id, value, state)?);
        }
        if !causes.is_empty() {
            state.because("'allOf' failed", causes);
        }
        self.any_of(node, value, state)?;
        self.one_of(node, value, state)?;
        if let Some(condition) = node.condition {
            let holds = self.attempt(condition, value, state)?.is_none();
            if let Some(id) = if holds { node.then } else { node.otherwise } {
                self.same(id, value, state)?;
            }
        }
        Ok(())
    }

    fn any_of(&mut self, node: &'s Node, value: &Json, state: &mut State<'_>) -> Result<(), Stop> {
        let (mut matched, mut causes) = (node.any_of.is_empty(), Vec::new());
        for id in &node.any_of {
            match self.attempt(*id, value, state)? {
                Some(fault) => causes.push(fault),
                None => matched = true,
            }
            // All are looked at when something depends on what they have seen.
            if matched && !self.schema.looks_at_rest {
                break;
            }
        }
        if !matched {
            state.because("'anyOf' failed", causes);
        }
        Ok(())
    }

    fn one_of(&mut self, node: &'s Node, value: &Json, state: &mut State<'_>) -> Result<(), Stop> {
        let mut matched = None;
        let mut causes = Vec::new();
        for (index, id) in node.one_of.iter().enumerate() {
            match (self.attempt(*id, value, state)?, matched) {
                (Some(fault), None) => causes.push(fault),
                (Some(_), Some(_)) => {}
                (None, None) => matched = Some(index),
                (None, Some(before)) => {
                    state.fault(format!(
                        "'oneOf' failed, subschemas {before}, {index} matched"
                    ));
                    break;
                }
            }
        }
        if !node.one_of.is_empty() && matched.is_none() {
            state.because("'oneOf' failed, none matched", causes);
        }
        Ok(())
    }

    /// What no schema has looked at.
    fn rest(&mut self, node: &'s Node, value: &Json, state: &mut State<'_>) -> Result<(), Stop> {
        match (value, node.object.rest, node.list.rest) {
            (Json::Object(entries), Some(id), _) => {
                for (name, property) in entries {
                    if state.seen.properties.insert(name.clone()) {
                        self.part(id, property, name, state)?;
                    }
                }
            }
            (Json::Array(items), _, Some(id)) => {
                for (index, item) in items.iter().enumerate() {
                    if state.seen.items.insert(index) {
                        self.part(id, item, &index.to_string(), state)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn texts(node: &Node, text: &str, state: &mut State<'_>) {
    let length = text.chars().count();
    state.at_least("minLength", length, node.text.min_length);
    state.at_most("maxLength", length, node.text.max_length);
    if let Some(pattern) = &node.text.pattern
        && !pattern.expression.is_match(text)
    {
        state.fault(format!(
            "{} does not match pattern {}",
            single(text),
            single(&pattern.text)
        ));
    }
}

fn numbers(node: &Node, number: Decimal, state: &mut State<'_>) {
    let bounds = &node.number;
    let faults = [
        (
            "minimum",
            bounds
                .minimum
                .filter(|least| number.compare(*least).is_lt()),
        ),
        (
            "maximum",
            bounds.maximum.filter(|most| number.compare(*most).is_gt()),
        ),
        (
            "exclusiveMinimum",
            bounds.above.filter(|above| number.compare(*above).is_le()),
        ),
        (
            "exclusiveMaximum",
            bounds.below.filter(|below| number.compare(*below).is_ge()),
        ),
        (
            "multipleOf",
            bounds
                .multiple_of
                .filter(|multiple| !number.is_multiple_of(*multiple)),
        ),
    ];
    for (name, want) in faults {
        if let Some(want) = want {
            state.fault(format!(
                "{name}: got {}, want {}",
                number.english(),
                want.english()
            ));
        }
    }
}
