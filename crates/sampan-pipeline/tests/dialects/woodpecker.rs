use sampan_pipeline::PipelineError;
use sampan_pipeline::build::{Build, Event, PullRequest};
use sampan_pipeline::dialect::SourceFile;
use sampan_pipeline::graph::{Action, EnvironmentValue, Graph};
use sampan_pipeline::woodpecker::{Extent, parse};

use super::{orders, problems, push, without_common_variables};

const PIPELINE: &str = include_str!("../pipelines/woodpecker.yml");

const LINT: &str = "steps: {lint: {image: lint, commands: lint}}\n";

fn run(files: &[(&str, &str)], build: &Build) -> Result<Graph, PipelineError> {
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| SourceFile {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        })
        .collect();
    parse(&files, Extent::Whole, build)
}

fn both(build: &Build) -> Graph {
    run(
        &[
            (".woodpecker/test.yml", PIPELINE),
            (".woodpecker/lint.yaml", LINT),
        ],
        build,
    )
    .unwrap()
}

#[test]
fn whole_workflows() {
    insta::assert_yaml_snapshot!(without_common_variables(both(&push("main"))));
}

#[test]
fn conditions_decide_and_say_why() {
    let mut found = Vec::new();
    let mut build = push("feature/tea");
    found.push(orders(&both(&build)));
    build.commit.message = "Sell tea".to_owned();
    found.push(orders(&both(&build)));
    build.commit.branch = "release/1/2".to_owned();
    build.changed_files = Some(vec!["README.md".to_owned(), "src/a.md".to_owned()]);
    found.push(orders(&both(&build)));
    build.commit.message = "Sell tea [ALL]".to_owned();
    found.push(orders(&both(&build)));
    let files = [
        (
            ".woodpecker/a.yml",
            "steps: {a: {image: b}}\nwhen: {event: cron, cron: nightly}\n",
        ),
        (
            ".woodpecker/b.yml",
            "steps: {a: {image: b}}\ndepends_on: a\n",
        ),
        (
            ".woodpecker/c.yml",
            "steps: {a: {image: b}}\ndepends_on: [b]\nruns_on: [success, failure]\n",
        ),
    ];
    found.push(orders(&run(&files, &build).unwrap()));
    build.event = Event::Cron;
    build.cron = Some("nightly".to_owned());
    found.push(orders(&run(&files, &build).unwrap()));
    insta::assert_snapshot!(found.join("\n\n"));
}

fn environment(graph: &Graph, stage: usize, step: &str) -> String {
    let step = graph.stages[stage].step(step).unwrap();
    let lines: Vec<_> = step
        .environment
        .iter()
        .map(|(name, value)| match value {
            EnvironmentValue::Text(text) => format!("{name}={text:?}"),
            EnvironmentValue::Secret(secret) => format!("{name} from secret {}", secret.name),
            other => format!("{name} {other:?}"),
        })
        .collect();
    lines.join("\n")
}

#[test]
fn variables_are_those_of_the_original() {
    let mut build = push("main");
    build.event = Event::PullRequest;
    build.commit.reference = "refs/pull/5/head".to_owned();
    build.source_branch = "tea".to_owned();
    build.pull_request = Some(PullRequest {
        labels: vec!["drinks".to_owned()],
        ..PullRequest::default()
    });
    let text = "steps: {a: {image: b, commands: c}, d: {image: e}}\n";
    let graph = run(&[(".woodpecker.yml", text)], &build).unwrap();
    insta::assert_snapshot!(format!(
        "{}\n\n{}",
        environment(&graph, 0, "a"),
        environment(&graph, 0, "d")
    ));
}

#[test]
fn secrets_within_settings_are_put_in_later() {
    let graph = both(&push("main"));
    let publish = graph.stages[1].step("publish").unwrap();
    let EnvironmentValue::Setting(logins) = &publish.environment["PLUGIN_LOGINS"] else {
        panic!("the setting has a secret inside");
    };
    let secret = |name: &str| (name == "registry_password").then(|| "p<w".to_owned());
    assert_eq!(
        sampan_pipeline::settings::encoded_with(logins, &secret).unwrap(),
        r#"[{"password":"p\u003cw","registry":"registry.example"}]"#
    );
}

