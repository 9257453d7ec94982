//! What must hold for any pipeline of Drone and Woodpecker: it is read or refused, without panic and the same way twice,
//! and in a graph that was read everything that is waited for exists.
//!
//! The fuzzer calls these functions, and so do the tests of `sampan-pipeline`.

use std::collections::BTreeSet;

use sampan_pipeline::build::{Build, Commit};
use sampan_pipeline::config::Config;
use sampan_pipeline::dialect::SourceFile;
use sampan_pipeline::gate::Changes;
use sampan_pipeline::graph::Graph;
use sampan_pipeline::images::ImagePattern;
use sampan_pipeline::lock::Lock;
use sampan_pipeline::secrets::{SecretValue, Source, parse_file};
use sampan_pipeline::substitution::substitute;
use sampan_pipeline::supplies::actions;
use sampan_pipeline::{PipelineError, drone, drone08, woodpecker};

/// A file of Drone 0.8.
///
/// # Panics
/// When two readings differ, or something that is waited for does not exist.
pub(crate) fn drone08(text: &str) {
    check(|| drone08::parse("x.yml", text, &build()));
}

/// A file of Drone 1.x, with its signature.
///
/// # Panics
/// As [`drone08`].
pub(crate) fn drone(text: &str) {
    check(|| drone::parse("x.yml", text, &build()));
    let key = [7; drone::signature::KEY_BYTES];
    if let Ok(signature) = drone::signature::sign("x.yml", text, &key) {
        let again = drone::signature::sign("x.yml", text, &key);
        assert_eq!(again.ok(), Some(signature));
    }
}

/// A workflow of Woodpecker.
///
/// # Panics
/// As [`drone08`].
pub(crate) fn woodpecker(text: &str) {
    let file = SourceFile {
        path: ".woodpecker.yml".to_owned(),
        text: text.to_owned(),
    };
    check(|| {
        woodpecker::parse(
            std::slice::from_ref(&file),
            woodpecker::Extent::Whole,
            &build(),
        )
    });
}

/// A condition of Woodpecker: the first line is an expression, the second a pattern.
///
/// # Panics
/// As [`drone08`].
pub(crate) fn condition(text: &str) {
    let (expression, pattern) = text.split_once('\n').unwrap_or((text, "*"));
    let when = serde_json::json!({"evaluate": expression, "branch": pattern});
    // The file is read after substitution, so dollars and backslashes are written twice.
    let when = when.to_string().replace('$', "$$").replace('\\', r"\\");
    woodpecker(&format!("steps: {{a: {{image: b}}}}\nwhen: {when}\n"));
}

/// A text with substitutions.
///
/// # Panics
/// When two answers differ.
pub(crate) fn substitution(text: &str) {
    let variable = |name: &str| match name {
        "a" => Some("one two one".to_owned()),
        "b" => Some("1".to_owned()),
        "c" => Some("ä\nö".to_owned()),
        _ => None,
    };
    let first = substitute("x.yml", text, &variable);
    let second = substitute("x.yml", text, &variable);
    assert_eq!(first, second);
}

/// The configuration of an installation: what it says can be asked for.
///
/// # Panics
/// As [`drone08`].
pub(crate) fn config(text: &str) {
    let first = Config::parse("ci.yaml", text);
    assert_eq!(first, Config::parse("ci.yaml", text));
    let Ok(config) = first else {
        return;
    };
    for row in config.images.rows() {
        let written = row.pattern.to_string();
        for image in ["golang:1.21", "gcr.io/a/b@sha256:00", &written, &row.image] {
            drop(config.images.map(image));
        }
    }
    let labels = ["ubuntu-latest".to_owned(), "x".to_owned()];
    let _images = (config.runner(&labels), config.node("node20"));
    for tool in config.toolchains.keys() {
        let _tool = config.toolchain(tool, Some("1.21.x"));
    }
    let _trust = config.trust("team/shop");
    let read = &mut |_: &Source| Ok(SecretValue::from("x"));
    let secrets = config
        .secrets(&build(), read)
        .expect("all values can be read");
    assert!(
        secrets
            .iter()
            .all(|secret| secrets.get(&secret.name).is_some())
    );
}

/// A lock file: what is read is written so that it is read again.
///
/// # Panics
/// When another lock comes back.
pub(crate) fn lock(text: &str) {
    let Ok(lock) = Lock::parse("x.lock", text) else {
        return;
    };
    assert_eq!(Lock::parse("x.lock", &lock.to_text()), Ok(lock.clone()));
    for (name, digest) in lock.images() {
        assert_eq!(lock.image(name), Some(digest));
    }
    for (name, digest) in lock.actions() {
        assert_eq!(lock.action(name), Some(digest));
        assert!(actions::reference(name).is_ok(), "{name}");
    }
}

/// A difference as git writes it, a file with secrets, and names of images and actions.
///
/// # Panics
/// When two readings differ.
pub(crate) fn changes(text: &str) {
    assert_eq!(Changes::of_diff(text), Changes::of_diff(text));
    drop(parse_file("x.env", text));
    drop(actions::reference(text));
    let name = text.lines().next().unwrap_or_default();
    if let Ok(pattern) = ImagePattern::parse(name) {
        assert_eq!(
            ImagePattern::parse(&pattern.to_string()),
            Ok(pattern.clone())
        );
        for image in text.lines() {
            let _is_meant = pattern.matches(image);
        }
    }
}

fn build() -> Build {
    Build {
        commit: Commit {
            branch: "main".to_owned(),
            reference: "refs/heads/main".to_owned(),
            message: "A message\nof two lines".to_owned(),
            ..Commit::default()
        },
        ..Build::default()
    }
}

fn check(parse: impl Fn() -> Result<Graph, PipelineError>) {
    let first = parse();
    assert_eq!(first, parse());
    match first {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(graph) => {
            let ids: BTreeSet<_> = graph.stages.iter().map(|stage| &stage.id).collect();
            assert_eq!(ids.len(), graph.stages.len());
            for stage in &graph.stages {
                assert!(stage.needs.iter().all(|need| ids.contains(need)));
                let names: BTreeSet<_> = stage.steps.iter().map(|step| &step.name).collect();
                assert_eq!(names.len(), stage.steps.len());
                let mut needs = stage.steps.iter().flat_map(|step| &step.needs);
                assert!(needs.all(|need| names.contains(need)));
            }
        }
    }
}
