//! What is told of pipelines without running them.

use sampan_testkit::Installation;

use crate::fixture::{Project, SAMPAN};

const DRONE08: &str = "\
branches: [main, release/*]
matrix:
  GO: ['1.20', '1.21']
pipeline:
  setup:
    image: golang:${GO}
    commands: [go version]
  unit:
    group: tests
    image: golang:${GO}
    commands: [go test ./...]
  lint:
    group: tests
    image: lint
    commands: [lint]
    when: {event: pull_request}
  publish:
    image: plugins/docker
    repo: registry.example/shop
    when: {branch: main}
  slack:
    image: plugins/slack
    channel: builds
    when: {status: [success, failure]}
services:
  database:
    image: postgres:9.6
";

const WORKFLOW: &str = "\
name: Check
on:
  push: {branches: [main], paths: ['src/**']}
  workflow_dispatch:
    inputs: {level: {default: low}}
jobs:
  test:
    runs-on: ubuntu-latest
    strategy: {matrix: {node: [18, 20]}}
    steps:
      - uses: actions/checkout@v4
      - run: npm test
  deploy:
    needs: test
    if: github.ref == 'refs/heads/main'
    runs-on: ubuntu-latest
    steps:
      - run: ./deploy
        if: always()
";

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let site = Installation::new(SAMPAN);
    let project = Project::new(&[
        (
            ".drone.yml",
            "pipeline:\n  test:\n    imag: busybox\n    commands: [true]\n",
        ),
        (
            ".woodpecker.yml",
            "steps:\n  - name: a\n    image: busybox\n    comands: [true]\n",
        ),
        (
            ".github/workflows/check.yml",
            "on: push\njobs:\n  a:\n    runs-on: x\n    needs: b\n    steps: [{run: 'echo ${{ nothing.x }}'}]\n",
        ),
    ]);
    let finished = project.ci(&site, &["lint"]).expect_code(1);
    insta::assert_snapshot!(finished.stdout);
    let named = project.ci(&site, &["lint", ".woodpecker.yml", "-o", "json"]);
    let report: serde_json::Value = serde_json::from_str(&named.stdout).expect("JSON");
    assert_eq!(named.code, Some(1));
    assert_eq!(report["files"], 1);
    assert_eq!(report["problems"][0]["line"], 4);
    assert_eq!(report["problems"][0]["severity"], "error");
    let missing = project.ci(&site, &["lint", "nothing.yml"]).expect_code(3);
    let _said = missing.expect_stderr("there is no file `nothing.yml`");
}

#[test]
fn what_is_right_may_have_warnings() {
    let site = Installation::new(SAMPAN);
    let pipeline = "pipeline:\n  test:\n    image: busybox\n    commands: ['echo ${NOTHING}']\n";
    let project = Project::new(&[(".drone.yml", pipeline)]);
    let finished = project.ci(&site, &["lint"]).expect_code(0);
    insta::assert_snapshot!(finished.stdout);
    let _strict = project.ci(&site, &["lint", "--strict"]).expect_code(1);
    let empty = Project::new(&[("README", "")]);
    let none = empty.ci(&site, &["lint"]).expect_code(3);
    let _hinted = none.expect_stderr(".github/workflows/*.yml");
}

#[test]
fn every_stage_and_step_is_explained() {
    let site = Installation::new(SAMPAN);
    let project = Project::new(&[
        (".drone.yml", DRONE08),
        (".github/workflows/check.yml", WORKFLOW),
        ("src/main.js", ""),
    ]);
    let push = project.ci(&site, &["explain", "--matrix", "GO=1.21"]);
    insta::assert_snapshot!("explain_push", push.stdout());
    let branch = project.ci(&site, &["explain", "--branch", "feature/x"]);
    insta::assert_snapshot!("explain_branch", branch.stdout());
    let request = ["explain", ".drone.yml", "--pull-request", "7"];
    insta::assert_snapshot!("explain_pull_request", project.ci(&site, &request).stdout());
    let json = project
        .ci(&site, &["explain", ".drone.yml", "-o", "json"])
        .json();
    let stages = json["pipelines"][0]["stages"].as_array().expect("stages");
    assert_eq!(stages.len(), 2);
    assert_eq!(stages[0]["runs"], true);
}

