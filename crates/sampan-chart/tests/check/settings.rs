//! What `.sampan-lint.yaml` and annotations can say.

use sampan_chart::check::{Grade, Settings};
use sampan_model::Hint as _;

use crate::{check_text, only};

const POD: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: a
  annotations:
    sampan.dev/lint-ignore: |
      host-network=it serves the machine itself
spec:
  hostNetwork: true
  hostPID: true
  containers:
    - name: a
      envFrom: [{secretRef: {name: registry-eu}}]
      env: [{name: A, valueFrom: {secretKeyRef: {name: registry-eu, key: user}}}]
";

#[test]
fn an_annotation_with_a_reason_leaves_a_rule_out() {
    let report = check_text(POD, &only("host-network"));
    assert_eq!(report.findings[0].grade, Grade::Skipped);
    assert_eq!(
        report.findings[0].reason.as_deref(),
        Some("it serves the machine itself")
    );
    assert_eq!(check_text(POD, &only("host-pid")).summary.critical, 1);
}

#[test]
fn settings_leave_rules_out_for_some_objects() {
    let text = "ignore: [{rule: host-*, object: Pod/a, reason: it looks at the machine}]\ngrades: {host-pid: warning}";
    let mut settings = Settings::parse("x", text).unwrap();
    settings.only = vec!["host-pid".to_owned()];
    assert_eq!(check_text(POD, &settings).summary.skipped, 1);
    let other = POD.replace("name: a\n  ann", "name: b\n  ann");
    let report = check_text(&other, &settings);
    assert_eq!((report.summary.warnings, report.summary.critical), (1, 0));
}

#[test]
fn what_others_make_is_declared() {
    let declared = |keys: &str| {
        let text = format!("external: [{{kind: Secret, name: registry-*{keys}}}]");
        let mut settings = Settings::parse("x", &text).unwrap();
        settings.only = vec!["reference-secret".to_owned(), "reference-key".to_owned()];
        check_text(POD, &settings).summary.critical
    };
    assert_eq!(
        check_text(POD, &only("reference-secret")).summary.critical,
        2
    );
    assert_eq!(declared(""), 0);
    assert_eq!(declared(", namespace: other"), 2);
}

#[test]
fn a_host_of_the_site_is_allowed() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: 'https://git.corp.example/x'}\n";
    let mut settings = Settings::parse("x", "hosts: ['*.corp.example']\n").unwrap();
    settings.only = vec!["air-gap-host".to_owned()];
    assert_eq!(check_text(text, &settings).summary.warnings, 0);
    assert_eq!(check_text(text, &only("air-gap-host")).summary.warnings, 1);
}

#[test]
fn rules_and_groups_are_switched() {
    let judged = |text: &str| {
        let settings = Settings::parse("x", text).unwrap();
        let report = check_text(POD, &settings);
        let mut rules: Vec<_> = report
            .findings
            .iter()
            .map(|finding| finding.rule.clone())
            .collect();
        rules.dedup();
        rules
    };
    let usual = judged("");
    assert!(
        usual.contains(&"host-pid".to_owned()) && !usual.contains(&"resource-cpu-limit".to_owned())
    );
    assert!(judged("enable: [resource-cpu-limit]").contains(&"resource-cpu-limit".to_owned()));
    let without = judged("disable: [{rule: practice, reason: it is a test}]");
    assert!(
        without.iter().all(|rule| rule.starts_with("reference")),
        "{without:?}"
    );
}

#[test]
fn mistakes_are_named_with_their_places() {
    let refused = |text: &str| {
        let error = Settings::parse("lint.yaml", text).unwrap_err();
        format!("{error}; {}", error.hint().unwrap_or_default())
    };
    let mistakes = [
        "ignor: []",
        "ignore:\n  - {rule: host-pid}",
        "disable:\n  - {rule: host-pit, reason: x}",
        "enable: [resorce-cpu-limit]",
        "grades: {host-pid: fatal}",
        "failOn: ok",
        "external: Secret",
        "kubernetesVersion: 1.x",
        "rules: [{id: x}]",
        "- a",
    ];
    let answers: Vec<String> = mistakes
        .iter()
        .map(|text| format!("{text:?}\n  {}", refused(text)))
        .collect();
    insta::assert_snapshot!(answers.join("\n"));
}
