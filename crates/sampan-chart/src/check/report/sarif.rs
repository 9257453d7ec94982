//! SARIF 2.1.0: what editors and servers of sources show as results of an analysis.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::check::finding::{Finding, Grade, Report};
use crate::check::rule::Rule;
use crate::check::settings::Settings;

/// One run with the rules that have found something, and a result for each finding; what is skipped is suppressed.
///
/// Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
#[must_use]
pub fn sarif(report: &Report, settings: &Settings, version: &str) -> Value {
    let used: BTreeSet<&str> = report
        .findings
        .iter()
        .map(|finding| finding.rule.as_str())
        .collect();
    let rules: Vec<&Rule> = settings
        .rules()
        .filter(|rule| used.contains(&*rule.id))
        .collect();
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| result(finding, &rules))
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "sampan lint",
                "version": version,
                "rules": rules.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn descriptor(rule: &Rule) -> Value {
    let mut descriptor = json!({
        "id": rule.id,
        "shortDescription": {"text": rule.summary},
        "defaultConfiguration": {"level": level(rule.grade)},
        "properties": {"tags": [rule.group]},
    });
    if !rule.why.is_empty() {
        descriptor["fullDescription"] = json!({"text": rule.why});
    }
    if !rule.mend.is_empty() {
        descriptor["help"] = json!({"text": rule.mend});
    }
    descriptor
}

fn level(grade: Grade) -> &'static str {
    match grade {
        Grade::Critical => "error",
        Grade::Warning => "warning",
        Grade::Skipped => "note",
        Grade::Ok => "none",
    }
}

fn result(finding: &Finding, rules: &[&Rule]) -> Value {
    let mend = finding
        .mend
        .as_ref()
        .map(|mend| format!(" To mend it: {mend}."))
        .unwrap_or_default();
    let rule = rules.iter().position(|rule| rule.id == finding.rule);
    let own_grade = rule.map(|index| rules[index].grade);
    let grade = if finding.grade == Grade::Skipped {
        own_grade.unwrap_or(Grade::Warning)
    } else {
        finding.grade
    };
    let mut result = json!({
        "ruleId": finding.rule,
        "kind": if finding.grade == Grade::Ok { "pass" } else { "fail" },
        "level": level(grade),
        "message": {"text": format!("{}.{mend}", finding.statement())},
        "locations": [location(finding)],
        "partialFingerprints": {"sampanLint/v1": fingerprint(finding)},
    });
    if let Some(index) = rule {
        result["ruleIndex"] = json!(index);
    }
    if finding.grade == Grade::Skipped {
        let reason = finding.reason.as_deref().unwrap_or_default();
        result["suppressions"] =
            json!([{"kind": "inSource", "status": "accepted", "justification": reason}]);
    }
    result
}

fn location(finding: &Finding) -> Value {
    let place = &finding.place;
    let mut physical = json!({"artifactLocation": {"uri": uri(&place.file)}});
    if let Some(line) = place.line {
        physical["region"] = json!({"startLine": line});
        if let Some(column) = place.column {
            physical["region"]["startColumn"] = json!(column);
        }
    }
    let mut location = json!({"physicalLocation": physical});
    if let Some(object) = &finding.object {
        let path = finding.path.as_deref().unwrap_or_default();
        location["logicalLocations"] = json!([{
            "name": object.name,
            "kind": "object",
            "fullyQualifiedName": format!("{} {object} {path}", object.api_version).trim_end(),
        }]);
    }
    location
}

/// A path as a relative reference (RFC 3986).
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.trim_start_matches("./").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _infallible = write!(uri, "%{byte:02X}");
        }
    }
    if path.starts_with('/') {
        format!("file://{uri}")
    } else {
        uri
    }
}

/// What stays the same when lines move.
pub(super) fn fingerprint(finding: &Finding) -> String {
    let object = finding
        .object
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let path = finding.path.as_deref().unwrap_or_default();
    let text = format!(
        "{}\n{}\n{object}\n{path}\n{}",
        finding.rule, finding.place.file, finding.message
    );
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    hex::encode(&digest.as_ref()[..16])
}
