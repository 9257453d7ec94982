use sampan_pipeline::build::Event;
use sampan_pipeline::config::Config;
use sampan_pipeline::drone::{parse, signature};
use sampan_pipeline::graph::EnvironmentValue;

use super::{orders, problems, push, without_common_variables};

const PIPELINE: &str = include_str!("../pipelines/drone.yml");

#[test]
fn a_whole_pipeline() {
    let graph = parse(".drone.yml", PIPELINE, &push("feature/tea")).unwrap();
    insta::assert_yaml_snapshot!(without_common_variables(graph));
}

#[test]
fn conditions_decide_and_say_why() {
    let mut build = push("main");
    build.changed_files = Some(vec!["src/README.md".to_owned(), "go.mod".to_owned()]);
    let push = orders(&parse(".drone.yml", PIPELINE, &build).unwrap());
    build.event = Event::Cron;
    build.cron = Some("nightly".to_owned());
    build.changed_files = Some(vec!["src/main.go".to_owned()]);
    let cron = orders(&parse(".drone.yml", PIPELINE, &build).unwrap());
    insta::assert_snapshot!(format!("{push}\n\n{cron}"));
}

#[test]
fn variables_are_those_of_the_original() {
    let mut build = push("v1.2.3");
    build.event = Event::Tag;
    build.commit.reference = "refs/tags/v1.2.3".to_owned();
    build.parameters.insert("LEVEL".to_owned(), "0".to_owned());
    let graph = parse(".drone.yml", PIPELINE, &build).unwrap();
    let step = graph.stages[0].step("unit").unwrap();
    let lines: Vec<_> = step
        .environment
        .iter()
        .map(|(name, value)| match value {
            EnvironmentValue::Text(text) => format!("{name}={text:?}"),
            EnvironmentValue::Secret(secret) => format!("{name} from secret {}", secret.name),
            other => format!("{name} {other:?}"),
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn signatures_are_checked() {
    let key = b"0123456789abcdef0123456789abcdef";
    let signature = signature::sign("x.yml", PIPELINE, key).unwrap();
    let signed = PIPELINE.replace("hmac: 00", &format!("hmac: {signature}"));
    signature::verify("x.yml", &signed, key).unwrap();
    let changed = signed.replace("redis:7", "redis:6");
    let unsigned = &signed[..signed.find("kind: signature").unwrap()];
    for (text, key, problem) in [
        (
            &changed as &str,
            key as &[u8],
            "x.yml: the file was changed after it was signed",
        ),
        (
            &signed,
            b"abcdefghijklmnopqrstuvwxyzabcdef",
            "x.yml: the file was changed after it was signed",
        ),
        (&signed, b"short", "x.yml: the key is shorter than 32 bytes"),
        (unsigned, key, "x.yml: the file must be signed, and is not"),
    ] {
        let error = signature::verify("x.yml", text, key).unwrap_err();
        assert_eq!(error.to_string(), problem);
    }
}

#[test]
fn the_signature_is_that_of_the_original() {
    // Signed by drone-yaml itself.
    let text = "kind: pipeline\nname: a\n\n# note\n---\nkind: secret\nname: b\ndata: c\n";
    assert_eq!(
        signature::sign("x.yml", text, b"0123456789abcdef0123456789abcdef").unwrap(),
        "901de38df2b6bff183308da2bce028687044a3a864ac1be7d8ceb162506187cb"
    );
}

#[test]
fn says_what_is_wrong_and_where() {
    let build = push("main");
    let found: Vec<_> = [
        "kind: pipeline\nname: a\nsteps:\n- name: b\n  image: c\n  setings: {}\n- image: d\n- name: e\n  image: f\n  failure: never\n",
        "kind: pipelin\n",
        "kind: template\nload: a.star\n",
        "kind: pipeline\ntype: far\nname: a\nsteps: [{name: b, commands: [c]}]\n",
        "kind: pipeline\nname: a\ndepends_on: [b]\n---\nkind: pipeline\nname: b\ndepends_on: [c]\n---\nkind: pipeline\nname: c\ndepends_on: [b]\n",
        "kind: pipeline\n---\nkind: pipeline\n",
        "kind: pipeline\nsteps: [{name: a, image: b, depends_on: [c]}]\n",
        "kind: pipeline\nvolumes: [{name: a, config_map: {name: b}}]\n",
        "kind: pipeline\nsteps: [{name: a, image: b, build: .}]\n",
        "kind: pipeline\ntrigger: {evnt: push}\n",
        "kind: secret\nname: a\ndata: b\n",
        "kind: pipeline\nsteps: [{name: a, image: b, environment: {C: [d]}}]\n",
    ]
    .iter()
    .map(|text| problems(parse(".drone.yml", text, &build)))
    .collect();
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn what_the_original_overlooks_is_noted() {
    let text = "\
kind: pipeline
name: alpha
steps: [{name: a, image: b, volumes: [{name: cash, path: /c}]}]
volumes: [{name: cache, temp: {}}]
---
kind: pipeline
name: b
depends_on: [alfa, alpha]
---
kind: pipeline
type: ssh
name: machine
server: {host: x}
trigger: {event: cron}
";
    let graph = parse(".drone.yml", text, &push("main")).unwrap();
    let notes: Vec<_> = graph.notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(
        notes,
        [
            "`b` needs `alfa`, which does not exist; `alpha` does",
            "`a` mounts the volume `cash`, which does not exist; `cache` does",
        ]
    );
    assert_eq!(graph.stages[1].needs, ["alpha"]);
    assert!(!graph.stages[2].verdict.runs());
}

const MACHINES: &str = "\
kind: pipeline
type: vm
name: build
pool: {use: ubuntu}
steps:
- name: pack
  commands: [zstd file]
- image: plugins/slack
---
kind: pipeline
type: ssh
name: far
server: {host: 10.0.0.1}
steps:
- {name: a, commands: [b]}
";

/// Pipelines for machines rely on what is installed there: images stand in for them.
#[test]
fn pipelines_for_machines_run_in_images_of_the_installation() {
    let mut graph = parse(".drone.yml", MACHINES, &push("main")).unwrap();
    let far = graph.stages[1].hindrance.clone().unwrap();
    assert_eq!(far.what, "the pipeline type `ssh` is not supported");
    Config::default().put_machines(&mut graph);
    let hindrance = graph.stages[0].hindrance.take().unwrap();
    assert_eq!(
        hindrance.what,
        "there is no image for machines with the labels `vm, ubuntu`"
    );
    let config = Config::parse("ci.yaml", "runners: {ubuntu*: ci/runner:1}").unwrap();
    config.put_machines(&mut graph);
    assert_eq!(graph.stages[0].hindrance, None);
    let images: Vec<_> = graph.stages[0]
        .steps
        .iter()
        .map(|step| {
            (
                &*step.name,
                step.container
                    .as_ref()
                    .unwrap()
                    .image
                    .now()
                    .unwrap()
                    .as_str(),
            )
        })
        .collect();
    assert_eq!(
        images,
        [
            ("clone", "drone/git:latest"),
            ("pack", "ci/runner:1"),
            ("step-3", "plugins/slack"),
        ]
    );
}

/// What only other events give a value is no slip.
#[test]
fn variables_of_other_events_are_no_slips() {
    let text =
        "kind: pipeline\nsteps: [{name: a, image: b, commands: ['c ${DRONE_TAG##v} ${OTHER}']}]\n";
    let graph = parse(".drone.yml", text, &push("main")).unwrap();
    assert_eq!(graph.notes.len(), 1);
    assert!(graph.notes[0].text.starts_with("`${OTHER}`"));
}
