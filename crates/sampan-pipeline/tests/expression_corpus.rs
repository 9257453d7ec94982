//! The table of what GitHub's own evaluator answers, `../shared/corpus/github-expressions`, when it is at hand.
//!
//! `cargo test -p sampan-pipeline --test expression_corpus -- [file-prefix…]` counts per file and shows what differs.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "this is the main program of a test"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sampan_pipeline::expression::{
    EvaluateError, Expression, ParseError, Runtime, Scope, StatusFunctions, Value,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    expr: String,
    #[serde(default)]
    contexts: Value,
    result: Option<Expected>,
    err: Option<Refusal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    kind: String,
    value: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    /// `lexing` or `parsing` before, `evaluation` while it is carried out.
    kind: String,
    value: String,
}

/// The contexts of one case. Each of them is one value, however often it is asked for.
struct Contexts(Value);

impl Runtime for Contexts {
    fn context(&self, name: &str) -> Option<Value> {
        self.0.get(name).cloned()
    }
}

fn main() -> ExitCode {
    // Beside the project, or beside the folder that holds a work tree of it.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/corpus/github-expressions"))
        .find(|folder| folder.is_dir());
    let Some(folder) = folder else {
        println!("skipped: there is no ../shared/corpus/github-expressions");
        return ExitCode::SUCCESS;
    };
    let chosen: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let (mut passed, mut failed) = (0, 0);
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        if !chosen.is_empty() && !chosen.iter().any(|chosen| name.starts_with(chosen)) {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let groups: BTreeMap<String, Vec<Case>> = serde_json::from_str(&text).unwrap();
        let (mut good, mut bad) = (0, 0);
        for (group, cases) in &groups {
            for case in cases {
                match difference(case) {
                    None => good += 1,
                    Some(difference) => {
                        bad += 1;
                        println!("{name}, {group}: {}\n    {difference}", case.expr);
                    }
                }
            }
        }
        println!("{name:24} {good:5} passed {bad:5} failed");
        passed += good;
        failed += bad;
    }
    println!("{:24} {passed:5} passed {failed:5} failed", "all");
    if failed == 0 && (passed > 0 || !chosen.is_empty()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// How the answer differs from the table, if it does.
fn difference(case: &Case) -> Option<String> {
    let names: Vec<&str> = match &case.contexts {
        Value::Object(contexts) => contexts.iter().map(|(name, _)| name).collect(),
        _ => Vec::new(),
    };
    let scope = Scope {
        contexts: &names,
        status: StatusFunctions::Absent,
        hash_files: false,
    };
    let contexts = Contexts(case.contexts.clone());
    let parsed = Expression::parse(&case.expr, &scope);
    let answer = parsed
        .map_err(|error| ("parsing", original_parse_message(&error), error.to_string()))
        .and_then(|expression| {
            expression
                .evaluate(&contexts)
                .map_err(|error| ("evaluation", original_message(&error), error.to_string()))
        });
    match (answer, &case.result, &case.err) {
        (Ok(value), Some(expected), None) => {
            let as_expected = value.type_name() == expected.kind && same(&value, &expected.value);
            (!as_expected).then(|| {
                format!(
                    "expected {}, found {}",
                    expected.value.to_json(),
                    value.to_json()
                )
            })
        }
        (Err((stage, message, own)), None, Some(refusal)) => {
            let before = stage == "parsing";
            let as_expected = before == (refusal.kind != "evaluation")
                && if refusal.value.ends_with(": ") {
                    message.starts_with(&refusal.value)
                } else {
                    message == refusal.value
                };
            (!as_expected).then(|| {
                format!(
                    "expected the error `{}`, found `{message}` ({own})",
                    refusal.value
                )
            })
        }
        (Ok(value), ..) => Some(format!("expected an error, found {}", value.to_json())),
        (Err((_, _, own)), ..) => Some(format!("expected a value, found the error `{own}`")),
    }
}

/// Whether two values are written the same way, which for numbers is more than 15 digits can tell.
fn same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(found), Value::Number(expected)) => (found - expected).abs() == 0.0,
        _ => found.to_json() == expected.to_json(),
    }
}

/// What GitHub says of an expression that cannot be read.
fn original_parse_message(error: &ParseError) -> String {
    let (problem, token, position, expression) = match error {
        ParseError::UnexpectedSymbol {
            token,
            position,
            expression,
        } => ("Unexpected symbol", token, position, expression),
        ParseError::UnexpectedEnd {
            token,
            position,
            expression,
        } => ("Unexpected end of expression", token, position, expression),
        ParseError::UnknownContext {
            name,
            position,
            expression,
            ..
        } => ("Unrecognized named-value", name, position, expression),
        ParseError::UnknownFunction {
            name,
            position,
            expression,
            ..
        } => ("Unrecognized function", name, position, expression),
        ParseError::TooFewArguments {
            name,
            position,
            expression,
            ..
        } => ("Too few parameters supplied", name, position, expression),
        ParseError::TooManyArguments {
            name,
            position,
            expression,
            ..
        } => ("Too many parameters supplied", name, position, expression),
        ParseError::EvenArguments {
            name,
            position,
            expression,
            ..
        } => (
            "Even number of parameters supplied, requires an odd number of parameters",
            name,
            position,
            expression,
        ),
        other => return other.to_string(),
    };
    format!("{problem}: '{token}'. Located at position {position} within expression: {expression}")
}

/// What GitHub says of an expression that has no value.
fn original_message(error: &EvaluateError) -> String {
    match error {
        EvaluateError::Format { format } => {
            format!("The following format string is invalid: {format}")
        }
        EvaluateError::FormatArgument { format } => format!(
            "The following format string references more arguments than were supplied: {format}"
        ),
        EvaluateError::CaseCondition { .. } => {
            "case predicate must evaluate to a boolean value".to_owned()
        }
        other => other.to_string(),
    }
}
