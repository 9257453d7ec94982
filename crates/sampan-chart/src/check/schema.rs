//! Whether Kubernetes takes the manifest at all.

use std::collections::HashSet;

use sampan_model::nearest;
use sampan_model::yaml::Node;

use super::Grade;
use super::object::Object;
use super::rule::{Group, Judge, Rule, Sink, rule};
use super::settings::Settings;
use super::world::World;

mod built_in;
mod custom;
mod definition;
mod deprecated;
mod naming;
mod values;
mod versions;

const UNKNOWN_FIELD: &str = "schema-unknown-field";
const WRONG_TYPE: &str = "schema-wrong-type";
const MISSING_FIELD: &str = "schema-missing-field";
const BAD_VALUE: &str = "schema-bad-value";
const DUPLICATE_ITEM: &str = "schema-duplicate-item";

pub(super) fn rules() -> Vec<Rule> {
    let mut rules = fields();
    rules.extend(versions::rules());
    rules.extend(deprecated::rules());
    rules.extend(naming::rules());
    rules
}

fn schema(id: &'static str, grade: Grade, judge: Judge, texts: [&'static str; 3]) -> Rule {
    rule(id, Group::Schema, grade, judge, texts)
}

fn fields() -> Vec<Rule> {
    let field = |id, judge, texts| schema(id, Grade::Critical, judge, texts);
    vec![
        field(
            UNKNOWN_FIELD,
            Judge::Objects(|_, sink| judge(UNKNOWN_FIELD, sink)),
            [
                "a field is one that the kind has",
                "Kubernetes refuses an object with a field that it does not know, or drops the field, depending on who applies it; either way it does not do what was meant.",
                "correct the name or the indentation, or remove the field",
            ],
        ),
        field(
            WRONG_TYPE,
            Judge::Objects(|_, sink| judge(WRONG_TYPE, sink)),
            [
                "a value is of the type that its field takes",
                "Kubernetes refuses the object. Often quotes are missing or too many: `\"80\"` is text, `yes` is a truth value.",
                "write a value of the type",
            ],
        ),
        field(
            MISSING_FIELD,
            Judge::Objects(|_, sink| judge(MISSING_FIELD, sink)),
            [
                "a field that must be there is there",
                "Kubernetes refuses the object without it.",
                "add the field",
            ],
        ),
        field(
            BAD_VALUE,
            Judge::Objects(|_, sink| judge(BAD_VALUE, sink)),
            [
                "a value is one that its field takes",
                "Kubernetes refuses other values.",
                "write one of the values that the field takes",
            ],
        ),
        field(
            DUPLICATE_ITEM,
            Judge::Objects(|_, sink| judge(DUPLICATE_ITEM, sink)),
            [
                "the items of a list differ in what tells them apart",
                "Kubernetes refuses the object, or loses one of the two when the object is applied again.",
                "remove one of them, or give it another name",
            ],
        ),
    ]
}

/// What is wrong with a value, for the rule of that kind.
#[derive(Debug)]
pub(super) struct Flaw<'a> {
    rule: &'static str,
    node: &'a Node,
    message: String,
    mend: Option<String>,
}

/// What is found in one object.
#[derive(Debug, Default)]
struct Flaws<'a>(Vec<Flaw<'a>>);

impl<'a> Flaws<'a> {
    fn add(&mut self, rule: &'static str, node: &'a Node, message: String, mend: Option<String>) {
        self.0.push(Flaw {
            rule,
            node,
            message,
            mend,
        });
    }

    fn unknown_field<'n>(
        &mut self,
        node: &'a Node,
        message: String,
        key: &str,
        known: impl Iterator<Item = &'n str>,
    ) {
        let mend = nearest(key, known).map(|near| format!("did you mean `{near}`?"));
        self.add(UNKNOWN_FIELD, node, message, mend);
    }

    /// Items whose key another one has already; items without a key are left to the server, which fills in what is
    /// usual or refuses them for that.
    fn repeated(&mut self, items: &'a [Node], key: impl Fn(&'a Node) -> Option<Vec<&'a str>>) {
        let mut known = HashSet::new();
        for item in items {
            if let Some(key) = key(item)
                && !known.insert(key.clone())
            {
                let message = format!("`{}` is there twice", key.join("/"));
                self.add(DUPLICATE_ITEM, item, message, None);
            }
        }
    }
}

/// What is wrong with the fields of an object; none when nobody knows its kind.
pub(super) fn flaws<'a>(
    object: &'a Object,
    world: &World,
    settings: &Settings,
) -> Option<Vec<Flaw<'a>>> {
    match built_in::kind(object) {
        Some(kind) => built_in::flaws(object, kind, settings.version()),
        None => custom::flaws(object, world),
    }
}

/// Reports the flaws that one rule is about.
fn judge(rule: &'static str, sink: &mut Sink<'_>) {
    let Some(flaws) = sink.flaws() else {
        return sink.nothing_to_judge();
    };
    for flaw in flaws.iter().filter(|flaw| flaw.rule == rule) {
        sink.report(flaw.node, flaw.message.clone());
        if let Some(mend) = &flaw.mend {
            sink.mend(mend.clone());
        }
    }
}
