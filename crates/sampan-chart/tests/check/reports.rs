//! Reports in the forms that others read.

use sampan_chart::check::{Report, Settings, report};

use crate::check_text;

const TEXT: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: a
  annotations: {sampan.dev/lint-ignore: host-ipc=it is <asked> for}
spec:
  hostPID: true
  hostIPC: true
  hostNetwork: true
  containers: []
";

fn sample() -> (Report, Settings) {
    let mut settings = Settings::default();
    settings.only = vec!["host-*".to_owned()];
    (check_text(TEXT, &settings), settings)
}

#[test]
fn sarif() {
    let (sample, settings) = sample();
    insta::assert_json_snapshot!(report::sarif(&sample, &settings, "0.0.0"));
}

#[test]
fn junit() {
    insta::assert_snapshot!(report::junit(&sample().0));
}

#[test]
fn junit_without_findings_has_a_case() {
    let mut settings = Settings::default();
    settings.only = vec!["host-port".to_owned()];
    insta::assert_snapshot!(report::junit(&check_text(TEXT, &settings)));
}

#[test]
fn github() {
    insta::assert_snapshot!(report::github(&sample().0));
}

#[test]
fn gitlab() {
    insta::assert_json_snapshot!(report::gitlab(&sample().0));
}

#[test]
fn json() {
    insta::assert_json_snapshot!(sample().0);
}