#[test]
fn steps_may_have_the_names_of_services() {
    let text = "\
variables: [&list [x, y]]
services: {db: {image: postgres}}
steps:
  db: {image: migrate, commands: [{<<: *list}, z], depends_on: []}
  e: {image: f, depends_on: db}
";
    let graph = run(&[(".woodpecker.yml", text)], &push("main")).unwrap();
    assert_eq!(
        orders(&graph),
        "woodpecker <- \n  clone <- \n  db <- clone\n  db (step) <- db\n  e <- db (step)"
    );
    let Action::Commands { commands, .. } = &graph.stages[0].steps[2].action else {
        panic!("the step has commands");
    };
    assert_eq!(commands, &["x", "y", "z"]);
}

#[test]
fn earlier_versions_are_read() {
    let text = "\
platform: linux/amd64
branches: [main]
pipeline:
  a: {image: b, group: x, commands: c, secrets: [token]}
  d: {image: b, group: x, commands: c}
  e: {image: f, settings: {g: h}}
";
    let graph = run(&[(".woodpecker.yml", text)], &push("main")).unwrap();
    let notes: Vec<_> = graph.notes.iter().map(|note| note.text.as_str()).collect();
    insta::assert_snapshot!(format!("{}\n{}", orders(&graph), notes.join("\n")));
}

#[test]
fn says_what_is_wrong_and_where() {
    let build = push("main");
    let found: Vec<_> = [
        "steps:\n  a: {image: b, comands: c}\n  d: {commands: e}\n  f: {image: g, settings: {h: 1}, commands: i}\n",
        "steps: {a: {image: b}}\nbranch: main\n",
        "steps: {a: {image: b, depends_on: [c]}}\n",
        "steps: {a: {image: b, depends_on: [c]}, c: {image: d, when: {event: cron}}}\n",
        "steps: {a: {image: b, depends_on: [c]}, c: {image: d, depends_on: [a]}}\n",
        "steps: [{name: a, image: b}, {name: a, image: b}]\n",
        "steps: {a: {image: b, when: {evaluate: 'CI =='}}}\n",
        "steps: {a: {image: b, when: {evnt: push}}}\n",
        "steps: {a: {image: b, failure: sometimes}}\n",
        "services: {a: {image: b}}\n",
        "",
    ]
    .iter()
    .map(|text| problems(run(&[(".woodpecker.yml", text)], &build)))
    .collect();
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn a_step_of_a_list_is_called_by_its_name() {
    let text = "steps: [{name: test, image: b, comands: [x]}, {image: b, comands: [x]}]";
    let problems = problems(run(&[(".woodpecker.yml", text)], &push("main")));
    assert!(
        problems.contains("the step `test` has no key `comands`"),
        "{problems}"
    );
    assert!(
        problems.contains("the step `step-1` has no key"),
        "{problems}"
    );
}

/// As in the original, a workflow is left out that waits for one that is not there; who names it wants it run.
#[test]
fn workflows_wait_for_what_is_there() {
    let file = SourceFile {
        path: ".woodpecker/deploy.yaml".to_owned(),
        text: "depends_on: [tset]\nsteps: [{name: a, image: b, commands: c}]\n".to_owned(),
    };
    let test = SourceFile {
        path: ".woodpecker/test.yaml".to_owned(),
        text: LINT.to_owned(),
    };
    let whole = parse(&[file.clone(), test], Extent::Whole, &push("main")).unwrap();
    let deploy = whole.stage("deploy").unwrap();
    assert_eq!(
        deploy.verdict.against[0].text,
        "`deploy` needs `tset`, which does not exist; `test` does"
    );
    assert!(whole.stage("test").unwrap().verdict.runs());
    let chosen = parse(&[file], Extent::Chosen, &push("main")).unwrap();
    assert!(chosen.stages[0].verdict.runs());
    assert_eq!(
        chosen.notes[0].text,
        "`deploy` needs `tset`, which does not exist"
    );
}

/// Two backslashes of the file are one for the expression, in which two are one for the pattern.
#[test]
fn patterns_of_conditions_are_written_with_three_backslashes() {
    let text = r#"
steps:
  release:
    image: a
    when: {evaluate: '"${CI_COMMIT_BRANCH}" matches ''^release-[0-9]+\\\.[0-9]+$'''}
"#;
    for (branch, runs) in [
        ("release-1.2", true),
        ("release-1x2", false),
        ("main", false),
    ] {
        let graph = run(&[(".woodpecker.yml", text)], &push(branch)).unwrap();
        let step = graph.stages[0].step("release").unwrap();
        assert_eq!(step.verdict.runs(), runs, "{branch}");
    }
}
