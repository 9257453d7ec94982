//! Files that are not quite right and run where they come from run here too, with notes.

use std::collections::BTreeMap;

use sampan_pipeline::build::{Build, Commit};
use sampan_pipeline::dialect::{SourceFile, parse};
use sampan_pipeline::github::Workflow;
use sampan_pipeline::github::action::Action;
use sampan_pipeline::github::plan::{Plan, Request, Sources, compile};
use sampan_pipeline::graph::{Graph, Reason};

fn build() -> Build {
    Build {
        commit: Commit {
            branch: "main".to_owned(),
            reference: "refs/heads/main".to_owned(),
            ..Commit::default()
        },
        ..Build::default()
    }
}

fn read(path: &str, text: &str) -> Graph {
    let file = SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    parse(&[file], &build()).expect("the pipeline runs")
}

fn refused(text: &str) -> String {
    let file = SourceFile {
        path: ".drone.yml".to_owned(),
        text: text.to_owned(),
    };
    parse(&[file], &build()).expect_err(text).to_string()
}

fn notes(notes: &[Reason]) -> String {
    let lines = notes.iter().map(|note| match &note.location {
        Some(location) => format!("{location}: {}", note.text),
        None => note.text.clone(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn names(graph: &Graph) -> Vec<&str> {
    graph.stages[0]
        .steps
        .iter()
        .map(|step| step.name.as_str())
        .collect()
}

#[test]
fn keys_that_drone_does_not_have_are_noted() {
    let graph = read(
        ".drone.yml",
        "kind: pipeline\nanchors: 1\nsteps:\n\
         - {name: a, image: b, auto_tag: true, repo: c, commands: [x], when: {branch: {exclude: [old], event: push}, colour: red}}\n\
         - {name: d, image: e, settings: {f: g}, volumes: [{name: h, path: /i, mode: ro}]}\n\
         trigger: {weekday: monday}\n\
         volumes: [{name: h, temp: {}}]\n",
    );
    insta::assert_snapshot!(notes(&graph.notes));
    assert_eq!(names(&graph), ["clone", "a", "d"]);
    // A key that is nearly one of the dialect's is a slip.
    let text = "kind: pipeline\nsteps: [{name: a, image: b, commads: [x], zone: 1}]\n";
    assert_eq!(
        refused(text),
        ".drone.yml:2:29: the step `a` has no key `commads`"
    );
}

#[test]
fn what_an_alias_brings_to_several_steps_is_not_taken_away() {
    let text = "pipeline:\n  a: &a {image: b, repo: c}\n  d: {<<: *a, commands: [x]}\n";
    assert_eq!(
        refused(text),
        ".drone.yml:2:20: the step `d` has no key `repo`"
    );
}

#[test]
fn of_equal_keys_the_last_counts() {
    let graph = read(
        ".drone.yml",
        "pipeline:\n  a:\n    image: b\n    group: x\n    commands: [x]\n    group: y\n  a:\n    image: c\n    commands: [y]\n  clone:\n    image: d\n    commands: [z]\n",
    );
    insta::assert_snapshot!(notes(&graph.notes));
    assert_eq!(names(&graph), ["clone", "a", "a-2", "clone-2"]);
    let graph = read(
        ".drone.yml",
        "kind: pipeline\nkind: pipeline\nname: x\nname: y\nsteps: [{name: a, image: b, image: c, commands: [x]}]\n",
    );
    assert_eq!(graph.stages[0].name, "y");
    assert_eq!(graph.notes.len(), 3);
    let image = graph.stages[0].steps[1]
        .container
        .as_ref()
        .map(|container| &container.image);
    assert_eq!(
        image.and_then(|image| image.now()).map(String::as_str),
        Some("c")
    );
}

#[test]
fn machines_run_containers_too() {
    let graph = read(
        ".drone.yml",
        "kind: pipeline\ntype: vm\npool: {use: ubuntu}\nsteps: [{name: a, image: b, commands: [x]}]\n",
    );
    assert_eq!(names(&graph), ["clone", "a"]);
    assert!(
        refused("kind: pipeline\ntype: far\nsteps: [{name: a, commands: [x]}]\n").contains("`far`")
    );
}

struct Tree;

impl Sources for Tree {
    fn workflow(&self, reference: &str) -> Option<(String, String)> {
        let text = "on: workflow_call\njobs: {b: {runs-on: x, steps: [{run: y}]}}\n";
        (reference == "./.github/workflows/b.yml").then(|| (reference.to_owned(), text.to_owned()))
    }
}

fn github(text: &str) -> Plan {
    let workflow = Workflow::parse(".github/workflows/a.yml", text).expect("the workflow is read");
    let request = Request {
        build: &build(),
        vars: &BTreeMap::new(),
        sources: &Tree,
        needs: &BTreeMap::new(),
    };
    compile(&workflow, &request).expect("the workflow is read")
}

#[test]
fn a_workflow_to_be_called_is_looked_at_by_itself() {
    let plan = github(
        "on: {workflow_call: {inputs: {on: {type: string, required: true}, what: {type: string}}}}\n\
         jobs: {a: {runs-on: '${{ inputs.on }}', strategy: {matrix: {x: '${{ fromJSON(inputs.what) }}'}}, steps: [{run: 'echo ${{ inputs.what }}'}]}}\n",
    );
    assert!(plan.graph.stages.iter().all(|stage| !stage.verdict.runs()));
}

#[test]
fn files_of_the_source_tree_have_two_names() {
    for name in ["./.github/workflows/b.yml", "$/.github/workflows/b.yml"] {
        let plan = github(&format!("on: push\njobs: {{a: {{uses: {name}}}}}\n"));
        assert!(plan.graph.stage("a / b").is_some(), "{name}");
    }
}

#[test]
fn patterns_that_only_take_back_choose_nothing() {
    let plan = github(
        "on: {push: {branches: ['**'], tags: ['!**']}}\njobs: {a: {runs-on: x, steps: [{run: y}]}}\n",
    );
    insta::assert_snapshot!(
        notes(&plan.graph.notes),
        @".github/workflows/a.yml:1:37: `tags` of `push` chooses nothing: patterns with `!` only take back"
    );
    assert!(plan.graph.stages[0].verdict.runs());
}

#[test]
fn actions_are_published_with_all_kinds_of_truth() {
    let text = "runs: {using: node20, main: x}\ninputs: {a: {required: yes}, b: {required: 'no'}, c: {required: True}}\n";
    let action = Action::parse("action.yml", text).expect("the action is read");
    let required: Vec<bool> = action.inputs.iter().map(|input| input.required).collect();
    assert_eq!(required, [true, false, true]);
}
