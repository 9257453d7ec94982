//! Problem matchers against what the runner makes of the same lines.

#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

use sampan_pipeline::github::command::Severity;
use sampan_pipeline::github::matcher::{Matchers, Problem, Search};

fn found(matchers: &Matchers, lines: &str) -> Vec<Problem> {
    let mut search = Search::default();
    search.change(matchers);
    lines
        .lines()
        .filter_map(|line| search.line(line, &|| true))
        .collect()
}

/// Severity, file, line, column and message.
fn shown(problem: &Problem) -> String {
    let annotation = &problem.annotation;
    let number = |number: Option<u32>| number.map_or("-".to_owned(), |number| number.to_string());
    format!(
        "{:?} {} {} {} {}",
        annotation.severity,
        annotation.file.as_deref().unwrap_or("-"),
        number(annotation.line),
        number(annotation.column),
        annotation.message
    )
}

fn check(json: &str, lines: &str, expected: &[&str]) {
    let matchers = Matchers::parse(json).unwrap();
    let found: Vec<String> = found(&matchers, lines).iter().map(shown).collect();
    assert_eq!(found, expected);
}

const COMPACT: &str = r#"{"problemMatcher": [{"owner": "compact", "pattern": [{
    "regexp": "^(.+):\\sline\\s(\\d+),\\scol\\s(\\d+),\\s(Error|Warning|Info)\\s-\\s(.+)\\s\\((.+)\\)$",
    "file": 1, "line": 2, "column": 3, "severity": 4, "message": 5, "code": 6}]}]}"#;

const STYLISH: &str = r#"
{
    "problemMatcher": [
        {
            "owner": "stylish", /* the file stands above */
            "pattern": [
                {
                    // The file.
                    "regexp": "^([^\\s].*)$",
                    "file": 1,
                },
                {
                    "regexp": "^\\s+(\\d+):(\\d+)\\s+(error|warning|info)\\s+(.*)\\s\\s+(.*)$",
                    "line": 1, "column": 2, "severity": 3, "message": 4, "code": 5,
                    "loop": true
                }
            ]
        },
    ]
}"#;

#[test]
fn single_lines_are_found() {
    check(
        COMPACT,
        "bad.js: line 50, col 11, Error - 'x' is not used. (no-unused)\n\
         other text\n\
         \u{1b}[33mbad.js: line 7, col 1, Warning - careful (a)\u{1b}[0m\n\
         bad.js: line 8, col 1, Info - nobody knows this severity (a)",
        &[
            "Error bad.js 50 11 'x' is not used.",
            "Warning bad.js 7 1 careful",
        ],
    );
}

#[test]
fn the_last_pattern_repeats_while_lines_follow_each_other() {
    check(
        STYLISH,
        "one.js\n  1:0   error  Missing \"use strict\"                 strict\n  5:10  warning  'add' is unused    unused\n\n\
         two.js\nbetween\n  2:1  error  belongs to the line before  x\nend",
        &[
            "Error one.js 1 0 Missing \"use strict\"               ",
            "Warning one.js 5 10 'add' is unused  ",
            "Error between 2 1 belongs to the line before",
        ],
    );
}

#[test]
fn several_lines_make_one_problem() {
    let json = r#"{"problemMatcher": [{"owner": "python", "severity": "warning", "pattern": [
        {"regexp": "^\\s*File\\s\\\"(.*)\\\",\\sline\\s(\\d+),\\sin\\s.*$", "file": 1, "line": 2},
        {"regexp": "^\\s*raise\\s.*$"},
        {"regexp": "^(.+)Error:\\s(.+)$", "code": 1, "message": 2}]}]}"#;
    check(
        json,
        "  File \"a.py\", line 3, in f\n    raise Broken\nValueError: no such thing\nValueError: alone\n\
         File \"b.py\", line 4, in g\n  pass\nraise x\nKeyError: not here",
        &["Warning a.py 3 - no such thing"],
    );
}

#[test]
fn expressions_look_around_and_name_projects() {
    // As for C#, where a code must not end in MSB, and files are named from their project.
    let json = r#"{"problemMatcher": [{"owner": "csc", "pattern": [{
        "regexp": "^([^\\s].*)\\((\\d+)(?:,\\d+|,\\d+,\\d+)?\\):\\s+(error|warning)\\s+([a-zA-Z]+(?<!MSB)\\d+):\\s*(.*?)\\s+\\[(.*?)\\]$",
        "file": 1, "line": 2, "severity": 3, "code": 4, "message": 5, "fromPath": 6}]}]}"#;
    let matchers = Matchers::parse(json).unwrap();
    let lines = "Program.cs(10,5): error CS1002: ; expected [/src/App/App.csproj]\n\
                 x.targets(1,1): error MSB4018: not this [/src/App/App.csproj]";
    let found = found(&matchers, lines);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(shown(&found[0]), "Error Program.cs 10 - ; expected");
    assert_eq!(found[0].from_path.as_deref(), Some("/src/App/App.csproj"));
}

