//! The quality gate, through the crate's public face.

use std::fs;
use std::path::Path;

use sampan_pipeline::build::{Build, Commit, Event, PullRequest, Repository};
use sampan_pipeline::gate::{Baseline, BaselineError, Baselines, Before, Changes, Quality, judge};
use sampan_pipeline::results::{Finding, Format, Level, Results};

const RULES: &str = "apiVersion: sampan/v1
kind: App
quality:
  tests: {atLeast: 3}
  coverage: {atLeast: 50%, newLines: 75%, drop: 1%}
  findings:
    critical: {new: 0}
    error: {new: 0, all: 1}
    warning: 5
";

fn rules() -> Quality {
    let rules = Quality::parse("sampan.yaml", RULES).expect("the rules are well");
    rules.expect("there are rules")
}

fn build(branch: &str) -> Build {
    Build {
        number: 7,
        repository: Repository {
            owner: "team".to_owned(),
            name: "shop".to_owned(),
            default_branch: "main".to_owned(),
            ..Repository::default()
        },
        commit: Commit {
            sha: "0123".to_owned(),
            branch: branch.to_owned(),
            reference: format!("refs/heads/{branch}"),
            ..Commit::default()
        },
        ..Build::default()
    }
}

fn finding(level: Level, message: &str, line: u32) -> Finding {
    Finding {
        tool: "scan".to_owned(),
        rule: "R1".to_owned(),
        level,
        message: message.to_owned(),
        file: Some("src/a.rs".to_owned()),
        line: Some(line),
        column: None,
        end_line: None,
        end_column: None,
    }
}

/// Results with these findings, three tests of which one is skipped, and lines 1 to 10 of which the first `run` were run.
fn results(findings: Vec<Finding>, run: u32) -> Results {
    let tests = r#"<testsuite><testcase classname="A" name="a"/><testcase name="b"/><testcase name="c"/><testcase name="d"><skipped/></testcase></testsuite>"#;
    let mut results = Results::read(Format::JUnit, tests.as_bytes()).expect("it is a report");
    let lines = (1..=10).map(|line| format!("DA:{line},{}", u32::from(line <= run)));
    let lines: Vec<String> = lines.collect();
    let coverage = format!(
        "TN:\nSF:/drone/src/src/a.rs\n{}\nend_of_record\n",
        lines.join("\n")
    );
    results.add(Results::read(Format::Lcov, coverage.as_bytes()).expect("it is a report"));
    results.findings = findings;
    results
}

const DIFF: &str = "diff --git a/src/a.rs b/src/a.rs
--- a/src/a.rs
+++ b/src/a.rs
@@ -1,2 +3,2 @@ fn x
--- a/looks/like/a/header
-x
+++ b/looks/like/a/header
+y
@@ -9 +9,0 @@
-gone
@@ -10,0 +8,3 @@
+a
+b
+c
diff --git a/gone b/gone
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
-x
";

#[test]
fn all_that_is_wrong_is_said_with_reasons() {
    let mut then = results(vec![finding(Level::Error, "old, 17 bytes", 3)], 8);
    then.findings.push(finding(Level::Warning, "w", 1));
    let baseline = Baseline::new(&then, &build("main"));
    let mut now = results(
        vec![
            // The same as before on another line, with another number in it.
            finding(Level::Error, "old, 2048 bytes", 30),
            finding(Level::Error, "old, 2 bytes", 31),
            finding(Level::Critical, "hole\nin full", 5),
        ],
        4,
    );
    let failed = r#"<testsuite><testcase classname="B" name="bad"><failure message="1 != 2
more"/></testcase></testsuite>"#;
    now.add(Results::read(Format::JUnit, failed.as_bytes()).expect("it is a report"));
    let changes = Changes::of_diff(DIFF);
    let before = Before {
        baseline: Some(&baseline),
        changes: Some(&changes),
    };
    let judgement = judge(&rules(), &now, before);
    assert!(!judgement.passed);
    insta::assert_snapshot!(judgement.to_string());
    insta::assert_json_snapshot!(judgement.measures[1]);
    let same = judge(&rules(), &then, before);
    assert!(
        same.measures
            .iter()
            .all(|measure| measure.holds || measure.name.contains("lines"))
    );
}

#[test]
fn the_first_run_is_compared_with_nothing() {
    let now = results(vec![finding(Level::Critical, "hole", 5)], 5);
    let judgement = judge(&rules(), &now, Before::default());
    insta::assert_snapshot!(judgement.to_string());
    assert!(judgement.passed);
}

