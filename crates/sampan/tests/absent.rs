//! What is named and not there: one exit code everywhere, and nothing is made for a question.

use std::ffi::OsStr;

use sampan_testkit::{Finished, Installation};

const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

#[test]
fn what_does_not_exist_has_one_exit_code() {
    let site = Installation::new(SAMPAN);
    let chart = site.data().join("shop");
    let chart = chart.to_str().expect("the path is text");
    let _made = site.run(["chart", "create", chart]).expect_code(0);
    for line in [
        "load nothere.tar",
        "image load -i nothere.tar",
        "image import nothere.tar base:1",
        "lint nothere",
        "images nothere",
        "kustomize nothere",
        "build nothere",
        "release create nothere",
        "chart lint nothere",
        "chart template rel nothere",
        "chart package nothere",
    ] {
        let _absent = site.run(line.split(' ')).expect_code(3);
    }
    for values in [["-f", "nothere.yaml"], ["--set-file", "a=nothere.txt"]] {
        let line = ["chart", "template", "rel", chart];
        let _absent = site.run(line.iter().chain(&values)).expect_code(3);
    }
}

#[test]
fn a_question_makes_no_installation() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("none");
    for line in [
        "status",
        "history app",
        "kubeconfig",
        "ps",
        "image ls",
        "image inspect a:1",
        "release ls",
        "registry ls",
        "registry user ls",
        "deploy app@1.0.0 --env prod",
        "rollback app --env prod",
    ] {
        let mut command = std::process::Command::new(SAMPAN);
        let words = line.split(' ').map(OsStr::new);
        command.arg("--data").arg(&data).args(words);
        let _none = Finished::of(&mut command)
            .expect_code(3)
            .expect_stderr("there is no installation in")
            .expect_stderr("--data DIR");
        assert!(!data.exists(), "{line} has made something");
    }
}

#[test]
fn the_usage_in_an_error_shows_no_option_that_may_be_left_out() {
    let mut command = std::process::Command::new(SAMPAN);
    command.env("SAMPAN_DATA", "/nonexistent").arg("deploy");
    let finished = Finished::of(&mut command).expect_code(2);
    let usage = finished
        .stderr
        .lines()
        .find(|line| line.starts_with("Usage:"));
    let usage = usage.expect("the usage is said");
    assert!(!usage.contains("--data"), "{usage}");
}
