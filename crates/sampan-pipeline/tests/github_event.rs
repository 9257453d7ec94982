//! Workflows of GitHub as public projects write them: what pull requests tell, and workflows of other repositories.

use std::collections::BTreeMap;

use sampan_pipeline::build::{Build, Commit, Event, PullRequest, Repository};
use sampan_pipeline::github::Workflow;
use sampan_pipeline::github::plan::{self, Plan, Request, Sources};

/// A source tree without workflows that can be called.
struct Nothing;

impl Sources for Nothing {
    fn workflow(&self, _reference: &str) -> Option<(String, String)> {
        None
    }
}

fn build(event: Event) -> Build {
    Build {
        event,
        repository: Repository {
            owner: "octo".to_owned(),
            name: "service".to_owned(),
            ..Repository::default()
        },
        source_branch: "feature".to_owned(),
        commit: Commit {
            branch: "main".to_owned(),
            reference: "refs/heads/main".to_owned(),
            ..Commit::default()
        },
        pull_request: Some(PullRequest {
            number: 7,
            ..PullRequest::default()
        }),
        ..Build::default()
    }
}

fn compile(text: &str, build: &Build) -> Plan {
    let workflow = Workflow::parse("ci.yml", text).expect("the workflow is right");
    let request = Request {
        build,
        vars: &BTreeMap::new(),
        sources: &Nothing,
        needs: &BTreeMap::new(),
    };
    plan::compile(&workflow, &request).expect("the workflow is right")
}

const OWN: &str = "
on: [pull_request, pull_request_target]
run-name: ${{ github.ref }} ${{ github.base_ref }} ${{ github.head_ref }} ${{ github.event.number }}
jobs:
  own:
    if: |
      github.event_name != 'push' &&
        github.event.pull_request.head.repo.full_name == github.repository
    runs-on: ubuntu-latest
    steps: [run: 'true']
";

#[test]
fn pull_requests_tell_where_they_come_from() {
    let mut own = build(Event::PullRequest);
    let plan = compile(OWN, &own);
    let stage = &plan.graph.stages[0];
    assert!(stage.verdict.runs(), "{:?}", stage.verdict);
    let condition = stage.verdict.for_it.last().expect("there is a condition");
    assert_eq!(
        condition.text,
        "the condition `github.event_name != 'push' && \
         github.event.pull_request.head.repo.full_name == github.repository` holds"
    );
    assert_eq!(
        plan.name.now().map(String::as_str),
        Some("refs/pull/7/merge main feature 7")
    );
    let target = compile(OWN, &build(Event::Other("pull_request_target".to_owned())));
    assert!(target.graph.stages[0].verdict.runs());
    assert_eq!(
        target.name.now().map(String::as_str),
        Some("refs/heads/main main feature 7")
    );
    own.pull_request = Some(PullRequest {
        from_fork: true,
        ..PullRequest::default()
    });
    assert!(!compile(OWN, &own).graph.stages[0].verdict.runs());
}

#[test]
fn filters_of_a_manual_start_have_no_meaning() {
    let text = "
on: {workflow_dispatch: {branches: stable*, inputs: {name: {default: a}}}}
jobs: {a: {runs-on: ubuntu-latest, steps: [run: 'true']}}
";
    let plan = compile(text, &build(Event::Manual));
    assert!(plan.graph.stages[0].verdict.runs());
    assert_eq!(
        plan.graph.notes[0].text,
        "`branches` has no meaning for the event `workflow_dispatch`, which runs whatever it says"
    );
}

/// One call of what is not here does not hide the rest of the workflow.
#[test]
fn workflows_of_others_may_be_absent() {
    let text = "
on: push
jobs:
  scan: {uses: octo/shared/.github/workflows/scan.yml@v1}
  each:
    needs: test
    strategy: {matrix: {name: '${{ fromJSON(needs.test.outputs.names) }}'}}
    uses: octo/shared/.github/workflows/scan.yml@v1
  test: {runs-on: ubuntu-latest, steps: [run: 'true']}
";
    let graph = compile(text, &build(Event::Push)).graph;
    let hindrances: Vec<_> = graph
        .stages
        .iter()
        .map(|stage| stage.hindrance.as_ref().map(|hindrance| &*hindrance.what))
        .collect();
    let absent = Some("the workflow `octo/shared/.github/workflows/scan.yml@v1` is not here");
    assert_eq!(hindrances, [absent, absent, None]);
}
