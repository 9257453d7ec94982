//! Objects.

use super::super::json::Json;
use super::super::node::{Additional, Dependency, Node};
use super::Checker;
use super::fault::{Fault, Kind, State, Stop, missing, single};

impl<'s> Checker<'s> {
    pub(super) fn object(
        &mut self,
        node: &'s Node,
        entries: &[(String, Json)],
        value: &Json,
        state: &mut State<'_>,
    ) -> Result<(), Stop> {
        let object = &node.object;
        let count = entries.len();
        state.at_least("minProperties", count, object.min_properties);
        state.at_most("maxProperties", count, object.max_properties);
        if let Some(missing) = missing(value, &object.required) {
            let missing = match &missing[..] {
                [one] => format!("property {one}"),
                several => format!("properties {}", several.join(", ")),
            };
            state.fault(format!("missing {missing}"));
        }
        for (name, dependency) in &object.dependencies {
            if value.get(name).is_some() {
                match dependency {
                    Dependency::Required(names) => state.required_by(name, value, names),
                    Dependency::Schema(id) => self.same(*id, value, state)?,
                }
            }
        }
        let mut additional = Vec::new();
        for (name, property) in entries {
            self.property(node, name, property, state, &mut additional)?;
        }
        if !additional.is_empty() {
            state.fault(format!(
                "additional properties {} not allowed",
                additional.join(", ")
            ));
        }
        if let Some(names) = object.names {
            for (name, _) in entries {
                if let Err(stop) = self.check(names, &Json::Text(name.clone()), "") {
                    let Stop::Fault(fault) = stop else {
                        return Err(stop);
                    };
                    let causes = if fault.kind == Kind::Group {
                        fault.causes
                    } else {
                        vec![fault]
                    };
                    let text = format!("invalid propertyName {}", single(name));
                    state.faults.push(Fault {
                        at: String::new(),
                        text,
                        causes,
                        kind: Kind::Plain,
                    });
                }
            }
        }
        for (name, id) in &object.dependent_schemas {
            if value.get(name).is_some() {
                self.same(*id, value, state)?;
            }
        }
        for (name, names) in &object.dependent_required {
            if value.get(name).is_some() {
                state.required_by(name, value, names);
            }
        }
        Ok(())
    }

    fn property(
        &mut self,
        node: &'s Node,
        name: &str,
        property: &Json,
        state: &mut State<'_>,
        additional: &mut Vec<String>,
    ) -> Result<(), Stop> {
        let object = &node.object;
        let mut seen = false;
        if let Some((_, id)) = object.properties.iter().find(|(known, _)| known == name) {
            seen = true;
            self.part(*id, property, name, state)?;
        }
        for (pattern, id) in &object.patterns {
            if pattern.expression.is_match(name) {
                seen = true;
                self.part(*id, property, name, state)?;
            }
        }
        if let Some(rest) = object.additional.filter(|_| !seen) {
            seen = true;
            match rest {
                Additional::Allowed(true) => {}
                Additional::Allowed(false) => additional.push(single(name)),
                Additional::Schema(id) => {
                    self.part(id, property, name, state)?;
                }
            }
        }
        if seen {
            state.seen.properties.insert(name.to_owned());
        }
        Ok(())
    }
}
