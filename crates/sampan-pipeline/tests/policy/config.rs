use std::fmt::Write as _;

use sampan_pipeline::config::Config;
use sampan_pipeline::trust::{Right, Trust};

use super::shown;

const CONFIG: &str = r#"
images:
  golang: localhost:7080/ci/golang
  golang:1.21: localhost:7080/ci/golang:1.21.13
  plugins/*: localhost:7080/ci/plugin-*
  plugins/s3: localhost:7080/ci/s3:1
runners:
  ubuntu-*: localhost:7080/ci/runner:22.04
  self-hosted, gpu: localhost:7080/ci/gpu
  self-hosted: localhost:7080/ci/plain
node: {"20": localhost:7080/ci/node:20, "*": localhost:7080/ci/node:16}
toolchains:
  go: {"1.21": localhost:7080/ci/golang:1.21, "1.22.1": {image: localhost:7080/ci/golang:1.22, folder: /usr/local/go}}
  python: localhost:7080/ci/python:3.12
trusted:
  - team/infra
  - {project: team/*, rights: [network]}
vars: {GOPROXY: off, LEVEL: 3}
keep: 5
"#;

fn config() -> Config {
    Config::parse("ci.yaml", CONFIG).expect("the configuration is well")
}

#[test]
fn images_are_found_by_the_most_exact_row() {
    let config = config();
    for (image, expected) in [
        ("golang:1.21", "localhost:7080/ci/golang:1.21.13"),
        (
            "docker.io/library/golang:1.22",
            "localhost:7080/ci/golang:1.22",
        ),
        ("plugins/s3:2", "localhost:7080/ci/s3:1"),
        ("plugins/docker:18", "localhost:7080/ci/plugin-docker:18"),
        ("quay.io/golang", "quay.io/golang"),
    ] {
        assert_eq!(config.images.map(image).image, expected);
    }
    let row = config
        .images
        .map("golang:1.21")
        .row
        .expect("a row is for it");
    assert_eq!(row.location.to_string(), "ci.yaml:4:3");
    assert!(config.images.map("quay.io/golang").row.is_none());
}

#[test]
fn runners_and_tools_are_found() {
    let config = config();
    let runner = |labels: &[&str]| {
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        config.runner(&labels).map(str::to_owned)
    };
    assert_eq!(
        runner(&["ubuntu-latest"]).as_deref(),
        Some("localhost:7080/ci/runner:22.04")
    );
    assert_eq!(
        runner(&["GPU", "Self-Hosted"]).as_deref(),
        Some("localhost:7080/ci/gpu")
    );
    assert_eq!(
        runner(&["self-hosted", "x"]).as_deref(),
        Some("localhost:7080/ci/plain")
    );
    assert_eq!(runner(&["windows-latest"]), None);
    assert_eq!(config.node("node20"), Some("localhost:7080/ci/node:20"));
    assert_eq!(config.node("node16"), Some("localhost:7080/ci/node:16"));
    let go = |version| {
        config
            .toolchain("go", version)
            .map(|tool| tool.image.as_str())
    };
    assert_eq!(go(Some("1.21.x")), Some("localhost:7080/ci/golang:1.21"));
    assert_eq!(go(Some("^1.21.4")), Some("localhost:7080/ci/golang:1.21"));
    assert_eq!(go(Some("1.22")), Some("localhost:7080/ci/golang:1.22"));
    assert_eq!(go(Some("1.2")), None);
    assert_eq!(go(None), Some("localhost:7080/ci/golang:1.21"));
    assert!(config.toolchain("python", Some("2.7")).is_some());
    assert!(config.toolchain("ruby", None).is_none());
}

#[test]
fn projects_are_trusted_as_far_as_it_says() {
    let config = config();
    assert_eq!(config.trust("team/infra"), Trust::FULL);
    assert_eq!(
        config.trust("team/shop"),
        [Right::Network].into_iter().collect()
    );
    assert_eq!(config.trust("other/shop"), Trust::default());
    assert_eq!(Right::ALL.into_iter().collect::<Trust>(), Trust::FULL);
    assert_eq!(config.vars["LEVEL"], "3");
    assert_eq!((config.keep, Config::default().keep), (5, 20));
    assert_eq!(
        Config::parse("ci.yaml", "# nothing\n"),
        Ok(Config::default())
    );
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let mut messages = String::new();
    for text in [
        "imagse: {}",
        "images: {a b: c}",
        "images: {a: 'B:c'}",
        "runners: {a: 'b*'}",
        "runners: {'a,': b}",
        "trusted: [{project: a, rights: [root]}]",
        "trusted: ['']",
        "secrets: {a: {file: x, value: y}}",
        "secrets: {a: {forks: true}}",
        "secrets: {a: {value: hunter2, events: [pul_request]}}",
        "secrets: {a: {value: hunter2, imges: [a]}}",
        "secrets: {a: b, A: c}",
        "secrets: {'a b': c}",
        "secrets: {a: [b]}",
        "node: {image: a, folder: ../x}",
        "keep: 0",
        "a: 1\n---\nb: 1",
        "keep: {",
    ] {
        let error = Config::parse("ci.yaml", text).expect_err(text);
        writeln!(messages, "{text:?}\n{}", shown(&[error])).expect("texts can be written to");
    }
    // Values of secrets are not repeated.
    assert_eq!(messages.matches("hunter2").count(), 2);
    insta::assert_snapshot!(messages);
}
