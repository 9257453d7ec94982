//! Findings name files and lines, those of templates too.

use sampan_chart::chart::{Chart, File};
use sampan_chart::check::{Input, Settings, check};
use sampan_chart::compatibility::Compatibility;
use sampan_chart::render::{Options, render};
use sampan_chart::values::Table;

use crate::{check_text, only};

#[test]
fn a_document_that_is_no_yaml_takes_no_other_with_it() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  hostPID: true\n  containers: []\n---\n{\n---\n\
                apiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec:\n  hostPID: true\n  containers: []\n";
    let report = check_text(text, &only("host-pid"));
    let lines: Vec<_> = report
        .findings
        .iter()
        .map(|finding| (finding.rule.as_str(), finding.place.line))
        .collect();
    assert_eq!(
        lines,
        [
            ("host-pid", Some(5)),
            ("manifest-syntax", Some(8)),
            ("host-pid", Some(14))
        ]
    );
}

#[test]
fn json_has_lines_too() {
    let text = "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\",\n\t\"metadata\": {\"name\": \"a\"},\n\t\"spec\": {\n\t\t\"containers\": [],\n\t\t\"hostPID\": true\n\t}\n}\n";
    let report = check_text(text, &only("host-pid"));
    assert_eq!(report.findings[0].place.to_string(), "a.yaml:7:14");
}

#[test]
fn items_of_lists_stand_for_themselves() {
    let text = "apiVersion: v1\nkind: PodList\nitems:\n  - metadata: {name: a}\n    spec: {hostPID: true, containers: []}\n";
    let report = check_text(text, &only("host-pid"));
    assert_eq!(
        report.findings[0].object.as_ref().unwrap().to_string(),
        "Pod a"
    );
    assert_eq!(report.findings[0].path.as_deref(), Some("spec.hostPID"));
}

const DEPLOYMENT: &str = "\
{{- if .Values.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      hostPID: {{ .Values.pid }}
      containers:
        - name: web
          image: \"{{ .Values.image }}\"
          resources:
            {{- toYaml .Values.resources | nindent 12 }}
{{- end }}
";

#[test]
fn findings_in_charts_name_the_line_of_the_template() {
    let file = |name: &str, text: &str| File {
        name: name.to_owned(),
        data: text.as_bytes().into(),
    };
    let files = vec![
        file("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
        file(
            "values.yaml",
            "enabled: true\npid: true\nimage: nginx\nresources: {requests: {memory: lots}}\n",
        ),
        file("templates/web.yaml", DEPLOYMENT),
    ];
    let compatibility = Compatibility::Helm3;
    let chart = Chart::from_files(files, compatibility).unwrap();
    let rendered = render(&chart, &Table::new(), &Options::new("x", compatibility)).unwrap();
    let mut input = Input::new("default");
    input.add_chart("charts/web", &chart, &rendered);
    let mut settings = Settings::default();
    settings.only = ["host-pid", "image-tag", "schema-bad-value"]
        .map(str::to_owned)
        .to_vec();
    let report = check(vec![input], &settings);
    let places: Vec<_> = report
        .findings
        .iter()
        .map(|finding| (finding.place.to_string(), finding.rule.as_str()))
        .collect();
    let expected = [
        ("charts/web/templates/web.yaml:13", "host-pid"),
        ("charts/web/templates/web.yaml:16", "image-tag"),
        ("charts/web/templates/web.yaml:17", "schema-bad-value"),
    ];
    assert_eq!(
        places,
        expected.map(|(place, rule)| (place.to_owned(), rule))
    );
}
