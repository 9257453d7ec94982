//! Objects.

use super::super::Endless;
use super::super::json::Json;
use super::super::node::{Additional, Node};
use super::{Checker, Outcome, joined};

impl<'s> Checker<'s> {
    pub(super) fn object(
        &mut self,
        node: &'s Node,
        entries: &[(String, Json)],
        value: &Json,
        field: &str,
        outcome: &mut Outcome,
    ) -> Result<(), Endless> {
        let object = &node.object;
        if let Some(least) = object.min_properties.filter(|least| entries.len() < *least) {
            outcome.fault(field, format_args!("Must have at least {least} properties"));
        }
        if let Some(most) = object.max_properties.filter(|most| entries.len() > *most) {
            outcome.fault(field, format_args!("Must have at most {most} properties"));
        }
        for name in &object.required {
            if value.get(name).is_some() {
                outcome.score += 1;
            } else {
                outcome.fault(field, format_args!("{name} is required"));
            }
        }
        for (name, property) in entries {
            self.property(node, name, property, field, outcome)?;
        }
        if let Some(names) = object.names {
            for (name, _) in entries {
                let result = self.alone(names, &Json::Text(name.clone()), field)?;
                if !result.is_valid() {
                    outcome.fault(
                        field,
                        format_args!("Property name of \"{name}\" does not match"),
                    );
                    outcome.merge(result);
                }
            }
        }
        outcome.score += 1;
        Ok(())
    }

    fn property(
        &mut self,
        node: &'s Node,
        name: &str,
        property: &Json,
        field: &str,
        outcome: &mut Outcome,
    ) -> Result<(), Endless> {
        let mut described = node
            .object
            .properties
            .iter()
            .any(|(known, _)| known == name);
        let mut matched = false;
        for (pattern, id) in &node.object.patterns {
            if pattern.expression.is_match(name) {
                matched = true;
                let result = self.alone(*id, property, &joined(field, name))?;
                outcome.merge(result);
            }
        }
        if matched {
            outcome.score += 1;
            described = true;
        }
        match node.object.additional {
            Some(Additional::Allowed(false)) if !described => {
                outcome.fault(
                    field,
                    format_args!("Additional property {name} is not allowed"),
                );
            }
            Some(Additional::Schema(id)) if !described => {
                let result = self.alone(id, property, &joined(field, name))?;
                outcome.merge(result);
            }
            _ => {}
        }
        Ok(())
    }
}
