//! Which secrets the steps of a graph name.

use std::collections::BTreeMap;

use sampan_model::yaml::Location;

use super::{Asker, SecretProblem, Secrets};
use crate::build::Build;
use crate::github;
use crate::github::plan::CallScope;
use crate::graph::{
    Action, Container, EnvironmentValue, Expression, Graph, Stage, Step, Text, is_within_call,
};

/// A secret that a step names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The secret; `None` when all of them may be meant (`toJSON(secrets)`).
    pub name: Option<String>,
    /// Where it is named.
    pub location: Location,
    /// Whether the step cannot run without it.
    pub required: bool,
}

/// The secrets that a step names, in the order of its parts.
#[must_use]
pub fn named(step: &Step) -> Vec<Named> {
    let mut list = List::default();
    list.environment(&step.environment);
    list.container(step.container.as_ref());
    match &step.action {
        Action::Plugin { settings } => {
            for setting in settings.values() {
                setting.secrets(&mut |secret| {
                    list.secret(&secret.name, &secret.location, secret.required);
                });
            }
        }
        Action::Run {
            script,
            environment,
            ..
        } => {
            list.text(script);
            list.environment(environment);
        }
        Action::Uses {
            with, environment, ..
        } => {
            for text in with.values() {
                list.text(text);
            }
            list.environment(environment);
        }
        Action::Image { .. } | Action::Commands { .. } => {}
    }
    list.found
}

#[derive(Default)]
struct List {
    found: Vec<Named>,
}

impl List {
    fn secret(&mut self, name: &str, location: &Location, required: bool) {
        let same = |known: &&mut Named| {
            known
                .name
                .as_deref()
                .is_some_and(|known| known.eq_ignore_ascii_case(name))
        };
        // Settings stand in the environment too.
        if let Some(known) = self.found.iter_mut().find(same) {
            known.required |= required;
            return;
        }
        self.found.push(Named {
            name: Some(name.to_owned()),
            location: location.clone(),
            required,
        });
    }

    fn expression(&mut self, expression: &Expression) {
        for name in github::secrets_of(&expression.expression) {
            match name {
                Some(name) => self.secret(&name, &expression.location, false),
                None => self.found.push(Named {
                    name: None,
                    location: expression.location.clone(),
                    required: false,
                }),
            }
        }
    }

    fn text(&mut self, text: &Text) {
        if let Text::Later(expression) = text {
            self.expression(expression);
        }
    }

    fn value(&mut self, value: &EnvironmentValue) {
        match value {
            EnvironmentValue::Later(expression) => self.expression(expression),
            EnvironmentValue::Secret(secret) => {
                self.secret(&secret.name, &secret.location, secret.required);
            }
            EnvironmentValue::Setting(setting) => setting.secrets(&mut |secret| {
                self.secret(&secret.name, &secret.location, secret.required);
            }),
            EnvironmentValue::Text(_) => {}
        }
    }

    fn environment(&mut self, environment: &BTreeMap<String, EnvironmentValue>) {
        for value in environment.values() {
            self.value(value);
        }
    }

    fn container(&mut self, container: Option<&Container>) {
        let Some(container) = container else {
            return;
        };
        if let Some(login) = &container.login {
            self.value(&login.username);
            self.value(&login.password);
        }
        self.text(&container.image);
    }
}

impl Secrets {
    /// The secrets that a graph names and does not get, over all stages and steps that may run. `calls` are those of
    /// a workflow's plan: who is called names secrets as they were handed on.
    #[must_use]
    pub fn problems(
        &self,
        graph: &Graph,
        calls: &BTreeMap<String, CallScope>,
        build: &Build,
    ) -> Vec<SecretProblem> {
        let mut problems = Vec::new();
        for stage in graph.stages.iter().filter(|stage| stage.verdict.runs()) {
            if has_handed_secrets(&stage.id, calls) {
                continue;
            }
            let mut of_stage = List::default();
            of_stage.container(stage.container.as_ref());
            stage.outputs.values().for_each(|text| of_stage.text(text));
            for name in &stage.registry_secrets {
                of_stage.secret(name, &stage.location, false);
            }
            let handed = calls.get(&stage.id).and_then(|call| call.secrets.as_ref());
            for text in handed.iter().flat_map(|handed| handed.values()) {
                of_stage.text(text);
            }
            let asker = Asker::of_build(build);
            let found = of_stage.found.iter();
            problems.extend(found.filter_map(|one| self.problem(stage, None, one, &asker)));
            for step in stage.steps.iter().filter(|step| step.verdict.runs()) {
                let asker = Asker::of_step(build, stage, step);
                let found = named(step);
                let found = found.iter();
                problems
                    .extend(found.filter_map(|one| self.problem(stage, Some(step), one, &asker)));
            }
        }
        problems
    }

    fn problem(
        &self,
        stage: &Stage,
        step: Option<&Step>,
        named: &Named,
        asker: &Asker<'_>,
    ) -> Option<SecretProblem> {
        let name = named.name.as_ref()?;
        // The run's own token is no secret of the project.
        if name.eq_ignore_ascii_case("GITHUB_TOKEN") {
            return None;
        }
        Some(SecretProblem {
            location: named.location.clone(),
            stage: stage.id.clone(),
            step: step.map(|step| step.name.clone()),
            required: named.required,
            error: self.grant(name, asker).err()?,
        })
    }
}

/// Whether a stage knows secrets by the names that a caller gave them.
fn has_handed_secrets(stage: &str, calls: &BTreeMap<String, CallScope>) -> bool {
    let mut calls = calls.iter();
    calls.any(|(call, scope)| is_within_call(stage, call) && scope.secrets.is_some())
}
