//! `sampan lint` and `sampan images` as people and servers call them.

use std::path::PathBuf;

use sampan_testkit::{Finished, Installation, SourceTree};

const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

fn example() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/guestbook")
}

fn fixtures() -> SourceTree {
    SourceTree::copy_of(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lint"))
}

/// Runs in a folder, so that paths in the output are short.
fn sampan(folder: &std::path::Path, args: &[&str]) -> Finished {
    let installation = Installation::new(SAMPAN);
    Finished::of(installation.sampan(args).current_dir(folder))
}

#[test]
fn a_file_is_checked() {
    let source = fixtures();
    let finished = sampan(source.path(), &["lint", "web.yaml"]).expect_code(1);
    insta::assert_snapshot!(finished.stdout);
}

#[test]
fn only_what_is_wanted_fails() {
    let source = fixtures();
    let args = ["lint", "web.yaml", "--only", "security-*"];
    let _warnings = sampan(source.path(), &args).expect_code(0);
    let _failed = sampan(
        source.path(),
        &[&args[..], &["--fail-on", "warning"]].concat(),
    )
    .expect_code(1);
}

#[test]
fn a_folder_is_searched_and_its_charts_are_rendered() {
    let source = fixtures();
    let report = sampan(
        source.path(),
        &["lint", ".", "-o", "json", "--only", "image-tag"],
    );
    let report: serde_json::Value = serde_json::from_str(&report.stdout).unwrap();
    let places: Vec<String> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let place = &finding["place"];
            format!("{}:{}", place["file"].as_str().unwrap(), place["line"])
        })
        .collect();
    assert_eq!(places, ["./boat/templates/boat.yaml:14", "./web.yaml:22"]);
}

#[test]
fn values_decide_over_a_chart() {
    let source = fixtures();
    let with = |value: &str| {
        sampan(
            source.path(),
            &["lint", "boat", "--set", value, "--only", "image-tag"],
        )
    };
    let _pinned = with("tag=1.2.3").expect_code(0);
    let _moving = with("tag=latest").expect_code(1);
    let broken = with("boom=true").expect_code(1);
    assert!(
        broken.stdout.contains("the chart cannot be rendered"),
        "{}",
        broken.stdout
    );
}

#[test]
fn the_example_is_well_made() {
    let finished = sampan(&example(), &["lint", "."]).expect_code(0);
    insta::assert_snapshot!(finished.stdout);
}

#[test]
fn settings_lie_beside_what_is_checked() {
    let source = fixtures();
    let settings = "ignore: [{rule: image-tag, object: Deployment/web, reason: it is a test}]\nfailOn: warning\n";
    std::fs::write(source.path().join(".sampan-lint.yaml"), settings).unwrap();
    let finished = sampan(
        source.path(),
        &["lint", "web.yaml", "--only", "image-tag", "--all"],
    )
    .expect_code(0);
    assert!(
        finished.stdout.contains("because: it is a test"),
        "{}",
        finished.stdout
    );
    std::fs::write(
        source.path().join(".sampan-lint.yaml"),
        "ignore: [{rule: image-tga, reason: x}]\n",
    )
    .unwrap();
    let refused = sampan(source.path(), &["lint", "web.yaml"]).expect_code(1);
    let _hinted = refused
        .expect_stderr("there is no rule `image-tga`")
        .expect_stderr("did you mean `image-tag`?");
}

#[test]
fn definitions_and_rules_come_from_files() {
    let source = fixtures();
    let args = [
        "lint",
        "boat.yaml",
        "--only",
        "schema",
        "--crd",
        "definition.yaml",
    ];
    let finished = sampan(source.path(), &args).expect_code(1);
    assert!(
        finished.stdout.contains("did you mean `cargo`?"),
        "{}",
        finished.stdout
    );
    let rules = "- {id: own-boat, summary: a boat has a name, expression: object.metadata.name != \"boat\", kinds: [Boat]}\n";
    std::fs::write(source.path().join("rules.yaml"), rules).unwrap();
    let finished = sampan(
        source.path(),
        &[
            "lint",
            "boat.yaml",
            "--rules",
            "rules.yaml",
            "--only",
            "own",
        ],
    )
    .expect_code(0);
    assert!(
        finished.stdout.contains("a boat has a name"),
        "{}",
        finished.stdout
    );
}

