//! The table of all rules of this program.

use std::sync::LazyLock;

use super::rule::{Group, Judge, Rule, rule};
use super::{Grade, airgap, practice, relation, schema};

/// What reading the inputs can find.
pub(super) const SYNTAX: &str = "manifest-syntax";
/// What is no object.
pub(super) const NO_OBJECT: &str = "manifest-object";
/// A chart that cannot be rendered, or an app that cannot be filled in.
pub(super) const RENDERING: &str = "manifest-rendering";
/// Ignoring that does not say what or why.
pub(super) const BAD_IGNORE: &str = "ignore-without-reason";

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let mut rules = reading();
    rules.extend(schema::rules());
    rules.extend(relation::rules());
    rules.extend(practice::rules());
    rules.extend(airgap::rules());
    rules
});

/// All rules of this program.
#[must_use]
pub fn all() -> &'static [Rule] {
    &RULES
}

/// The rule of an id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    all().iter().find(|rule| rule.id == id)
}

fn reading() -> Vec<Rule> {
    let reading = |id, grade, texts| rule(id, Group::Schema, grade, Judge::Reading, texts);
    vec![
        reading(
            SYNTAX,
            Grade::Critical,
            [
                "a manifest is YAML or JSON",
                "Nothing reads a document that is neither, and nothing applies it. A key that is given twice is one of the mistakes: which of the two counts depends on who reads it.",
                "correct the text at this place",
            ],
        ),
        reading(
            NO_OBJECT,
            Grade::Critical,
            [
                "a manifest says apiVersion, kind and name",
                "Kubernetes knows by these three what an object is; without one of them it refuses the document.",
                "give the document `apiVersion`, `kind` and `metadata.name`",
            ],
        ),
        reading(
            RENDERING,
            Grade::Critical,
            [
                "a chart can be rendered, and all values of an app are declared",
                "What cannot be rendered cannot be checked, nor delivered.",
                "correct what the message says; give the values that the chart needs with `-f` or `--set`",
            ],
        ),
        reading(
            BAD_IGNORE,
            Grade::Warning,
            [
                "whoever ignores a rule says which one and why",
                "An exception without a reason outlives the reason. One that names no rule hides nothing, though somebody believes that it does.",
                "write the annotation `sampan.dev/lint-ignore` as `RULE=reason`, several with `;` or on lines of their own",
            ],
        ),
    ]
}
