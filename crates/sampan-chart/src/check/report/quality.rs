//! GitLab's code quality reports.

use serde_json::{Value, json};

use super::sarif::fingerprint;
use crate::check::finding::{Grade, Report};

/// One entry for each finding that somebody must look at.
///
/// Source: GitLab documentation, "Code Quality", "Code Quality report format".
#[must_use]
pub fn gitlab(report: &Report) -> Value {
    let wanted = report
        .findings
        .iter()
        .filter(|finding| finding.grade > Grade::Skipped);
    wanted
        .map(|finding| {
            json!({
                "description": finding.statement(),
                "check_name": finding.rule,
                "fingerprint": fingerprint(finding),
                "severity": if finding.grade == Grade::Critical { "critical" } else { "minor" },
                "location": {"path": &*finding.place.file, "lines": {"begin": finding.place.line.unwrap_or(1)}},
            })
        })
        .collect()
}
