//! Whole pipelines of each dialect, and what is refused, through the public face.

#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

use sampan_model::Hint;
use sampan_pipeline::PipelineError;
use sampan_pipeline::build::{Author, Build, Commit, Instance, Repository};
use sampan_pipeline::dialect::{SourceFile, parse};
use sampan_pipeline::graph::{Dialect, Graph, Stage};

#[path = "dialects/drone.rs"]
mod drone;
#[path = "dialects/drone08.rs"]
mod drone08;
#[path = "dialects/hostile.rs"]
mod hostile;
#[path = "dialects/woodpecker.rs"]
mod woodpecker;

/// A push to a branch.
fn push(branch: &str) -> Build {
    Build {
        number: 7,
        created: 1_600_000_000,
        started: 1_600_000_001,
        link: "https://git.example/team/shop/commit/0123456789abcdef".to_owned(),
        repository: Repository {
            owner: "team".to_owned(),
            name: "shop".to_owned(),
            link: "https://git.example/team/shop".to_owned(),
            clone_url: "https://git.example/team/shop.git".to_owned(),
            default_branch: "master".to_owned(),
            visibility: "public".to_owned(),
            ..Repository::default()
        },
        commit: Commit {
            sha: "0123456789abcdef".to_owned(),
            reference: format!("refs/heads/{branch}"),
            branch: branch.to_owned(),
            message: "Sell tea\n\nAnd coffee.".to_owned(),
            author: Author {
                login: "lin".to_owned(),
                name: "Lin".to_owned(),
                email: "lin@example.org".to_owned(),
                ..Author::default()
            },
            ..Commit::default()
        },
        instance: Instance {
            host: "ci.example".to_owned(),
            version: "1.0.0".to_owned(),
            ..Instance::default()
        },
        ..Build::default()
    }
}

/// The graph without the variables that all steps have.
fn without_common_variables(mut graph: Graph) -> Graph {
    let steps = graph.stages.iter_mut().flat_map(|stage| &mut stage.steps);
    for step in steps {
        step.environment.retain(|name, _| {
            !["CI", "DRONE", "GIT_"]
                .iter()
                .any(|start| name.starts_with(start))
        });
    }
    graph
}

/// Which steps wait for which, and which do not run and why.
fn order(stage: &Stage) -> String {
    let mut lines = vec![format!("{} <- {}", stage.id, stage.needs.join(", "))];
    lines.extend(
        stage
            .verdict
            .against
            .iter()
            .map(|reason| format!("  not: {}", reason.text)),
    );
    for step in &stage.steps {
        lines.push(format!("  {} <- {}", step.name, step.needs.join(", ")));
        let against = &step.verdict.against;
        lines.extend(
            against
                .iter()
                .map(|reason| format!("    not: {}", reason.text)),
        );
    }
    lines.join("\n")
}

fn orders(graph: &Graph) -> String {
    let orders: Vec<_> = graph.stages.iter().map(order).collect();
    orders.join("\n")
}

/// All problems with their hints.
fn problems(result: Result<Graph, PipelineError>) -> String {
    let error = result.unwrap_err();
    let lines: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| match problem.hint() {
            Some(hint) => format!("{problem}\n  hint: {hint}"),
            None => problem.to_string(),
        })
        .collect();
    lines.join("\n")
}

#[test]
fn dialects_are_told_by_place_and_keys() {
    for (path, text, expected) in [
        (".drone.yml", "kind: pipeline", Some(Dialect::Drone)),
        (
            ".drone.yml",
            "a: 1\n---\nkind: secret",
            Some(Dialect::Drone),
        ),
        (
            "ci/build.yml",
            "pipeline: {a: {image: b}}",
            Some(Dialect::Drone08),
        ),
        (".woodpecker.yml", "", Some(Dialect::Woodpecker)),
        (
            ".woodpecker/a.yaml",
            "pipeline: {a: {image: b}}",
            Some(Dialect::Woodpecker),
        ),
        ("ci.yml", "steps: []", Some(Dialect::Woodpecker)),
        (".github/workflows/a.yml", "", Some(Dialect::GitHub)),
        ("ci.yml", "on: push\njobs: {a: {}}", Some(Dialect::GitHub)),
        ("ci.yml", "stages: []", None),
    ] {
        let file = SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(Dialect::of(&file).ok(), expected, "{path}: {text}");
    }
}

#[test]
fn one_file_of_drone_is_a_run() {
    let file = |path: &str, text: &str| SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let old = file(".drone.yml", "pipeline: {a: {image: b}}");
    let new = file(".drone.yml", "kind: pipeline\nsteps: [{name: a, image: b}]");
    let build = push("main");
    for (file, dialect) in [(&old, Dialect::Drone08), (&new, Dialect::Drone)] {
        let graph = parse(std::slice::from_ref(file), &build).unwrap();
        assert_eq!(graph.dialect, dialect);
    }
    assert_eq!(
        problems(parse(&[old, new], &build)),
        ".drone.yml: only workflows of Woodpecker run together"
    );
    assert_eq!(
        problems(parse(&[], &build)),
        ".: there is no pipeline in this folder"
    );
}
