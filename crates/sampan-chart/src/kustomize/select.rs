//! Which resources a patch is for.

use regex_automata::meta::Regex;

use super::error::Error;
use super::kustomization::Target;
use super::resource::{Id, Resource};

/// A target, ready to be held against resources.
pub(super) struct Selector {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
}

/// A condition on a label.
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

impl Selector {
    pub(super) fn new(target: &Target) -> Result<Self, Error> {
        let whole = |text: &str| {
            if text.is_empty() {
                return Ok(None);
            }
            let expression = Regex::new(&format!("^(?:{text})$"));
            expression
                .map(Some)
                .map_err(|error| Error::Invalid(format!("`{text}` in a target: {error}")))
        };
        Ok(Self {
            group: whole(&target.group)?,
            version: whole(&target.version)?,
            kind: whole(&target.kind)?,
            name: whole(&target.name)?,
            namespace: whole(&target.namespace)?,
            labels: requirements(&target.label_selector)?,
            annotations: requirements(&target.annotation_selector)?,
        })
    }

    /// Whether it selects a resource, by any name that it had.
    pub(super) fn selects(&self, resource: &Resource) -> bool {
        let fits = |expression: &Option<Regex>, text: &str| {
            expression.as_ref().is_none_or(|one| one.is_match(text))
        };
        let current = resource.id();
        let by_kind = fits(&self.group, &current.group)
            && fits(&self.version, &current.version)
            && fits(&self.kind, &current.kind);
        // Where no namespace is asked for, nobody needs to know which one counts.
        let named = |id: &Id| {
            fits(&self.name, &id.name)
                && (self.namespace.is_none() || fits(&self.namespace, id.effective_namespace()))
        };
        by_kind
            && (named(&current) || resource.before.iter().any(named))
            && all(&self.labels, resource, "labels")
            && all(&self.annotations, resource, "annotations")
    }
}

fn all(requirements: &[Requirement], resource: &Resource, field: &str) -> bool {
    let metadata = resource.value.get("metadata");
    let value = |key: &str| metadata?.get(field)?.get(key)?.as_str();
    requirements.iter().all(|requirement| match requirement {
        Requirement::In(key, values) => {
            value(key).is_some_and(|value| values.iter().any(|one| one == value))
        }
        Requirement::NotIn(key, values) => {
            !value(key).is_some_and(|value| values.iter().any(|one| one == value))
        }
        Requirement::Exists(key) => value(key).is_some(),
        Requirement::Absent(key) => value(key).is_none(),
    })
}

/// The conditions of a selector such as `app=web,tier in (a, b),!old`.
fn requirements(text: &str) -> Result<Vec<Requirement>, Error> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let parts = text.split(|character| {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    });
    for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
        let requirement = requirement(part)
            .ok_or_else(|| Error::Invalid(format!("`{part}` is no selector of labels")))?;
        found.push(requirement);
    }
    Ok(found)
}

fn requirement(text: &str) -> Option<Requirement> {
    let key = |key: &str| key.trim().to_owned();
    if let Some(list) = text.strip_suffix(')') {
        let (head, list) = list.split_once('(')?;
        let values = list
            .split(',')
            .map(|value| value.trim().to_owned())
            .collect();
        let head = head.trim();
        if let Some(name) = head.strip_suffix(" notin") {
            return Some(Requirement::NotIn(key(name), values));
        }
        let name = head.strip_suffix(" in")?;
        return Some(Requirement::In(key(name), values));
    }
    let value = |value: &str| vec![value.trim().to_owned()];
    if let Some((name, text)) = text.split_once("!=") {
        return Some(Requirement::NotIn(key(name), value(text)));
    }
    if let Some((name, text)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Some(Requirement::In(key(name), value(text)));
    }
    if let Some(name) = text.strip_prefix('!') {
        return Some(Requirement::Absent(key(name)));
    }
    (!text.contains(char::is_whitespace)).then(|| Requirement::Exists(key(text)))
}
