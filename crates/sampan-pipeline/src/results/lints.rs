//! The JSON of golangci-lint and of clippy.

use serde::Deserialize;

use super::{Finding, Format, Level, ResultsError, check_count, message};

fn json(format: Format) -> impl Fn(serde_json::Error) -> ResultsError {
    move |source| ResultsError::Json {
        format: format.name(),
        source,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Golangci {
    /// Nothing was found when it is null.
    issues: Option<Vec<Issue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Issue {
    #[serde(default)]
    from_linter: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    severity: String,
    #[serde(default)]
    pos: Place,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Place {
    filename: String,
    line: u32,
    column: u32,
}

pub(super) fn golangci(text: &str) -> Result<Vec<Finding>, ResultsError> {
    // Text may follow the JSON, which stands on one line.
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Golangci>();
    let Some(report) = values.next() else {
        return Ok(Vec::new());
    };
    let issues = report
        .map_err(json(Format::GolangciLint))?
        .issues
        .unwrap_or_default();
    check_count(Format::GolangciLint, issues.len())?;
    let given = |number: u32| Some(number).filter(|number| *number > 0);
    Ok(issues
        .into_iter()
        .map(|issue| Finding {
            tool: "golangci-lint".to_owned(),
            rule: issue.from_linter,
            level: match &*issue.severity.to_ascii_lowercase() {
                "critical" | "blocker" => Level::Critical,
                "error" | "major" | "high" => Level::Error,
                "info" | "note" | "low" => Level::Info,
                _ => Level::Warning,
            },
            message: message(&issue.text),
            file: Some(issue.pos.filename).filter(|name| !name.is_empty()),
            line: given(issue.pos.line),
            column: given(issue.pos.column),
            end_line: None,
            end_column: None,
        })
        .collect())
}

#[derive(Deserialize)]
struct Said {
    reason: String,
    message: Option<Diagnostic>,
}

#[derive(Deserialize)]
struct Diagnostic {
    message: String,
    code: Option<Code>,
    level: String,
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: u32,
    line_end: u32,
    column_start: u32,
    column_end: u32,
    is_primary: bool,
}

pub(super) fn clippy(text: &str) -> Result<Vec<Finding>, ResultsError> {
    let mut findings: Vec<Finding> = Vec::new();
    for line in text.lines() {
        // Other programs may write to the same output; what they write is no message.
        if !line.trim_start().starts_with('{') {
            continue;
        }
        let said: Said = serde_json::from_str(line).map_err(json(Format::Clippy))?;
        let Some(diagnostic) = said.message.filter(|_| said.reason == "compiler-message") else {
            continue;
        };
        let Some(span) = diagnostic.spans.iter().find(|span| span.is_primary) else {
            // A sum of what was said before.
            continue;
        };
        let finding = Finding {
            tool: "clippy".to_owned(),
            rule: diagnostic.code.map_or_else(String::new, |code| code.code),
            level: match &*diagnostic.level {
                "error" | "error: internal compiler error" => Level::Error,
                "warning" => Level::Warning,
                _ => Level::Info,
            },
            message: message(&diagnostic.message),
            file: Some(span.file_name.clone()),
            line: Some(span.line_start),
            column: Some(span.column_start),
            end_line: Some(span.line_end),
            end_column: Some(span.column_end),
        };
        // The library and its tests say the same, one after the other or not.
        findings.push(finding);
        check_count(Format::Clippy, findings.len())?;
    }
    let mut seen = std::collections::HashSet::new();
    findings.retain(|finding| {
        seen.insert((
            finding.rule.clone(),
            finding.message.clone(),
            finding.file.clone(),
            finding.line,
            finding.column,
        ))
    });
    Ok(findings)
}