#[test]
fn reports_that_are_missing_are_no_success() {
    let judgement = judge(&rules(), &Results::default(), Before::default());
    let bad = judgement.measures.iter().filter(|measure| !measure.holds);
    insta::assert_debug_snapshot!(
        bad.map(|measure| format!("{}: {}", measure.name, measure.found))
            .collect::<Vec<_>>()
    );
}

#[test]
fn nothing_is_rounded_up() {
    let text = RULES.replace("50%", "40.01%");
    let rules = Quality::parse("sampan.yaml", &text).expect("the rules are well");
    let now = results(Vec::new(), 4);
    let judgement = judge(&rules.expect("there are rules"), &now, Before::default());
    let coverage = &judgement.measures[2];
    assert_eq!(
        (coverage.holds, coverage.found.as_str()),
        (false, "40.00% (4 of 10)")
    );
}

#[test]
fn names_in_quotes_are_read() {
    let diff = "+++ \"b/src/\\303\\244 \\\"x\\\".rs\"\n@@ -0,0 +1 @@\n+x\n";
    let changes = Changes::of_diff(diff);
    let coverage = "SF:src/ä \"x\".rs\nDA:1,0\nDA:2,1\nend_of_record\n";
    let now = Results::read(Format::Lcov, coverage.as_bytes()).expect("it is a report");
    let before = Before {
        changes: Some(&changes),
        ..Before::default()
    };
    let judgement = judge(&rules(), &now, before);
    let lines = judgement
        .measures
        .iter()
        .find(|measure| measure.name.contains("lines"));
    assert_eq!(
        lines.map(|lines| lines.found.as_str()),
        Some("0.00% (0 of 1)")
    );
    // What is no diff, or claims too much, is passed over.
    for text in [
        "",
        "@@",
        "+++ b/x\n@@ -1 +4294967295,2 @@\n",
        "+++ \"b/\\1\"\n@@ -1 +1 @@\n+",
    ] {
        assert_eq!(Changes::of_diff(text), Changes::default(), "{text}");
    }
}

#[test]
fn baselines_are_kept_by_branch() {
    let data = tempfile::tempdir().expect("a folder can be made");
    let baselines = Baselines::new(data.path());
    assert_eq!(
        baselines.find(&build("main")).expect("it can be read"),
        None
    );
    let keep = |branch: &str, run| {
        let baseline = Baseline::new(&results(Vec::new(), run), &build(branch));
        baselines
            .write("team/shop", &baseline)
            .expect("it can be written");
        baseline
    };
    let main = keep("main", 3);
    let odd = keep("../feature/ä", 4);
    let long = keep(&"x".repeat(500), 5);
    let find = |branch: &str| baselines.find(&build(branch)).expect("it can be read");
    assert_eq!(find("other"), Some(main.clone()));
    assert_eq!(find("../feature/ä"), Some(odd));
    assert_eq!(find(&"x".repeat(500)), Some(long));
    let again = keep("main", 9);
    assert_eq!(find("main"), Some(again));
    let mut names = Vec::new();
    let folder = data.path().join("ci/baselines/team%2Fshop");
    for entry in fs::read_dir(&folder).expect("the folder is there") {
        names.push(
            entry
                .expect("it can be read")
                .file_name()
                .into_string()
                .expect("it is text"),
        );
    }
    names.sort();
    assert_eq!(names.len(), 3, "nothing else is left: {names:?}");
    assert!(
        names.contains(&"%2E.%2Ffeature%2F%C3%A4.json".to_owned()),
        "{names:?}"
    );
}

#[test]
fn baselines_that_are_none_are_refused() {
    let data = tempfile::tempdir().expect("a folder can be made");
    let folder = data.path().join("ci/baselines/team%2Fshop");
    fs::create_dir_all(&folder).expect("a folder can be made");
    let file = folder.join("main.json");
    let read = |text: &str| {
        fs::write(Path::new(&file), text).expect("a file can be written");
        Baselines::new(data.path())
            .find(&build("main"))
            .expect_err(text)
    };
    assert!(matches!(read("{"), BaselineError::Malformed { .. }));
    let other = r#"{"version":2,"branch":"a","commit":"b","run":1,"coverage":null,"findings":{}}"#;
    assert!(matches!(read(other), BaselineError::Unknown { .. }));
}

#[test]
fn requests_and_tags_leave_no_baseline() {
    assert!(Baselines::is_kept(&build("main")));
    let request = Build {
        event: Event::PullRequest,
        pull_request: Some(PullRequest::default()),
        ..build("main")
    };
    assert!(!Baselines::is_kept(&request));
    let mut tag = build("main");
    tag.commit.reference = "refs/tags/v1".to_owned();
    assert!(!Baselines::is_kept(&tag));
}
