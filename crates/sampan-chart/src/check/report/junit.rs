//! The XML of `JUnit`, which most servers for continuous integration show.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::check::finding::{Finding, Grade, Report, Summary};

/// One suite for each file with findings, one case for each of them; one case that holds when there are none, for servers
/// take a report without cases for a mistake.
///
/// Source: `junit-10.xsd` of the plugin `xUnit` of Jenkins.
#[must_use]
pub fn junit(report: &Report) -> String {
    let mut suites: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &report.findings {
        suites.entry(&finding.place.file).or_default().push(finding);
    }
    let count = |findings: &[&Finding], skipped: bool| {
        findings
            .iter()
            .filter(|finding| {
                if skipped {
                    finding.grade == Grade::Skipped
                } else {
                    finding.grade > Grade::Skipped
                }
            })
            .count()
    };
    let summary = &report.summary;
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let failures = summary.critical + summary.warnings;
    let _infallible = writeln!(
        text,
        "<testsuites name=\"sampan lint\" tests=\"{}\" failures=\"{failures}\" errors=\"0\">",
        report.findings.len().max(1)
    );
    if report.findings.is_empty() {
        let Summary { objects, files, .. } = summary;
        let _infallible = writeln!(
            text,
            "  <testsuite name=\"sampan lint\" tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"0\">\n    \
             <testcase classname=\"sampan lint\" name=\"{objects} objects in {files} files\"/>\n  </testsuite>"
        );
    }
    for (file, findings) in suites {
        let _infallible = writeln!(
            text,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">",
            escaped(file),
            findings.len(),
            count(&findings, false),
            count(&findings, true)
        );
        for finding in findings {
            case(&mut text, finding);
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn case(text: &mut String, finding: &Finding) {
    let name = finding.object.as_ref().map_or_else(
        || finding.rule.clone(),
        |object| format!("{}: {object}", finding.rule),
    );
    let _infallible = write!(
        text,
        "    <testcase classname=\"{}\" name=\"{}\"",
        escaped(&finding.place.file),
        escaped(&name)
    );
    let (message, place) = (
        escaped(&finding.message),
        escaped(&finding.place.to_string()),
    );
    match finding.grade {
        Grade::Ok => text.push_str("/>\n"),
        Grade::Skipped => {
            let reason = escaped(finding.reason.as_deref().unwrap_or(&finding.message));
            let _infallible = writeln!(
                text,
                ">\n      <skipped message=\"{reason}\"/>\n    </testcase>"
            );
        }
        grade => {
            let mend = escaped(finding.mend.as_deref().unwrap_or_default());
            let _infallible = writeln!(
                text,
                ">\n      <failure type=\"{grade}\" message=\"{message}\">{place}\n{mend}</failure>\n    </testcase>"
            );
        }
    }
}

/// Text within XML; characters that XML cannot hold are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push('\t'),
            other if other < ' ' || matches!(other, '\u{fffe}' | '\u{ffff}') => {}
            other => escaped.push(other),
        }
    }
    escaped
}
