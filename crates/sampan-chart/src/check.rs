//! Checking manifests without a cluster: whether Kubernetes takes them, whether what they refer to is there, whether they are
//! done as it is best done, and whether they work at a site without a network.
//!
//! An [`Input`] gathers objects with the places of all their parts: from files, rendered charts, and apps with the values of
//! an environment. Objects of one input may refer to each other, those of different inputs not. Each [`Rule`] judges each
//! object that it is about; what does not hold is a [`Finding`], which somebody may have decided to leave as it is, with a
//! reason. Nothing here opens files or connections.

use std::collections::BTreeSet;

mod airgap;
pub mod finding;
mod ignore;
mod input;
pub mod object;
mod own;
pub mod pod;
mod practice;
mod quantity;
mod relation;
pub mod report;
pub mod rule;
pub mod rules;
mod schema;
mod selector;
pub mod settings;
pub mod world;

pub use finding::{Finding, Grade, Report, Summary};
pub use ignore::ANNOTATION;
pub use input::Input;
pub use object::Object;
pub use rule::{Group, Rule};
pub use settings::{Settings, SettingsError};
pub use world::World;

use rule::{Judge, Sink, Subject};

/// Checks inputs by the rules that the settings choose.
#[must_use]
pub fn check(inputs: Vec<Input>, settings: &Settings) -> Report {
    let mut summary = Summary::default();
    let mut findings: Vec<Finding> = Vec::new();
    let (mut files, mut objects) = (BTreeSet::new(), BTreeSet::new());
    let environments = inputs
        .iter()
        .filter(|input| input.environment.is_some())
        .count();
    for input in inputs {
        let own = settings.with_app(&input);
        let (environment, mut found) = (input.environment.clone(), input.problems(&own));
        files.extend(input.files.iter().cloned());
        let world = World::new(input.objects);
        for object in world.objects() {
            objects.insert((object.full_name(), object.place(&object.root)));
            summary.ok += judge(
                &Subject {
                    world: &world,
                    settings: &own,
                    object,
                },
                &mut found,
            );
        }
        merge(&mut findings, found, environment.as_deref());
    }
    for finding in &mut findings {
        // What holds for all environments need not name them.
        if finding.environments.len() == environments {
            finding.environments.clear();
        }
    }
    findings.sort_by(|a, b| {
        (&a.place, b.grade, &a.rule, &a.message).cmp(&(&b.place, a.grade, &b.rule, &b.message))
    });
    for finding in &findings {
        match finding.grade {
            Grade::Ok => {}
            Grade::Skipped => summary.skipped += 1,
            Grade::Warning => summary.warnings += 1,
            Grade::Critical => summary.critical += 1,
        }
    }
    summary.files = files.len();
    summary.objects = objects.len();
    Report { summary, findings }
}

/// Adds what was found in one environment to what was found in others.
fn merge(findings: &mut Vec<Finding>, found: Vec<Finding>, environment: Option<&str>) {
    let Some(environment) = environment else {
        return findings.extend(found);
    };
    let before = findings.len();
    for mut finding in found {
        let same = findings[..before].iter_mut().find(|known| {
            known.rule == finding.rule
                && known.place == finding.place
                && known.message == finding.message
                && known.grade == finding.grade
                && !known.environments.is_empty()
        });
        if let Some(known) = same {
            known.environments.push(environment.to_owned());
        } else {
            finding.environments.push(environment.to_owned());
            findings.push(finding);
        }
    }
}

/// Judges one object by all rules; says how many hold.
fn judge(subject: &Subject<'_>, findings: &mut Vec<Finding>) -> usize {
    let Subject {
        world,
        settings,
        object,
    } = *subject;
    let flaws = schema::flaws(object, world, settings);
    let mut found = Vec::new();
    let mut held = 0;
    for rule in settings.judged() {
        let mut sink = Sink::new(subject, rule, flaws.as_deref());
        run(rule, object, &mut sink);
        match sink.finish() {
            None => {}
            Some(judged) if judged.is_empty() => {
                held += 1;
                if settings.with_ok {
                    found.push(holds(rule, object));
                }
            }
            Some(judged) => found.extend(judged),
        }
    }
    ignore::apply(&mut found, object, settings);
    findings.append(&mut found);
    findings.extend(ignore::problems(object, settings));
    held
}

fn run(rule: &Rule, object: &Object, sink: &mut Sink<'_>) {
    match &rule.judge {
        Judge::Objects(judge) => judge(object, sink),
        Judge::Kinds(kinds, judge) if kinds.contains(&object.kind.as_str()) => judge(object, sink),
        Judge::Reading | Judge::Kinds(..) => sink.nothing_to_judge(),
        Judge::Pods(judge) => match object.pod() {
            Some(pod) => judge(&pod, sink),
            None => sink.nothing_to_judge(),
        },
        Judge::Containers(judge) => match object.pod() {
            Some(pod) => {
                pod.containers()
                    .for_each(|container| judge(&container, sink));
                sink.has_judged();
            }
            None => sink.nothing_to_judge(),
        },
        Judge::References(target) => relation::judge(object, *target, sink),
        Judge::Own(own) => own.judge(object, &rule.summary, sink),
    }
}

fn holds(rule: &Rule, object: &Object) -> Finding {
    Finding {
        rule: rule.id.to_string(),
        grade: Grade::Ok,
        message: rule.summary.to_string(),
        mend: None,
        place: object.place(&object.root),
        object: Some(object.full_name()),
        path: None,
        reason: None,
        environments: Vec::new(),
    }
}
