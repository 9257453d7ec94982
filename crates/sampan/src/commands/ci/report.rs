//! What a run has found besides how it ended: annotations, tests, coverage, findings.

use console::style;
use sampan_pipeline::gate::Judgement;
use sampan_pipeline::github::command::{Annotation, Severity};
use sampan_pipeline::results::{self, Level};
use sampan_pipeline::run::Outcome;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::counted;
use crate::failure::{Failure, OrFail as _};

/// As many tests that failed and findings are named; all of them are counted.
const NAMED: usize = 50;

/// What a run has found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Report {
    annotations: Vec<Note>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tests: Option<Tests>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<Coverage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<Findings>,
    /// What the quality gate says, as it says it to programs and to people.
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    quality_lines: Vec<String>,
}

/// What a step said that is shown with the results.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    stage: String,
    step: String,
    severity: String,
    message: String,
    title: Option<String>,
    file: Option<String>,
    line: Option<u32>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Tests {
    passed: usize,
    failed: usize,
    skipped: usize,
    /// The first that failed.
    failures: Vec<Failed>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Failed {
    name: String,
    message: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Coverage {
    covered: u64,
    all: u64,
    ratio: f64,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Findings {
    critical: usize,
    errors: usize,
    warnings: usize,
    infos: usize,
    /// The worst.
    worst: Vec<Found>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Found {
    level: String,
    tool: String,
    rule: String,
    message: String,
    file: Option<String>,
    line: Option<u32>,
}

impl Report {
    /// What files say has secrets masked as what steps say.
    pub(super) fn of(outcome: &Outcome, judgement: Option<&Judgement>) -> Result<Self, Failure> {
        let results = &outcome.results;
        let (covered, all) = results.coverage.covered();
        let annotations = outcome.annotations.iter();
        let report = Self {
            annotations: annotations
                .map(|(stage, step, annotation)| note(stage, step, annotation))
                .collect(),
            tests: (!results.tests.is_empty()).then(|| tests(&results.tests)),
            coverage: results.coverage.ratio().map(|ratio| Coverage {
                covered,
                all,
                ratio,
            }),
            findings: (!results.findings.is_empty()).then(|| findings(&results.findings)),
            quality: judgement.and_then(|judgement| serde_json::to_value(judgement).ok()),
            quality_lines: judgement
                .map(|judgement| judgement.to_string().lines().map(str::to_owned).collect())
                .unwrap_or_default(),
        };
        let mut whole = serde_json::to_value(&report).or_fail("cannot put the report together")?;
        hide(&mut whole, outcome);
        serde_json::from_value(whole).or_fail("cannot put the report together")
    }

    /// For people.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.annotations.iter().map(Note::line).collect();
        if let Some(tests) = &self.tests {
            lines.push(format!(
                "tests: {} passed, {} failed, {} skipped",
                tests.passed, tests.failed, tests.skipped
            ));
            for failed in &tests.failures {
                let message = failed.message.lines().next().unwrap_or_default();
                lines.push(format!("  {} {}: {message}", style("✘").red(), failed.name));
            }
        }
        if let Some(coverage) = &self.coverage {
            lines.push(format!(
                "coverage: {:.1} % ({} of {})",
                coverage.ratio * 100.0,
                coverage.covered,
                coverage.all
            ));
        }
        if let Some(findings) = &self.findings {
            lines.push(format!(
                "findings: {} critical, {}, {}, {}",
                findings.critical,
                counted(findings.errors, "error"),
                counted(findings.warnings, "warning"),
                counted(findings.infos, "info")
            ));
            lines.extend(findings.worst.iter().map(Found::line));
        }
        lines.extend(self.quality_lines.iter().cloned());
        lines
    }
}

/// Masks all texts.
fn hide(value: &mut Value, outcome: &Outcome) {
    match value {
        Value::String(text) => *text = outcome.hide(text),
        Value::Array(values) => values.iter_mut().for_each(|value| hide(value, outcome)),
        Value::Object(values) => values.values_mut().for_each(|value| hide(value, outcome)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Note {
    fn line(&self) -> String {
        let place = place(self.file.as_deref(), self.line);
        let severity = match self.severity.as_str() {
            "error" => style("error:").red().bold(),
            "warning" => style("warning:").yellow().bold(),
            _ => style("notice:").cyan().bold(),
        };
        let title = self.title.as_ref().map(|title| format!("{title}: "));
        format!(
            "{severity} {place}{}{}  {}",
            title.unwrap_or_default(),
            self.message,
            style(format!("{}/{}", self.stage, self.step)).dim()
        )
    }
}

impl Found {
    fn line(&self) -> String {
        let place = place(self.file.as_deref(), self.line);
        let message = self.message.lines().next().unwrap_or_default();
        let rule = style(format!("{} {}", self.tool, self.rule))
            .dim()
            .to_string();
        format!("  {} {place}{message}  {rule}", self.level)
    }
}

fn place(file: Option<&str>, line: Option<u32>) -> String {
    match (file, line) {
        (Some(file), Some(line)) => format!("{file}:{line}: "),
        (Some(file), None) => format!("{file}: "),
        (None, _) => String::new(),
    }
}

fn note(stage: &str, step: &str, annotation: &Annotation) -> Note {
    let severity = match annotation.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    };
    Note {
        stage: stage.to_owned(),
        step: step.to_owned(),
        severity: severity.to_owned(),
        message: annotation.message.clone(),
        title: annotation.title.clone(),
        file: annotation.file.clone(),
        line: annotation.line,
    }
}

fn tests(all: &[results::TestCase]) -> Tests {
    let mut tests = Tests::default();
    for test in all {
        match &test.outcome {
            results::Outcome::Passed => tests.passed += 1,
            results::Outcome::Skipped { .. } => tests.skipped += 1,
            results::Outcome::Failed { message, .. } | results::Outcome::Broken { message, .. } => {
                tests.failed += 1;
                if tests.failures.len() < NAMED {
                    let name = match test.class.as_str() {
                        "" => test.name.clone(),
                        class => format!("{class}.{}", test.name),
                    };
                    tests.failures.push(Failed {
                        name,
                        message: message.clone(),
                    });
                }
            }
        }
    }
    tests
}

fn findings(all: &[results::Finding]) -> Findings {
    let count = |level| all.iter().filter(|finding| finding.level == level).count();
    let mut worst: Vec<_> = all.iter().collect();
    worst.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let named = worst.iter().take(NAMED).map(|finding| Found {
        level: level(finding.level).to_owned(),
        tool: finding.tool.clone(),
        rule: finding.rule.clone(),
        message: finding.message.clone(),
        file: finding.file.clone(),
        line: finding.line,
    });
    Findings {
        critical: count(Level::Critical),
        errors: count(Level::Error),
        warnings: count(Level::Warning),
        infos: count(Level::Info),
        worst: named.collect(),
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
        Level::Critical => "critical",
    }
}
