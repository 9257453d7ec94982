//! Whether it is done as it is best done.

use super::Grade;
use super::rule::{Group, Judge, Rule, rule};

mod autoscalers;
mod availability;
mod batch;
mod budgets;
mod environment;
mod host;
mod images;
mod pods;
mod ports;
mod probes;
mod resources;
mod roles;
mod security;
mod services;

pub(super) fn rules() -> Vec<Rule> {
    let families = [
        probes::rules(),
        resources::rules(),
        images::rules(),
        security::rules(),
        host::rules(),
        roles::rules(),
        environment::rules(),
        availability::rules(),
        budgets::rules(),
        autoscalers::rules(),
        services::rules(),
        batch::rules(),
        pods::rules(),
        ports::rules(),
    ];
    families.into_iter().flatten().collect()
}

fn practice(id: &'static str, grade: Grade, judge: Judge, texts: [&'static str; 3]) -> Rule {
    rule(id, Group::Practice, grade, judge, texts)
}

fn warning(id: &'static str, judge: Judge, texts: [&'static str; 3]) -> Rule {
    practice(id, Grade::Warning, judge, texts)
}

fn critical(id: &'static str, judge: Judge, texts: [&'static str; 3]) -> Rule {
    practice(id, Grade::Critical, judge, texts)
}
