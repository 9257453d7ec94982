//! Files with results of tests and tools, in the formats of the field.

use std::fmt::Write as _;

use sampan_model::Causes;
use sampan_pipeline::results::{Format, LIMIT_BYTES, LIMIT_MESSAGE, Outcome, Results};

#[path = "../../../fuzz/results.rs"]
mod fuzz;

const JUNIT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE testsuites [<!ENTITY own "x"><!ENTITY file SYSTEM "file:///etc/passwd">]>
<testsuites name="all">
  <testsuite name="unit" tests="5">
    <properties><property name="a" value="b"/></properties>
    <testcase classname="app.Cart" name="adds &amp; removes" time="0.25" file="cart.py"/>
    <testcase classname="app.Cart" name="is empty" time="1,200.5">
      <failure message="expected &#49; &lt; 2&own;" type="AssertionError">line one
<![CDATA[<raw> & ]]>&file;</failure>
      <system-out>noise <b>x</b></system-out>
    </testcase>
    <testsuite name="inner">
      <testcase name="breaks" time="x"><error type="Panic">panicked at 3
more</error><failure>second</failure></testcase>
      <testcase name="left out"><skipped/></testcase>
      <testcase name="left out too"><skipped message="no network"/></testcase>
    </testsuite>
  </testsuite>
</testsuites>"#;

const LCOV: &str = "TN:unit
SF:src/a.c
FN:1,main
FNDA:2,main
DA:1,2
DA:2,0,checksum
DA:3,-1
BRDA:1,0,0,-
LF:3
LH:1
end_of_record
SF:src/a.c
DA:2,5
end_of_record
";

const COBERTURA: &str = r#"<?xml version="1.0"?>
<coverage line-rate="0.5" version="1.9"><sources><source>/src</source></sources><packages><package name="p">
<classes><class name="A" filename="a.py"><methods><method name="m"><lines><line number="2" hits="3"/></lines></method></methods>
<lines><line number="1" hits="1"/><line number="2" hits="3" branch="true" condition-coverage="50% (1/2)"/><line number="4" hits="0"/></lines></class>
<class name="A.B" filename="a.py"><lines><line number="7" hits="0"/></lines></class></classes></package></packages></coverage>"#;

const GO: &str = "mode: atomic
example.org/a/x.go:3.14,5.2 2 1
example.org/a/x.go:7.1,7.20 1 0
example.org/a/x.go:7.1,7.20 1 4
example.org/a/y z.go:1.1,2.2 3 0
";

const SARIF: &str = r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "scan", "rules": [
  {"id": "R1", "defaultConfiguration": {"level": "note"}},
  {"id": "R2", "properties": {"security-severity": "9.8"}}]},
  "extensions": [{"name": "more", "rules": [{"id": "X1", "defaultConfiguration": {"level": "error"}}]}]},
  "results": [
    {"ruleId": "R1", "message": {"text": "first"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "file:///src/a.c"}, "region": {"startLine": 3, "startColumn": 2, "endLine": 4}}}]},
    {"ruleIndex": 1, "level": "warning", "message": {"text": "by index"}},
    {"ruleId": "X1", "ruleIndex": 0, "message": {"id": "m"}},
    {"rule": {"id": "R9"}, "message": {"text": "unknown rule"}},
    {"ruleId": "R1", "message": {"text": "accepted"}, "suppressions": [{"kind": "inSource"}]},
    {"ruleId": "R1", "message": {"text": "under review"}, "suppressions": [{"kind": "external", "status": "underReview"}]},
    {"ruleId": "R1", "message": {"text": "gone"}, "baselineState": "absent"},
    {"ruleId": "R1", "message": {"text": "passed"}, "kind": "pass"}]},
  {"tool": {"driver": {"name": "did not run"}}, "results": null}]}"#;

const CHECKSTYLE: &str = r#"<?xml version="1.0" encoding="utf-8"?><checkstyle version="8.0">
<file name="A.java"><error line="3" column="5" severity="error" message="No &quot;x&quot;" source="com.Rule"/><error line="9" severity="info" message="b"/></file>
<file name="B.java"></file></checkstyle>"#;

const GOLANGCI: &str = r#"{"Issues":[{"FromLinter":"errcheck","Text":"Error return value is not checked","Severity":"","Pos":{"Filename":"main.go","Offset":10,"Line":4,"Column":2}},{"FromLinter":"gosec","Text":"G101","Severity":"HIGH","Pos":{"Filename":"a.go","Line":1,"Column":0}}],"Report":{"Linters":[{"Name":"errcheck","Enabled":true}]}}
2 issues:
"#;

const CLIPPY: &str = r#"{"reason":"compiler-artifact","package_id":"a","target":{"name":"a"}}
    Checking a v0.1.0
{"reason":"compiler-message","message":{"message":"needless borrow","code":{"code":"clippy::needless_borrow","explanation":null},"level":"warning","spans":[{"file_name":"src/x.rs","line_start":1,"line_end":1,"column_start":1,"column_end":2,"is_primary":false},{"file_name":"src/lib.rs","line_start":5,"line_end":5,"column_start":9,"column_end":12,"is_primary":true}],"children":[]}}
{"reason":"compiler-message","message":{"message":"needless borrow","code":{"code":"clippy::needless_borrow"},"level":"warning","spans":[{"file_name":"src/lib.rs","line_start":5,"line_end":5,"column_start":9,"column_end":12,"is_primary":true}]}}
{"reason":"compiler-message","message":{"message":"1 warning emitted","code":null,"level":"warning","spans":[]}}
{"reason":"build-finished","success":true}
"#;

