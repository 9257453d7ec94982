//! Rules of the user's own.

use std::fmt::Write as _;

use sampan_chart::check::{Grade, Settings};

use crate::check_text;

fn settings(rules: &str) -> Settings {
    Settings::parse(".sampan-lint.yaml", rules).unwrap()
}

fn refused(rules: &str) -> String {
    let error = Settings::parse("lint.yaml", rules).unwrap_err();
    let source = std::error::Error::source(&error)
        .map(|source| format!(": {source}"))
        .unwrap_or_default();
    format!("{error}{source}")
}

const TEAM: &str = r#"
rules:
  - id: team-label
    grade: critical
    kinds: [Deployment]
    summary: a Deployment says which team it belongs to
    expression: has(object.metadata.labels) && "team" in object.metadata.labels
    at: metadata.labels
    mend: add the label `team`
"#;

#[test]
fn an_expression_judges_objects_of_its_kinds() {
    let text = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: a
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: b
  labels: {team: blue}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
";
    let mut settings = settings(TEAM);
    settings.only = vec!["own".to_owned()];
    let report = check_text(text, &settings);
    let [finding] = report.findings.as_slice() else {
        panic!("{:#?}", report.findings);
    };
    assert_eq!(
        finding.message,
        "a Deployment says which team it belongs to"
    );
    assert_eq!(finding.place.line, Some(4));
    assert_eq!(finding.grade, Grade::Critical);
    assert_eq!(finding.mend.as_deref(), Some("add the label `team`"));
    assert_eq!(report.summary.ok, 1);
}

#[test]
fn an_expression_may_be_about_pods() {
    let mut settings = settings(
        "rules: [{id: own-registry, summary: images come from our registry, \
         expression: 'pod.spec.containers.all(c, c.image.startsWith(\"registry.corp/\"))'}]",
    );
    settings.only = vec!["own-registry".to_owned()];
    let pod = |image: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{{name: a, image: '{image}'}}]}}\n"
        )
    };
    assert_eq!(check_text(&pod("nginx:1"), &settings).summary.warnings, 1);
    assert_eq!(
        check_text(&pod("registry.corp/nginx:1"), &settings)
            .summary
            .warnings,
        0
    );
    let other = check_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
        &settings,
    );
    assert_eq!((other.summary.ok, other.findings.len()), (0, 0));
}

#[test]
fn an_expression_may_hold_regular_ones() {
    let mut settings = settings(
        "rules: [{id: x, summary: y, expression: 'object.metadata.name.matches(\"^[a-c]+$\")'}]",
    );
    settings.only = vec!["x".to_owned()];
    let named = |name: &str| {
        let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");
        check_text(&text, &settings).findings
    };
    assert_eq!(named("abc"), []);
    assert_eq!(named("abd")[0].message, "y");
}

#[test]
fn what_cannot_be_evaluated_is_said() {
    let mut settings =
        settings("rules: [{id: x, summary: y, expression: object.spec.replicas > 1}]");
    settings.only = vec!["x".to_owned()];
    let report = check_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
        &settings,
    );
    assert!(
        report.findings[0].message.contains("cannot be evaluated"),
        "{:?}",
        report.findings
    );
}

#[test]
fn loops_that_would_take_too_long_are_left() {
    let rule = "rules: [{id: x, summary: y, expression: 'object.data.all(a, object.data.all(b, object.data.all(c, a == a)))'}]";
    let mut settings = settings(rule);
    settings.only = vec!["x".to_owned()];
    let mut text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n".to_owned();
    for number in 0..10_000 {
        let _infallible = writeln!(text, "  k{number}: v");
    }
    let report = check_text(&text, &settings);
    assert_eq!(report.findings[0].grade, Grade::Skipped);
    assert!(
        report.findings[0].message.contains("too long"),
        "{:?}",
        report.findings
    );
}

#[test]
fn what_is_no_expression_is_refused_with_its_place() {
    let wrong = refused("rules:\n  - id: x\n    summary: y\n    expression: object.(\n");
    assert!(
        wrong.starts_with("lint.yaml:4:17: the expression of `x` is wrong: "),
        "{wrong}"
    );
    let unknown =
        refused("rules:\n  - id: x\n    summary: y\n    expression: cluster.size() > 1\n");
    assert_eq!(
        unknown,
        "lint.yaml:4:17: the expression of `x` is wrong: it uses `cluster`, which is not known"
    );
    let deep = format!(
        "rules: [{{id: x, summary: y, expression: '{}true{}'}}]",
        "(".repeat(500),
        ")".repeat(500)
    );
    assert!(refused(&deep).contains("is wrong"), "nesting is bounded");
    let long = format!(
        "rules: [{{id: x, summary: y, expression: '{}'}}]",
        "true && ".repeat(600) + "true"
    );
    assert!(refused(&long).contains("at most 4096 are read"));
    let taken = refused("rules: [{id: image-tag, summary: y, expression: 'true'}]");
    assert!(
        taken.contains("there is a rule `image-tag` already"),
        "{taken}"
    );
}