#[test]
fn changed_files_decide() {
    let site = Installation::new(SAMPAN);
    let project = Project::new(&[(".github/workflows/check.yml", WORKFLOW), ("src/a", "")]);
    project.write("docs/a", "");
    project.commit("Write about it");
    let docs = project.ci(&site, &["explain"]).stdout();
    assert!(
        docs.contains("no file that has changed is chosen"),
        "{docs}"
    );
    // What is not committed yet has changed as well.
    project.write("src/b", "");
    let both = project.ci(&site, &["explain"]).stdout();
    assert!(both.contains("`src/b` has changed"), "{both}");
    let since = project
        .ci(&site, &["explain", "--since", "HEAD~9"])
        .expect_code(3);
    let _said = since.expect_stderr("there is no revision `HEAD~9`");
}

#[test]
fn graphs_are_drawn() {
    let site = Installation::new(SAMPAN);
    let project = Project::new(&[
        (".drone.yml", DRONE08),
        (".github/workflows/check.yml", WORKFLOW),
    ]);
    insta::assert_snapshot!("graph_text", project.ci(&site, &["graph"]).stdout());
    for format in ["dot", "mermaid"] {
        let drawn = project.ci(&site, &["graph", ".github", "--format", format]);
        insta::assert_snapshot!(format!("graph_{format}"), drawn.stdout());
    }
    let json = project
        .ci(&site, &["graph", ".drone.yml", "-o", "json"])
        .json();
    let graph = &json["pipelines"][0]["graph"];
    assert_eq!(graph["dialect"], "drone08");
    assert_eq!(graph["stages"][0]["matrix"][0][1], "1.20");
}

#[test]
fn a_tree_without_git_has_pipelines_too() {
    let site = Installation::new(SAMPAN);
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join(".drone.yml"), DRONE08).expect("a file");
    let mut command = site.sampan(["ci", "explain", "--branch", "main"]);
    let said = sampan_testkit::Finished::of(command.current_dir(folder.path())).stdout();
    assert!(said.contains("push on main"), "{said}");
}

/// A workflow that cannot be read, and one that calls what is not here, do not hide the others.
#[test]
fn one_file_does_not_hide_the_others() {
    let site = Installation::new(SAMPAN);
    let project = Project::new(&[
        (".github/workflows/check.yml", WORKFLOW),
        (
            ".github/workflows/wrong.yml",
            "on: push\njobs: {a: {runs-on: x, stepz: []}}\n",
        ),
        (
            ".github/workflows/scan.yml",
            "on: push\njobs:\n  scan: {uses: octo/shared/.github/workflows/scan.yml@v1}\n  own: {uses: team/shop/.github/workflows/inner.yml@main}\n",
        ),
        (
            ".github/workflows/inner.yml",
            "on: workflow_call\njobs: {inner: {runs-on: x, steps: [{run: 'true'}]}}\n",
        ),
    ]);
    let explained = project.ci(&site, &["explain"]).expect_code(1);
    let said = &explained.stdout;
    assert!(said.contains("test (18)"), "{said}");
    assert!(said.contains("own / inner"), "{said}");
    assert!(
        said.contains("the workflow `octo/shared/.github/workflows/scan.yml@v1` is not here"),
        "{said}"
    );
    let wrong = &explained.stderr;
    assert!(wrong.contains("wrong.yml:2:"), "{wrong}");
    let checked = project.ci(&site, &["lint", ".github/workflows/scan.yml"]);
    assert_eq!(checked.code, Some(0), "{}", checked.stdout);
    let refused = project.ci(&site, &["run"]).expect_code(3);
    let said = &refused.stderr;
    assert!(
        said.contains("`.github/workflows/wrong.yml` is left out"),
        "{said}"
    );
}