const FILES: [(Format, &str); 8] = [
    (Format::JUnit, JUNIT),
    (Format::Lcov, LCOV),
    (Format::Cobertura, COBERTURA),
    (Format::GoCoverage, GO),
    (Format::Sarif, SARIF),
    (Format::Checkstyle, CHECKSTYLE),
    (Format::GolangciLint, GOLANGCI),
    (Format::Clippy, CLIPPY),
];

#[test]
fn files_of_all_formats_are_read() {
    let mut all = Results::default();
    for (format, text) in FILES {
        assert_eq!(Format::of(text.as_bytes()), Some(format));
        let results = Results::read(format, text.as_bytes()).expect("it is right");
        all.add(results);
    }
    insta::assert_debug_snapshot!(all);
    assert_eq!(all.coverage.covered(), (7, 13));
    let bad = all.tests.iter().filter(|test| test.outcome.is_bad());
    assert_eq!(bad.count(), 2);
}

#[test]
fn coverage_adds_up() {
    let read = |text: &str| Results::read(Format::Lcov, text.as_bytes()).expect("lcov");
    let mut results = read("SF:a\nDA:1,0\nDA:2,1\n");
    assert_eq!(results.coverage.ratio(), Some(0.5));
    results.add(read("SF:a\nDA:1,3\nend_of_record\nSF:b\nDA:1,0\n"));
    assert_eq!(results.coverage.covered(), (2, 3));
    assert_eq!(Results::default().coverage.ratio(), None);
}

#[test]
fn what_is_none_of_a_format_is_refused() {
    let deep = format!("<testsuites>{}", "<testsuite>".repeat(100));
    let nested = format!("{{\"runs\": {}", "[".repeat(10_000));
    let mut report = String::new();
    for (format, text) in [
        (Format::JUnit, "<html></html>"),
        (Format::JUnit, "<testsuite><testcase name='a'>"),
        (Format::JUnit, "<testsuite></other>"),
        (Format::JUnit, &deep),
        (Format::JUnit, "{}"),
        (Format::Checkstyle, "<testsuites/>"),
        (Format::Cobertura, "<coverage a=b/>"),
        (Format::Lcov, "DA:1,2\n"),
        (Format::Lcov, "SF:a\nDA:1\n"),
        (Format::Lcov, "SF:a\nwhat is this\n"),
        (Format::GoCoverage, "mode: set\na.go:1.2,3 1 1\n"),
        (Format::GoCoverage, "mode: set\na.go:1.1,4000000000.1 1 1\n"),
        (Format::Sarif, "{\"runs\": [{}]}"),
        (Format::Sarif, &nested),
        (Format::GolangciLint, "{\"Issues\": 3}"),
        (Format::Clippy, "{\"reason\": \n"),
    ] {
        let shown: String = text.chars().take(60).collect();
        writeln!(report, "{}: {shown:?}", format.name()).ok();
        match Results::read(format, text.as_bytes()) {
            Ok(results) => writeln!(report, "    {results:?}").ok(),
            Err(error) => writeln!(report, "    {}", Causes(&error)).ok(),
        };
    }
    insta::assert_snapshot!(report);
    let signs = format!("<testsuite name='{}'/>", "&".repeat(1 << 20));
    assert!(
        Results::read(Format::JUnit, signs.as_bytes())
            .is_ok_and(|results| results.tests.is_empty())
    );
    let large = vec![b' '; LIMIT_BYTES + 1];
    assert!(Results::read(Format::Lcov, &large).is_err());
    assert_eq!(Format::of(b"plain text"), None);
}

#[test]
fn long_messages_are_cut() {
    let text = format!(
        "<testsuite><testcase><failure>{}</failure></testcase></testsuite>",
        "x".repeat(2 * LIMIT_MESSAGE)
    );
    let results = Results::read(Format::JUnit, text.as_bytes()).expect("JUnit");
    let Outcome::Failed { details, .. } = &results.tests[0].outcome else {
        panic!("the test has failed");
    };
    assert_eq!(details.chars().count(), LIMIT_MESSAGE + 1);
}

#[test]
fn any_file_is_read_or_refused() {
    let mut state: u64 = 0x1234_5678_9abc_def1;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap_or(0) % below.max(1)
    };
    for round in 0..2_000 {
        let mut bytes = FILES[round % FILES.len()].1.as_bytes().to_vec();
        for _ in 0..=random(6) {
            let at = random(bytes.len());
            match random(3) {
                0 => drop(bytes.remove(at)),
                1 => bytes[at] = b"<>/\"'{}[]:,.&;0-9\xff"[random(18)],
                _ => {
                    let from = random(bytes.len());
                    let part = bytes[from..(from + 60).min(bytes.len())].to_vec();
                    bytes.splice(at..at, part);
                }
            }
        }
        fuzz::results(&bytes);
    }
}
