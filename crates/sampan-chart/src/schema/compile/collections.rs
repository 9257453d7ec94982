//! What is said of objects and lists.

use super::super::json::Json;
use super::super::node::{Additional, Dependency, Node};
use super::pointer::below;
use super::{Compiler, count, invalid_type, pattern, texts};

impl<'d> Compiler<'d> {
    pub(super) fn objects(
        &mut self,
        node: &mut Node,
        json: &'d Json,
        pointer: &str,
    ) -> Result<(), String> {
        let object = &mut node.object;
        if let Some(properties) = json.get("properties") {
            let Json::Object(properties) = properties else {
                return Err("properties must be of type object".to_owned());
            };
            for (name, schema) in properties {
                let id = self.node(schema, &below(pointer, &["properties", name]))?;
                object.properties.push((name.clone(), id));
            }
        }
        object.additional = self.additional(json, "additionalProperties", pointer)?;
        if let Some(patterns) = json.get("patternProperties") {
            let Json::Object(patterns) = patterns else {
                return Err(invalid_type("valid schema", "patternProperties"));
            };
            for (name, schema) in patterns {
                let pattern =
                    pattern(name).ok_or_else(|| format!("Invalid regex pattern '{name}'"))?;
                let id = self.node(schema, &below(pointer, &["patternProperties", name]))?;
                object.patterns.push((pattern, id));
            }
        }
        if self.draft() >= 6 {
            object.names = self.optional(json, "propertyNames", pointer)?;
        }
        if let Some(dependencies) = json.get("dependencies") {
            let Json::Object(dependencies) = dependencies else {
                return Err("dependencies must be of type object".to_owned());
            };
            for (name, dependency) in dependencies {
                let dependency = match dependency {
                    Json::Array(_) => {
                        Dependency::Required(texts(dependency).ok_or_else(wrong_dependency)?)
                    }
                    Json::Object(_) | Json::Bool(_) => Dependency::Schema(
                        self.node(dependency, &below(pointer, &["dependencies", name]))?,
                    ),
                    _ => return Err(wrong_dependency()),
                };
                object.dependencies.push((name.clone(), dependency));
            }
        }
        object.min_properties = count(json, "minProperties")?;
        object.max_properties = count(json, "maxProperties")?;
        if matches!((object.min_properties, object.max_properties), (Some(least), Some(most)) if least > most)
        {
            return Err("minProperties cannot be greater than maxProperties".to_owned());
        }
        if let Some(required) = json.get("required") {
            let Json::Array(_) = required else {
                return Err("required must be of an array".to_owned());
            };
            object.required = texts(required).ok_or("required items must be string")?;
            let repeated = (1..object.required.len())
                .any(|at| object.required[..at].contains(&object.required[at]));
            if repeated {
                return Err("required items must be unique".to_owned());
            }
        }
        self.newer_objects(node, json, pointer)
    }

    /// What came with edition 2019-09.
    fn newer_objects(
        &mut self,
        node: &mut Node,
        json: &'d Json,
        pointer: &str,
    ) -> Result<(), String> {
        if self.draft() < 2019 {
            return Ok(());
        }
        if let Some(Json::Object(schemas)) = json.get("dependentSchemas") {
            for (name, schema) in schemas {
                let id = self.node(schema, &below(pointer, &["dependentSchemas", name]))?;
                node.object.dependent_schemas.push((name.clone(), id));
            }
        }
        if let Some(Json::Object(required)) = json.get("dependentRequired") {
            for (name, names) in required {
                node.object
                    .dependent_required
                    .push((name.clone(), texts(names).unwrap_or_default()));
            }
        }
        node.object.rest = self.optional(json, "unevaluatedProperties", pointer)?;
        node.list.rest = self.optional(json, "unevaluatedItems", pointer)?;
        self.schema.looks_at_rest |= node.object.rest.is_some() || node.list.rest.is_some();
        Ok(())
    }

    pub(super) fn lists(
        &mut self,
        node: &mut Node,
        json: &'d Json,
        pointer: &str,
    ) -> Result<(), String> {
        let draft = self.draft();
        let list = &mut node.list;
        let (first, more) = if draft >= 2020 {
            ("prefixItems", "items")
        } else {
            ("items", "additionalItems")
        };
        match json.get(first) {
            None => {}
            Some(Json::Array(schemas)) => {
                for (index, schema) in schemas.iter().enumerate() {
                    let id = self.node(schema, &below(pointer, &[first, &index.to_string()]))?;
                    list.first_items.push(id);
                }
            }
            Some(Json::Object(_) | Json::Bool(_)) => {
                list.items = self.optional(json, first, pointer)?;
            }
            Some(_) => return Err(invalid_type("valid schema/array of schemas", first)),
        }
        if !list.first_items.is_empty() || more == "items" {
            match self.additional(json, more, pointer)? {
                Some(Additional::Schema(id)) => list.items = Some(id),
                Some(Additional::Allowed(false)) if more == "items" => {
                    list.items = self.optional(json, more, pointer)?;
                }
                Some(Additional::Allowed(allowed)) => list.no_more = !allowed,
                None => {}
            }
        }
        list.min_items = count(json, "minItems")?;
        list.max_items = count(json, "maxItems")?;
        match json.get("uniqueItems") {
            None => {}
            Some(Json::Bool(unique)) => list.unique = *unique,
            Some(_) => return Err("uniqueItems must be of a boolean".to_owned()),
        }
        if draft >= 6 {
            list.contains = self.optional(json, "contains", pointer)?;
        }
        if draft >= 2019 {
            list.min_contains = count(json, "minContains")?;
            list.max_contains = count(json, "maxContains")?;
        }
        Ok(())
    }
}

fn wrong_dependency() -> String {
    "dependency must be of type schema or array of strings".to_owned()
}
