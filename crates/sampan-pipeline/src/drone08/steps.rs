//! The order of clone steps, services and steps of Drone 0.8.

use std::collections::BTreeSet;

use sampan_model::yaml::{Content, Key, Location, Node};

use super::Compiler;
use crate::PipelineError;
use crate::graph::{Reason, Role, Step, Workspace};
use crate::read::{self, Fields};

/// How many steps a pipeline may have.
const LIMIT: usize = 5_000;

/// Reads all containers of a pipeline.
pub(super) struct Steps<'a> {
    pub(super) compiler: &'a Compiler<'a>,
    pub(super) workspace: &'a Workspace,
    pub(super) arch: &'a str,
    pub(super) notes: &'a mut Vec<Reason>,
    /// The names that steps have.
    pub(super) taken: BTreeSet<String>,
}

impl Steps<'_> {
    /// Clone steps come one after the other, then the services all at once, then the steps; neighbours of one `group`
    /// share their place.
    pub(super) fn read(mut self, fields: &Fields<'_>) -> Result<Vec<Step>, PipelineError> {
        let mut steps = Vec::new();
        let mut before = Vec::new();
        let clone = self.section(fields, "clone", Role::Clone)?;
        if clone.is_empty() {
            let step = self
                .compiler
                .default_clone(&fields.node().location, self.workspace);
            before = vec![step.name.clone()];
            self.taken.insert(step.name.clone());
            steps.push(step);
        }
        for (_, mut step) in clone {
            step.needs = std::mem::replace(&mut before, vec![step.name.clone()]);
            steps.push(step);
        }
        let services = self.section(fields, "services", Role::Service)?;
        if !services.is_empty() {
            let names = services.iter().map(|(_, step)| step.name.clone()).collect();
            let needs = std::mem::replace(&mut before, names);
            for (_, mut step) in services {
                step.needs.clone_from(&needs);
                steps.push(step);
            }
        }
        let pipeline = self.section(fields, "pipeline", Role::Step)?;
        if pipeline.is_empty() {
            return Err(PipelineError::MissingKey {
                location: fields.node().location.clone(),
                within: fields.within().to_owned(),
                key: "pipeline",
            });
        }
        steps.extend(crate::order::in_groups(pipeline, before));
        Ok(steps)
    }

    fn section(
        &mut self,
        fields: &Fields<'_>,
        key: &'static str,
        role: Role,
    ) -> Result<Vec<(Option<String>, Step)>, PipelineError> {
        let Some(node) = fields.get(key) else {
            return Ok(Vec::new());
        };
        let mut read = Vec::new();
        let mut errors = Vec::new();
        let entries = entries(node, key)?;
        if entries.len() > LIMIT {
            return Err(PipelineError::TooMany {
                location: node.location.clone(),
                what: "steps",
                count: entries.len(),
                limit: LIMIT,
            });
        }
        for (name, location, node) in entries {
            match self.step(&name, location, node, role) {
                Ok(step) => {
                    self.compiler.allowance.step(&step.1)?;
                    read.push(step);
                }
                Err(error) => errors.push(error),
            }
        }
        PipelineError::join(errors)?;
        Ok(read)
    }

    fn step(
        &mut self,
        key: &str,
        location: &Location,
        node: &Node,
        role: Role,
    ) -> Result<(Option<String>, Step), PipelineError> {
        let fields = Fields::of(node, format!("the step `{key}`"))?;
        let group = fields.read("group", read::text)?;
        let name = fields.read("name", read::text)?;
        let name = name
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| key.to_owned());
        let name = self.unused(&name, location);
        let source = super::step::Source {
            fields: &fields,
            name,
            location,
            role,
            workspace: self.workspace,
            arch: self.arch,
        };
        let step = self.compiler.step(source, self.notes)?;
        Ok((group.filter(|group| !group.is_empty()), step))
    }
}

impl Steps<'_> {
    /// Nothing refers to steps by their names in this dialect, so two may have the same; here the second gets another.
    fn unused(&mut self, name: &str, location: &Location) -> String {
        let mut unused = name.to_owned();
        let mut number = 1;
        while !self.taken.insert(unused.clone()) {
            number += 1;
            unused = format!("{name}-{number}");
        }
        if number > 1 {
            self.notes.push(Reason {
                location: Some(location.clone()),
                text: format!("there is a step `{name}` before; this one is called `{unused}`"),
            });
        }
        unused
    }
}

/// The steps of an ordered mapping.
fn entries<'a>(
    node: &'a Node,
    key: &str,
) -> Result<Vec<(String, &'a Location, &'a Node)>, PipelineError> {
    let named = |(key, node): &'a (Key, Node)| (key.name.clone(), &key.location, node);
    match &node.content {
        Content::Mapping(entries) => Ok(entries.iter().map(named).collect()),
        _ => Err(read::wrong_type(
            node,
            &format!("`{key}` of the pipeline"),
            "a mapping of steps",
        )),
    }
}
