use sampan_pipeline::build::Event;
use sampan_pipeline::drone08::parse;
use sampan_pipeline::graph::EnvironmentValue;

use super::{orders, problems, push, without_common_variables};

const PIPELINE: &str = include_str!("../pipelines/drone08.yml");

#[test]
fn a_whole_pipeline() {
    let graph = parse(".drone.yml", PIPELINE, &push("master")).unwrap();
    assert_eq!(graph.stages.len(), 2);
    insta::assert_yaml_snapshot!(without_common_variables(graph));
}

#[test]
fn conditions_decide_and_say_why() {
    let mut build = push("feature/tea");
    let branch = orders(&parse(".drone.yml", PIPELINE, &build).unwrap());
    build.event = Event::PullRequest;
    build.commit.branch = "master".to_owned();
    build.commit.reference = "refs/pull/12/head".to_owned();
    let request = orders(&parse(".drone.yml", PIPELINE, &build).unwrap());
    insta::assert_snapshot!(format!("{branch}\n\n{request}"));
}

#[test]
fn variables_are_those_of_the_original() {
    let graph = parse(".drone.yml", PIPELINE, &push("master")).unwrap();
    let step = graph.stages[1].step("setup").unwrap();
    let lines: Vec<_> = step
        .environment
        .iter()
        .map(|(name, value)| match value {
            EnvironmentValue::Text(text) => format!("{name}={text:?}"),
            other => format!("{name} {other:?}"),
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn secrets_come_last_and_fall_back() {
    let graph = parse(".drone.yml", PIPELINE, &push("master")).unwrap();
    let deploy = graph.stages[0].step("deploy").unwrap();
    let EnvironmentValue::Secret(secret) = &deploy.environment["KUBERNETES_TOKEN"] else {
        panic!("the variable is a secret");
    };
    assert_eq!(secret.name, "kubernetes_token");
    assert_eq!(secret.otherwise.as_deref(), Some("none"));
}

#[test]
fn a_commit_can_ask_for_no_run() {
    let mut build = push("master");
    build.commit.message = "Correct a word [CI SKIP]".to_owned();
    let graph = parse(".drone.yml", "pipeline: {a: {image: b}}", &build).unwrap();
    assert_eq!(
        orders(&graph),
        "default <- \n  not: the message of the commit has `[CI SKIP]`\n  clone <- \n  a <- clone"
    );
    build.local = true;
    let graph = parse(".drone.yml", "pipeline: {a: {image: b}}", &build).unwrap();
    assert!(graph.stages[0].verdict.runs());
}

#[test]
fn a_step_that_would_run_nothing_is_noticed() {
    let text = "pipeline:\n  a:\n    image: b\n    comands: [x]\n    comment: y\n";
    let graph = parse(".drone.yml", text, &push("master")).unwrap();
    let notes: Vec<_> = graph.notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("did you mean `commands`?"), "{notes:?}");
}

#[test]
fn says_what_is_wrong_and_where() {
    let build = push("master");
    let text = "\
pipeline:
  a:
    image: b
    comands: [x]
    commands: [x]
  b:
    commands: [x]
  c:
    image: d
    entrypoint: sh
  d:
    image: e
    when: {brnch: x, branch: '[a'}
  e:
    image: f
    volumes: [a:b]
    secrets: x
servises:
  f: {image: g}
";
    let several = problems(parse(".drone.yml", text, &build));
    let others: Vec<_> = [
        "pipeline: {a: {image: b}}\nservises: {c: {image: d}}",
        "pipeline: {}",
        "services: {a: {image: b}}",
        "",
        "pipeline: [a]",
        "pipeline: {a: {image: b, ipc_mode: host}}",
        "pipeline: {a: {image: '${x'}}",
        "pipeline: {a: {image: b}}\nmatrix: {A: x}",
    ]
    .iter()
    .map(|text| problems(parse(".drone.yml", text, &build)))
    .collect();
    insta::assert_snapshot!(format!("{several}\n\n{}", others.join("\n")));
}
