//! Every rule with manifests that break it and manifests that keep it, and what findings say.

#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sampan_chart::check::{Finding, Grade, Input, Report, Settings, check, rules};

#[path = "check/own.rs"]
mod own;
#[path = "check/places.rs"]
mod places;
#[path = "check/reports.rs"]
mod reports;
#[path = "check/settings.rs"]
mod settings;

const FAMILIES: [(&str, &str); 4] = [
    ("schema", include_str!("check/schema.txt")),
    ("relation", include_str!("check/relation.txt")),
    ("practice", include_str!("check/practice.txt")),
    ("air-gap", include_str!("check/air-gap.txt")),
];

/// Manifests for one rule.
struct Case<'a> {
    rule: &'a str,
    is_good: bool,
    text: &'a str,
}

fn cases(text: &str) -> Vec<Case<'_>> {
    let cases = text
        .split("=== ")
        .filter(|case| !case.is_empty())
        .map(|case| {
            let (head, text) = case.split_once('\n').unwrap();
            let (rule, kind) = head.split_once(": ").unwrap();
            Case {
                rule,
                is_good: kind == "good",
                text,
            }
        });
    cases.collect()
}

fn only(rule: &str) -> Settings {
    let mut settings = Settings::default();
    settings.only = vec![rule.to_owned()];
    settings
}

fn check_text(text: &str, settings: &Settings) -> Report {
    let mut input = Input::new("default");
    input.add_file("a.yaml", text);
    check(vec![input], settings)
}

/// What a rule finds; reading finds what it does whatever rules are chosen.
fn found<'a>(case: &Case<'_>, report: &'a Report) -> Vec<&'a Finding> {
    report
        .findings
        .iter()
        .filter(|finding| finding.rule == case.rule)
        .collect()
}

#[test]
fn every_rule_finds_what_it_is_about_and_nothing_else() {
    for (family, text) in FAMILIES {
        let mut golden = String::new();
        for case in cases(text) {
            let report = check_text(case.text, &only(case.rule));
            let found = found(&case, &report);
            if case.is_good {
                assert!(found.is_empty(), "{}: {found:#?}", case.rule);
                continue;
            }
            assert!(
                !found.is_empty(),
                "{} finds nothing in\n{}",
                case.rule,
                case.text
            );
            let _infallible = writeln!(golden, "{}", case.rule);
            for finding in found {
                let object = finding
                    .object
                    .as_ref()
                    .map_or("-".to_owned(), ToString::to_string);
                let (place, path) = (&finding.place, finding.path.as_deref().unwrap_or("-"));
                let _infallible = writeln!(golden, "  {place} {} {object} [{path}]", finding.grade);
                let mend = finding.mend.as_deref().unwrap_or("-");
                let _infallible = writeln!(golden, "    {}\n    mend: {mend}", finding.message);
            }
        }
        insta::assert_snapshot!(family, golden);
    }
}

#[test]
fn every_rule_is_tried() {
    let tried: BTreeSet<(&str, bool)> = FAMILIES
        .iter()
        .flat_map(|(_, text)| cases(text))
        .map(|case| (case.rule, case.is_good))
        .collect();
    for rule in rules::all()
        .iter()
        .filter(|rule| rule.id != "manifest-rendering")
    {
        for is_good in [true, false] {
            assert!(
                tried.contains(&(&*rule.id, is_good)),
                "no manifests for `{}` (good: {is_good})",
                rule.id
            );
        }
    }
    for (rule, _) in tried {
        assert!(rules::find(rule).is_some(), "there is no rule `{rule}`");
    }
}

#[test]
fn rules_are_explained() {
    for rule in rules::all() {
        let texts = [&rule.summary, &rule.why, &rule.mend];
        assert!(
            texts.iter().all(|text| !text.is_empty()),
            "`{}` leaves something unsaid",
            rule.id
        );
        assert!(rule.grade > Grade::Skipped);
    }
}
