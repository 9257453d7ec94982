//! What pipelines may have and do, and what they stand on, through the crate's public face.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use sampan_model::Hint;
use sampan_pipeline::build::{Build, Commit, Event, PullRequest, Repository};
use sampan_pipeline::github::Workflow;
use sampan_pipeline::github::plan::{Plan, Request, Sources, compile};
use sampan_pipeline::graph::{Graph, Stage};
use sampan_pipeline::{drone, drone08};

#[path = "policy/actions.rs"]
mod actions;
#[path = "policy/config.rs"]
mod config;
#[path = "policy/secrets.rs"]
mod secrets;
#[path = "policy/supplies.rs"]
mod supplies;
#[path = "policy/trust.rs"]
mod trust;

/// A push to `main` of `team/shop`.
fn push() -> Build {
    Build {
        number: 7,
        repository: Repository {
            owner: "team".to_owned(),
            name: "shop".to_owned(),
            default_branch: "main".to_owned(),
            ..Repository::default()
        },
        commit: Commit {
            sha: "0123456789abcdef".to_owned(),
            reference: "refs/heads/main".to_owned(),
            branch: "main".to_owned(),
            ..Commit::default()
        },
        ..Build::default()
    }
}

/// A pull request, possibly of another repository.
fn pull_request(from_fork: bool) -> Build {
    Build {
        event: Event::PullRequest,
        pull_request: Some(PullRequest {
            number: 3,
            from_fork,
            ..PullRequest::default()
        }),
        ..push()
    }
}

/// Messages with their hints, one under the other.
fn shown<E: Hint>(errors: &[E]) -> String {
    let lines: Vec<String> = errors
        .iter()
        .map(|error| match error.hint() {
            Some(hint) => format!("{error}\n  hint: {hint}"),
            None => error.to_string(),
        })
        .collect();
    lines.join("\n")
}

fn drone08(text: &str) -> Graph {
    drone08::parse(".drone.yml", text, &push()).expect("the pipeline is well")
}

fn drone(text: &str) -> Graph {
    drone::parse(".drone.yml", text, &push()).expect("the pipeline is well")
}

fn first(graph: &Graph) -> &Stage {
    graph.stages.first().expect("there is a stage")
}

/// Workflows of a source tree by the references that jobs have for them.
struct Tree(BTreeMap<&'static str, &'static str>);

impl Sources for Tree {
    fn workflow(&self, reference: &str) -> Option<(String, String)> {
        let text = self.0.get(reference)?;
        Some((reference.to_owned(), (*text).to_owned()))
    }
}

fn github(text: &str, others: &[(&'static str, &'static str)]) -> Plan {
    let workflow = Workflow::parse(".github/workflows/a.yml", text).expect("the workflow is well");
    let request = Request {
        build: &push(),
        vars: &BTreeMap::new(),
        sources: &Tree(others.iter().copied().collect()),
        needs: &BTreeMap::new(),
    };
    compile(&workflow, &request).expect("the workflow is well")
}
