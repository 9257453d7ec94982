//! Whether what is referred to is there.

use sampan_model::yaml::Node;

use super::Grade;
use super::object::Object;
use super::rule::{Group, Judge, Rule, Sink, rule};
use super::settings::Settings;
use super::world::World;

mod content;
mod reference;
mod routes;
mod selection;
mod volumes;

use reference::Reference;
pub(super) use reference::Target;

pub(super) fn rules() -> Vec<Rule> {
    let mut rules: Vec<Rule> = reference_rules().collect();
    rules.extend(content::rules());
    rules.extend(routes::rules());
    rules.extend(selection::rules());
    rules.extend(volumes::rules());
    rules
}

fn relation(id: &'static str, grade: Grade, judge: Judge, texts: [&'static str; 3]) -> Rule {
    rule(id, Group::Relation, grade, judge, texts)
}

/// How to mend what is not there.
const MEND: &str = "add it to the app, correct the name, or declare it under `external` in .sampan-lint.yaml when somebody else makes it";

/// The rules about references: id, target, what must hold, and why.
const REFERENCES: &[(&str, Target, &str, &str)] = &[
    (
        "reference-config-map",
        Target::ConfigMap,
        "a ConfigMap that is used exists",
        "A pod whose ConfigMap is not there does not start.",
    ),
    (
        "reference-secret",
        Target::Secret,
        "a Secret that is used exists",
        "A pod whose Secret is not there does not start; an Ingress without its certificate shows another one.",
    ),
    (
        "reference-claim",
        Target::Claim,
        "a PersistentVolumeClaim that is used exists",
        "A pod whose claim is not there is never placed.",
    ),
    (
        "reference-service-account",
        Target::ServiceAccount,
        "a ServiceAccount that is used exists",
        "No pod is made for an account that is not there, and no rights reach it.",
    ),
    (
        "reference-role",
        Target::Role,
        "a role that is bound exists",
        "A binding to a role that is not there gives no rights at all, and says nothing about it.",
    ),
    (
        "reference-service",
        Target::Service,
        "a Service that is used exists",
        "Who asks for it gets an error.",
    ),
    (
        "reference-scale-target",
        Target::Workload,
        "what an autoscaler scales exists",
        "An autoscaler without a target does nothing.",
    ),
    (
        "reference-priority-class",
        Target::PriorityClass,
        "a PriorityClass that is used exists",
        "Kubernetes refuses pods whose class is not there.",
    ),
    (
        "reference-runtime-class",
        Target::RuntimeClass,
        "a RuntimeClass that is used exists",
        "Kubernetes refuses pods whose class is not there.",
    ),
    (
        "reference-storage-class",
        Target::StorageClass,
        "a StorageClass that is used exists",
        "A claim of a class that is not there waits for ever, and its pod with it.",
    ),
    (
        "reference-volume",
        Target::Volume,
        "a PersistentVolume that is named exists",
        "A claim that names a volume waits for just that one.",
    ),
    (
        "reference-ingress-class",
        Target::IngressClass,
        "an IngressClass that is used exists",
        "Nobody serves an Ingress of a class that is not there.",
    ),
    (
        "reference-namespace",
        Target::Namespace,
        "a namespace that is named exists",
        "Kubernetes refuses objects for a namespace that is not there.",
    ),
];

fn reference_rules() -> impl Iterator<Item = Rule> {
    REFERENCES.iter().map(|(id, target, summary, why)| {
        let grade = match target {
            Target::StorageClass | Target::Volume | Target::IngressClass | Target::Namespace => {
                Grade::Warning
            }
            _ => Grade::Critical,
        };
        let rule = relation(id, grade, Judge::References(*target), [summary, why, MEND]);
        // Clusters have these before anything is brought to them.
        match target {
            Target::IngressClass | Target::Namespace => rule.when_asked_for(),
            _ => rule,
        }
    })
}

/// Judges all references of an object to one kind of target.
pub(super) fn judge(object: &Object, target: Target, sink: &mut Sink<'_>) {
    let mut references = reference::of(object);
    references.retain(|reference| reference.target == target && !reference.name.contains("${"));
    if references.is_empty() {
        return sink.nothing_to_judge();
    }
    for reference in references {
        if !exists(&reference, sink.world, sink.settings) && !reference.optional {
            let (kind, name, by) = (reference.kind, reference.name, reference.by);
            sink.report(
                reference.node,
                format!("there is no {kind} `{name}`, which {by}"),
            );
            if let Some(near) = near(&reference, sink.world) {
                sink.mend(format!("did you mean `{near}`? Otherwise {MEND}"));
            }
        }
    }
}

fn exists(reference: &Reference<'_>, world: &World, settings: &Settings) -> bool {
    let (kind, namespace, name) = (reference.kind, reference.namespace, reference.name);
    world.find(kind, namespace, name).is_some()
        || reference::is_built_in(kind, name)
        || settings.is_external(kind, namespace, name)
        || reference::is_made(kind, namespace, name, world)
}

fn near<'a>(reference: &Reference<'_>, world: &'a World) -> Option<&'a str> {
    let same = world
        .of_kind(reference.kind)
        .filter(|object| object.namespace == reference.namespace);
    sampan_model::nearest(reference.name, same.map(|object| object.name.as_str()))
}

/// The text of a field.
fn field<'a>(node: &'a Node, name: &str) -> Option<&'a str> {
    node.get(name).and_then(Node::scalar)
}