#[test]
fn rules_explain_themselves() {
    let source = fixtures();
    let listed = sampan(source.path(), &["lint", "--list-rules", "-o", "json"]).json();
    assert!(listed.as_array().unwrap().len() > 70);
    let finished = sampan(source.path(), &["lint", "--explain", "image-tag"]).expect_code(0);
    assert!(
        finished
            .stdout
            .contains("sampan.dev/lint-ignore: image-tag=REASON"),
        "{}",
        finished.stdout
    );
    let _unknown = sampan(source.path(), &["lint", "--explain", "image-tga"])
        .expect_code(3)
        .expect_stderr("did you mean `image-tag`?");
}

#[test]
fn what_cannot_be_checked_is_refused() {
    let source = fixtures();
    let _absent = sampan(source.path(), &["lint", "absent.yaml"])
        .expect_code(3)
        .expect_stderr("absent.yaml");
    let _old = sampan(
        source.path(),
        &["lint", "web.yaml", "--kubernetes-version", "1.2"],
    )
    .expect_code(1)
    .expect_stderr("hint: give a version from");
    let _none = sampan(source.path(), &["lint"]).expect_code(2);
}

#[test]
fn reports_are_written_for_servers() {
    let source = fixtures();
    let report = |format: &str| {
        sampan(source.path(), &["lint", "web.yaml", "--format", format])
            .expect_code(1)
            .stdout
    };
    assert!(report("sarif").contains("\"version\": \"2.1.0\""));
    assert!(report("junit").starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"));
    assert!(report("github").contains("::error file=web.yaml,line=22,col=19,title=image-tag::"));
    assert!(report("gitlab").contains("\"fingerprint\""));
}

#[test]
fn images_are_listed_with_where_they_stand() {
    let source = fixtures();
    let finished = sampan(source.path(), &["images", "web.yaml", "boat", "--why"]).expect_code(0);
    insta::assert_snapshot!(finished.stdout);
    let certain = sampan(source.path(), &["images", "web.yaml", "--no-guesses"])
        .expect_code(0)
        .stdout;
    assert_eq!(
        certain,
        "example/sidecar:1.0\nexample/sidecar:2.0\nregistry.example/web:latest\n"
    );
}

#[test]
fn images_of_an_app_have_the_tags_of_its_release() {
    let finished = sampan(&example(), &["images", "."]).expect_code(0);
    assert_eq!(
        finished.stdout,
        "guestbook-api:1.0.0\nguestbook-redis:1.0.0\nguestbook-web:1.0.0\n"
    );
}

#[test]
fn the_nearest_settings_above_hold_and_different_ones_are_not_mixed() {
    let source = fixtures();
    let settings = |folder: &str, text: &str| {
        let folder = source.path().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(".sampan-lint.yaml"), text).unwrap();
    };
    let web = std::fs::read_to_string(source.path().join("web.yaml")).unwrap();
    for folder in ["one/deep", "two"] {
        std::fs::create_dir_all(source.path().join(folder)).unwrap();
        std::fs::write(source.path().join(folder).join("web.yaml"), &web).unwrap();
    }
    settings("one", "failOn: critical\nonly: []\n");
    let _wrong = sampan(source.path(), &["lint", "one/deep/web.yaml"])
        .expect_code(1)
        .expect_stderr("only");
    settings("one", "grades: {}\n");
    settings("two", "grades: {}\n");
    let _one = sampan(
        source.path(),
        &["lint", "web.yaml", "one/deep/web.yaml", "--list-rules"],
    )
    .expect_code(0);
    let _mixed = sampan(
        source.path(),
        &["lint", "one/deep/web.yaml", "two/web.yaml"],
    )
    .expect_code(1)
    .expect_stderr("--config FILE");
}