#[test]
fn owners_replace_and_take_away_theirs() {
    let named = |owner: &str, severity: &str| {
        let json = format!(
            r#"{{"problemMatcher": [{{"owner": "{owner}", "severity": "{severity}", "pattern": [{{"regexp": "^bad: (.*)$", "message": 1}}]}}]}}"#
        );
        Matchers::parse(&json).unwrap()
    };
    let mut matchers = named("one", "error");
    matchers.add(named("two", "notice")).unwrap();
    assert_eq!(
        found(&matchers, "bad: x")[0].annotation.severity,
        Severity::Notice
    );
    matchers.add(named("ONE", "warning")).unwrap();
    assert_eq!(matchers.owners().collect::<Vec<_>>(), ["ONE", "two"]);
    assert_eq!(
        found(&matchers, "bad: x")[0].annotation.severity,
        Severity::Warning
    );
    let again = Matchers::of_json(matchers.to_json()).unwrap();
    assert_eq!(again.owners().collect::<Vec<_>>(), ["ONE", "two"]);
    matchers.remove("one");
    matchers.remove("TWO");
    assert!(matchers.is_empty());
    assert!(found(&matchers, "bad: x").is_empty());
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let pattern = |pattern: &str| {
        format!(r#"{{"problemMatcher": [{{"owner": "o", "pattern": [{pattern}]}}]}}"#)
    };
    for (json, expected) in [
        (
            "nothing".to_owned(),
            "it is not as files of problem matchers are",
        ),
        (
            r#"{"problemMatcher": [{"pattern": []}]}"#.to_owned(),
            "the problem matcher `` has no owner",
        ),
        (pattern(""), "the problem matcher `o` has no patterns"),
        (
            pattern(r#"{"regexp": "(a)"}"#),
            "the problem matcher `o` has no pattern with `message`",
        ),
        (
            pattern(r#"{"regexp": "(a)", "message": 2}"#),
            "the problem matcher `o` has no group 2 for `message`",
        ),
        (
            pattern(r#"{"regexp": "(a)", "message": 1, "loop": true}"#),
            "the problem matcher `o` may have `loop` only in the last of several patterns",
        ),
        (
            pattern(r#"{"regexp": "(a)", "message": 1}, {"regexp": "(a)", "message": 1}"#),
            "the problem matcher `o` has `message` in several patterns",
        ),
        (
            pattern(r#"{"regexp": "(a", "message": 1}"#),
            "the problem matcher `o` has the pattern `(a`, which cannot be understood",
        ),
    ] {
        let error = Matchers::parse(&json).unwrap_err().to_string();
        assert_eq!(error, expected, "{json}");
    }
}

#[test]
fn hostile_lines_take_no_time() {
    let json = r#"{"problemMatcher": [{"owner": "o", "pattern": [{"regexp": "^(?=(a+)+$)(a|aa)+(?!b)c(.*)$", "message": 3}]}]}"#;
    check(json, &"a".repeat(5_000), &[]);
}

#[test]
fn a_matcher_for_which_lines_are_too_much_looks_at_no_more() {
    let json = r#"{"problemMatcher": [{"owner": "o", "pattern": [{"regexp": "^(?=(.))(a|aa)+(?!b)c\\1$|^bad: (.*)$", "message": 3}]}]}"#;
    let matchers = Matchers::parse(json).unwrap();
    let hostile = "a".repeat(500);
    let lines = |count: usize| format!("{}bad: x", format!("{hostile}\n").repeat(count));
    assert_eq!(found(&matchers, &lines(2)).len(), 1);
    assert_eq!(found(&matchers, &lines(3)).len(), 0);
}

#[test]
fn what_patterns_take_has_limits() {
    let file = |count: usize, pattern: &str| {
        let matchers: Vec<_> = (0..count)
            .map(|number| {
                let patterns = [serde_json::json!({"regexp": pattern, "message": 0})];
                serde_json::json!({"owner": format!("own-{number}"), "pattern": patterns})
            })
            .collect();
        serde_json::json!({"problemMatcher": matchers}).to_string()
    };
    let many = "the job would have more than 200 patterns";
    let error = Matchers::parse(&file(201, "x")).unwrap_err();
    assert_eq!(error.to_string(), many);
    let mut matchers = Matchers::parse(&file(200, "x")).unwrap();
    let more =
        r#"{"problemMatcher": [{"owner": "more", "pattern": [{"regexp": "x", "message": 0}]}]}"#;
    let error = matchers.add(Matchers::parse(more).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), many);
    assert_eq!(matchers.owners().count(), 200);
    // Of the same owners there may be as many again.
    let same = Matchers::parse(&file(200, "y")).unwrap();
    matchers.add(same).unwrap();

    let error = Matchers::parse(&file(1, "(.{250}){9}")).unwrap_err();
    assert!(error.to_string().contains("cannot be understood"));
    let error = Matchers::parse(&file(1, &"(".repeat(100_000))).unwrap_err();
    assert!(error.to_string().len() < 1_000, "{error}");
}

#[test]
fn nothing_is_looked_for_when_nobody_waits_for_it() {
    let mut search = Search::default();
    search.change(&Matchers::parse(COMPACT).unwrap());
    let line = "a.js: line 1, col 2, Error - bad (rule)";
    assert_eq!(search.line(line, &|| false), None);
    assert!(search.line(line, &|| true).is_some());
}
