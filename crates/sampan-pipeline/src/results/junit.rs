//! `JUnit`: the reports of tests that nearly all languages can write.

use std::time::Duration;

use super::xml::{Document, Element, Found};
use super::{Format, Outcome, ResultsError, TestCase, check_count, message};

/// An element that has begun.
enum Open {
    Suite,
    Case(Box<TestCase>),
    /// `failure`, `error` or `skipped` of a test, with what stands in it.
    Outcome(Outcome, String),
    /// What tells nothing of how a test ended.
    Other,
}

pub(super) fn read(text: &str) -> Result<Vec<TestCase>, ResultsError> {
    let mut document = Document::new(text, Format::JUnit);
    let mut open: Vec<Open> = Vec::new();
    let mut suites: Vec<String> = Vec::new();
    let mut tests = Vec::new();
    while let Some(found) = document.next()? {
        match found {
            Found::Open(element) => {
                if open.is_empty() && !matches!(&*element.name, "testsuites" | "testsuite") {
                    return Err(document.wrong_root(&element));
                }
                let next = begin(&element, open.last(), &suites);
                if matches!(next, Open::Suite) {
                    suites.push(element.text("name"));
                }
                open.push(next);
            }
            Found::Text(text) => {
                if let Some(Open::Outcome(_, details)) = open.last_mut() {
                    details.push_str(&text);
                }
            }
            Found::Close => match open.pop() {
                Some(Open::Suite) => drop(suites.pop()),
                Some(Open::Case(case)) => {
                    tests.push(*case);
                    check_count(Format::JUnit, tests.len())?;
                }
                Some(Open::Outcome(outcome, details)) => {
                    if let Some(Open::Case(case)) = open.last_mut() {
                        end(case, outcome, &details);
                    }
                }
                Some(Open::Other) | None => {}
            },
        }
    }
    Ok(tests)
}

fn begin(element: &Element, within: Option<&Open>, suites: &[String]) -> Open {
    let short = || message(&element.text("message"));
    match (&*element.name, within) {
        ("testsuite", _) => Open::Suite,
        ("testcase", Some(Open::Suite)) => Open::Case(Box::new(TestCase {
            suites: suites
                .iter()
                .filter(|name| !name.is_empty())
                .cloned()
                .collect(),
            class: element.text("classname"),
            name: element.text("name"),
            file: element.get("file").map(str::to_owned),
            duration: duration(element.get("time").unwrap_or_default()),
            outcome: Outcome::Passed,
        })),
        ("failure", Some(Open::Case(_))) => {
            let outcome = Outcome::Failed {
                message: short(),
                details: String::new(),
            };
            Open::Outcome(outcome, String::new())
        }
        ("error", Some(Open::Case(_))) => {
            let outcome = Outcome::Broken {
                message: short(),
                details: String::new(),
            };
            Open::Outcome(outcome, String::new())
        }
        ("skipped", Some(Open::Case(_))) => {
            Open::Outcome(Outcome::Skipped { message: short() }, String::new())
        }
        _ => Open::Other,
    }
}

/// Notes how a test ended. A test with several is as bad as the first bad one.
fn end(case: &mut TestCase, mut outcome: Outcome, text: &str) {
    if case.outcome.is_bad() {
        return;
    }
    let full = message(text);
    match &mut outcome {
        Outcome::Failed { message, details } | Outcome::Broken { message, details } => {
            if message.is_empty() {
                full.lines().next().unwrap_or_default().clone_into(message);
            }
            *details = full;
        }
        Outcome::Skipped { message } if message.is_empty() => *message = full,
        Outcome::Skipped { .. } | Outcome::Passed => {}
    }
    case.outcome = outcome;
}

/// Seconds with a fraction; some tools group digits by commas.
fn duration(text: &str) -> Duration {
    let seconds = text.replace(',', "").trim().parse().unwrap_or(0.0);
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
