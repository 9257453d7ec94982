//! Annotations of GitHub's runners: workflow commands on standard output.

use std::fmt::Write as _;

use crate::check::finding::{Grade, Report};

/// One command a line for each finding that somebody must look at.
///
/// Source: GitHub documentation, "Workflow commands for GitHub Actions".
#[must_use]
pub fn github(report: &Report) -> String {
    let mut text = String::new();
    for finding in report
        .findings
        .iter()
        .filter(|finding| finding.grade > Grade::Skipped)
    {
        let command = if finding.grade == Grade::Critical {
            "error"
        } else {
            "warning"
        };
        let place = &finding.place;
        let mut properties = format!("file={}", property(&place.file));
        if let Some(line) = place.line {
            let _infallible = write!(properties, ",line={line}");
        }
        if let Some(column) = place.column {
            let _infallible = write!(properties, ",col={column}");
        }
        let _infallible = write!(properties, ",title={}", property(&finding.rule));
        let mend = finding
            .mend
            .as_ref()
            .map(|mend| format!("\n{mend}"))
            .unwrap_or_default();
        let message = data(&format!("{}{mend}", finding.statement()));
        let _infallible = writeln!(text, "::{command} {properties}::{message}");
    }
    text
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
