//! What runs next in pipelines, as things end well and badly.

use std::collections::BTreeMap;

use sampan_pipeline::build::Build;
use sampan_pipeline::github::Workflow;
use sampan_pipeline::github::plan::{Request, Sources, compile};
use sampan_pipeline::graph::Graph;
use sampan_pipeline::plan::{End, Plan, State};
use sampan_pipeline::{drone, drone08};

/// Runs a plan; `ends` names what ends otherwise than well. Gives what began, in rounds, and what was skipped and why.
fn run(mut plan: Plan, names: &[String], ends: &[(&str, End)]) -> String {
    let mut lines = Vec::new();
    loop {
        let begun = plan.next(&mut |_, _| true);
        if begun.is_empty() {
            break;
        }
        let round: Vec<_> = begun.iter().map(|place| names[*place].as_str()).collect();
        lines.push(round.join(" "));
        for place in begun {
            let end = ends.iter().find(|(name, _)| *name == names[place]);
            plan.ended(
                place,
                end.map_or(End::Success, |(_, end)| *end),
                &mut |_, _| true,
            );
        }
    }
    assert!(plan.is_over());
    for (place, name) in names.iter().enumerate() {
        if let State::Skipped(reason) = plan.state(place) {
            lines.push(format!("{name}: {reason}"));
        }
    }
    if plan.has_failed() {
        lines.push("failed".to_owned());
    }
    lines.join("\n")
}

fn run_steps(graph: &Graph, ends: &[(&str, End)]) -> String {
    let stage = &graph.stages[0];
    let names: Vec<_> = stage.steps.iter().map(|step| step.name.clone()).collect();
    run(Plan::of_steps(stage), &names, ends)
}

fn run_stages(graph: &Graph, ends: &[(&str, End)]) -> String {
    let names: Vec<_> = graph.stages.iter().map(|stage| stage.id.clone()).collect();
    run(Plan::of_stages(graph), &names, ends)
}

const FAILURE: End = End::Failure(Some(1));

#[test]
fn steps_follow_the_state_of_their_stage() {
    let text = "\
pipeline:
  a: {image: x}
  b: {image: x, group: g}
  c: {image: x, group: g, when: {event: tag}}
  d: {image: x, group: g}
  e: {image: x, when: {status: [success, failure]}}
  f: {image: x, when: {status: failure}}
";
    let graph = drone08::parse(".drone.yml", text, &Build::default()).unwrap();
    let skipped = "c: the event `push` is none of `tag`";
    assert_eq!(
        run_steps(&graph, &[]),
        format!("clone\na\nb d\ne\n{skipped}\nf: it runs only after a failure, and there is none")
    );
    assert_eq!(
        run_steps(&graph, &[("a", FAILURE)]),
        format!(
            "clone\na\ne\nf\nb: something before it failed\n{skipped}\nd: something before it failed\nfailed"
        )
    );
}

#[test]
fn drone_ends_early_ignores_and_fails_fast() {
    let text = "\
kind: pipeline
steps:
- {name: a, image: x}
- {name: b, image: x, failure: ignore}
- {name: c, image: x, failure: fast}
- {name: d, image: x, when: {status: [failure, success]}}
";
    let graph = drone::parse(".drone.yml", text, &Build::default()).unwrap();
    let early = "a step ended the stage early and well";
    assert_eq!(
        run_steps(&graph, &[("a", End::Failure(Some(78)))]),
        format!("clone\na\nb: {early}\nc: {early}\nd: {early}")
    );
    assert_eq!(run_steps(&graph, &[("b", FAILURE)]), "clone\na\nb\nc\nd");
    assert_eq!(
        run_steps(&graph, &[("c", End::Failure(None))]),
        "clone\na\nb\nc\nd: a step failed after which nothing shall run\nfailed"
    );
}

#[test]
fn stages_look_at_what_they_need() {
    let text = "\
{kind: pipeline, name: a, steps: []}
---
{kind: pipeline, name: b, steps: [], depends_on: [a], trigger: {event: tag}}
---
{kind: pipeline, name: c, steps: [], depends_on: [b]}
---
{kind: pipeline, name: d, steps: []}
---
{kind: pipeline, name: e, steps: [], depends_on: [c, d], trigger: {status: [failure]}}
";
    let graph = drone::parse(".drone.yml", text, &Build::default()).unwrap();
    let skipped = "b: the event `push` is none of `tag`";
    assert_eq!(
        run_stages(&graph, &[]),
        format!("a d\nc\n{skipped}\ne: it runs only after a failure, and there is none")
    );
    // What is left out by its conditions hides no failure before it.
    assert_eq!(
        run_stages(&graph, &[("a", FAILURE)]),
        format!("a d\ne\n{skipped}\nc: something before it failed\nfailed")
    );
}

#[test]
fn services_are_needed_only_to_have_begun() {
    let text = "services: {db: {image: x}}\npipeline: {a: {image: x}}\n";
    let graph = drone08::parse(".drone.yml", text, &Build::default()).unwrap();
    let mut plan = Plan::of_steps(&graph.stages[0]);
    assert_eq!(plan.waits_for(2), ["db"]);
    assert_eq!(plan.next(&mut |_, _| true), [0]);
    plan.ended(0, End::Success, &mut |_, _| true);
    assert_eq!(plan.next(&mut |_, _| true), [1, 2]);
    assert_eq!(plan.state(1), &State::Runs);
    plan.ended(1, End::Failure(Some(137)), &mut |_, _| true);
    assert!(!plan.has_failed());
    plan.ended(2, End::Success, &mut |_, _| true);
    assert!(plan.is_over());
}

struct NoSources;

impl Sources for NoSources {
    fn workflow(&self, _: &str) -> Option<(String, String)> {
        None
    }
}

#[test]
fn combinations_that_nobody_asked_for_are_not_waited_for() {
    let text = "\
on: push
jobs:
  test: {runs-on: x, strategy: {matrix: {os: [a, b], node: [1, 2]}}, steps: []}
  old: {runs-on: x, strategy: {matrix: {node: [1]}}, steps: []}
  report: {runs-on: x, needs: test, steps: []}
  after: {runs-on: x, needs: old, steps: []}
";
    let build = Build::default();
    let workflow = Workflow::parse(".github/workflows/test.yml", text).unwrap();
    let request = Request {
        build: &build,
        vars: &BTreeMap::new(),
        sources: &NoSources,
        needs: &BTreeMap::new(),
    };
    let mut graph = compile(&workflow, &request).unwrap().graph;
    graph.choose(&[("node".to_owned(), "2".to_owned())]);
    let again = graph.clone();
    graph.choose(&[("node".to_owned(), "2".to_owned())]);
    assert_eq!(graph, again);
    let other = "only combinations with node=2 were asked for";
    let skipped = format!(
        "test (a, 1): {other}\ntest (b, 1): {other}\nold (1): {other}\n\
         after: `old (1)`, which it needs, was skipped"
    );
    assert_eq!(
        run_stages(&graph, &[]),
        format!("test (a, 2) test (b, 2)\nreport\n{skipped}")
    );
    assert_eq!(
        run_stages(&graph, &[("test (b, 2)", FAILURE)]),
        format!(
            "test (a, 2) test (b, 2)\ntest (a, 1): {other}\ntest (b, 1): {other}\n\
             old (1): {other}\nreport: something before it failed\n\
             after: `old (1)`, which it needs, was skipped\nfailed"
        )
    );
}
