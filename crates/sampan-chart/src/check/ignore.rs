//! What somebody has decided to leave as it is, and why.

use super::finding::{Finding, Grade};
use super::object::Object;
use super::rules;
use super::settings::{Settings, fits_pattern};
use crate::manifest::Place;

/// The annotation by which an object says which rules need not hold for it.
pub const ANNOTATION: &str = "sampan.dev/lint-ignore";

/// One rule, or all that a pattern such as `security-*` fits, and why it need not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry<'a> {
    rule: &'a str,
    reason: &'a str,
}

fn entries(text: &str) -> impl Iterator<Item = Entry<'_>> {
    let parts = text
        .split([';', '\n'])
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts.map(|part| {
        let (rule, reason) = part.split_once('=').unwrap_or((part, ""));
        Entry {
            rule: rule.trim(),
            reason: reason.trim(),
        }
    })
}

/// Marks what need not hold as skipped.
pub(super) fn apply(findings: &mut [Finding], object: &Object, settings: &Settings) {
    let annotation = object.annotation(ANNOTATION).and_then(|node| node.as_str());
    for finding in findings
        .iter_mut()
        .filter(|finding| finding.grade > Grade::Skipped)
    {
        let by_object = annotation.and_then(|text| {
            entries(text)
                .find(|entry| !entry.reason.is_empty() && fits_pattern(entry.rule, &finding.rule))
        });
        let reason = match by_object {
            Some(entry) => Some(entry.reason),
            None => settings.ignored_because(finding),
        };
        if let Some(reason) = reason {
            finding.reason = Some(reason.to_owned());
            finding.grade = Grade::Skipped;
        }
    }
}

/// What is wrong with an object's annotation.
pub(super) fn problems(object: &Object, settings: &Settings) -> Vec<Finding> {
    let Some(node) = object.annotation(ANNOTATION) else {
        return Vec::new();
    };
    let finding = |message: String| Finding {
        rule: rules::BAD_IGNORE.to_owned(),
        grade: Grade::Warning,
        message,
        mend: rules::find(rules::BAD_IGNORE).map(|rule| rule.mend.to_string()),
        place: object.place(node),
        object: Some(object.full_name()),
        path: object.path_of(node),
        reason: None,
        environments: Vec::new(),
    };
    let mut found = Vec::new();
    for entry in entries(node.as_str().unwrap_or_default()) {
        if entry.reason.is_empty() {
            found.push(finding(format!(
                "`{}` is to be ignored without a reason",
                entry.rule
            )));
        } else if !settings.knows(entry.rule) {
            found.push(finding(format!(
                "`{}` is to be ignored, and no rule is called so",
                entry.rule
            )));
        }
    }
    found
}

/// A finding that belongs to no object, unless the settings ignore it.
pub(super) fn of_file(
    rule: &str,
    message: String,
    mend: String,
    place: Place,
    settings: &Settings,
) -> Finding {
    let mut finding = Finding {
        rule: rule.to_owned(),
        grade: rules::find(rule).map_or(Grade::Critical, |rule| {
            settings.grade_of(rule).unwrap_or(rule.grade)
        }),
        message,
        mend: Some(mend).filter(|mend| !mend.is_empty()),
        place,
        object: None,
        path: None,
        reason: None,
        environments: Vec::new(),
    };
    if let Some(reason) = settings.ignored_because(&finding) {
        finding.reason = Some(reason.to_owned());
        finding.grade = Grade::Skipped;
    }
    finding
}
