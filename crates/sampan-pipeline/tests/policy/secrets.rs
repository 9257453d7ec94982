use std::collections::BTreeMap;
use std::convert::Infallible;

use sampan_pipeline::build::{Build, Event};
use sampan_pipeline::config::Config;
use sampan_pipeline::secrets::{
    Asker, Rule, Secret, SecretError, SecretValue, Secrets, Source, parse_file, secrets_in_call,
};

use super::{drone, drone08, first, github, pull_request, push, shown};

const CONFIG: &str = "
secrets:
  usual: {value: aaa}
  reviews: {value: bbb, events: [push, pull_request]}
  open: {value: ccc, events: [pull_request], forks: true}
  upload: {value: ddd, images: [plugins/*]}
  other: {value: eee, projects: [other/*]}
  release: {value: fff, events: [tag]}
";

fn secrets(build: &Build) -> Secrets {
    Config::parse("ci.yaml", CONFIG)
        .expect("the configuration is well")
        .secrets(build, &mut |source| match source {
            Source::Value(value) => Ok(value.clone()),
            other => panic!("nothing else is there: {other:?}"),
        })
        .expect("all values are there")
}

fn admitted(build: &Build) -> Vec<String> {
    let secrets = secrets(build).of(&Asker::of_build(build));
    secrets.names().map(str::to_owned).collect()
}

#[test]
fn pull_requests_get_only_what_is_for_them() {
    assert_eq!(admitted(&push()), ["reviews", "usual"]);
    assert_eq!(admitted(&pull_request(false)), ["open", "reviews"]);
    assert_eq!(admitted(&pull_request(true)), ["open"]);
    // Whatever the forge calls it.
    for event in ["pull_request_target", "issue_comment"] {
        let build = Build {
            event: Event::Other(event.to_owned()),
            ..pull_request(true)
        };
        assert!(admitted(&build).is_empty(), "{event}");
    }
    let tag = Build {
        event: Event::Tag,
        ..push()
    };
    assert_eq!(admitted(&tag), ["release", "usual"]);
}

#[test]
fn what_a_run_may_not_have_is_not_even_read() {
    let config = "secrets: {a: {file: a}, b: {environment: B, events: [tag]}}";
    let config = Config::parse("ci.yaml", config).expect("the configuration is well");
    let mut read = Vec::new();
    let secrets = config.secrets(&push(), &mut |source| {
        read.push(source.clone());
        Ok(SecretValue::of_file("x\r\n"))
    });
    let secrets = secrets.expect("all values are there");
    assert_eq!(read, [Source::File("a".into())]);
    assert_eq!(secrets.get("A"), Some("x"));
    assert_eq!(
        secrets.grant("b", &Asker::of_build(&push())),
        Err(SecretError::Event {
            name: "b".to_owned(),
            event: "push".to_owned(),
        })
    );
}

#[test]
fn images_that_may_have_a_secret_are_plugins() {
    let graph = drone(
        "kind: pipeline\nsteps:\n\
         - {name: a, image: plugins/s3, settings: {key: {from_secret: UPLOAD}}}\n\
         - {name: b, image: plugins/s3, commands: [env], environment: {KEY: {from_secret: upload}}}\n\
         - {name: c, image: alpine, commands: [env], environment: {KEY: {from_secret: upload}}}\n\
         - {name: d, image: alpine, commands: [env], environment: {KEY: {from_secret: usaul}}}\n\
         - {name: e, image: alpine, commands: [env], environment: {KEY: {from_secret: other}}}\n",
    );
    let build = push();
    let secrets = secrets(&build);
    let names = first(&graph).steps.iter().map(|step| {
        let asker = Asker::of_step(&build, first(&graph), step);
        (step.name.as_str(), secrets.grant("upload", &asker).is_ok())
    });
    let names: Vec<_> = names.filter(|(name, _)| *name != "clone").collect();
    assert_eq!(
        names,
        [
            ("a", true),
            ("b", false),
            ("c", false),
            ("d", false),
            ("e", false)
        ]
    );
    insta::assert_snapshot!(shown(&secrets.problems(&graph, &BTreeMap::new(), &build)));
}

#[test]
fn values_are_not_shown() {
    let secrets = secrets(&push());
    let debug = format!("{secrets:?} {:?}", Source::Value("ccc".into()));
    for value in ["aaa", "bbb", "ccc"] {
        assert!(!debug.contains(value), "{debug}");
    }
}

#[test]
fn secrets_of_old_pipelines_are_named_in_lists() {
    let graph = drone08(
        "pipeline:\n  a: {image: alpine, commands: [env], secrets: [usual, {source: release, target: key}]}\n",
    );
    let build = pull_request(false);
    insta::assert_snapshot!(shown(&secrets(&build).problems(
        &graph,
        &BTreeMap::new(),
        &build
    )));
}

const CALLER: &str = "
on: push
jobs:
  call:
    uses: ./.github/workflows/b.yml
    secrets: {token: '${{ secrets.USUAL }}-${{ secrets.missing }}', fixed: abc}
";
const CALLED: &str = "
on: {workflow_call: {secrets: {token: {required: true}}}}
jobs:
  inner:
    uses: ./.github/workflows/c.yml
    secrets: inherit
";
const INNER: &str = "
on: workflow_call
jobs:
  last:
    runs-on: ubuntu-latest
    steps: [{run: 'echo ${{ secrets.token }}'}]
";

#[test]
fn called_workflows_have_what_they_are_handed() {
    let plan = github(
        CALLER,
        &[
            ("./.github/workflows/b.yml", CALLED),
            ("./.github/workflows/c.yml", INNER),
        ],
    );
    let build = push();
    let own_asker = Asker::of_build(&build);
    let mut own = secrets(&build);
    own.add(Secret {
        name: "GITHUB_TOKEN".to_owned(),
        value: "of the run".into(),
        rule: Rule::for_this_run(),
    });
    let mut asked = Vec::new();
    let handed = secrets_in_call(
        &plan,
        "call / inner / last",
        (&own, &own_asker),
        &mut |call, text, secrets| {
            asked.push((call.to_owned(), text.expression.clone()));
            Ok::<_, Infallible>(secrets["USUAL"].clone())
        },
    );
    assert_eq!(
        asked,
        [(
            "call".to_owned(),
            "${{ secrets.USUAL }}-${{ secrets.missing }}".to_owned()
        )]
    );
    let expected = [
        ("FIXED", "abc"),
        ("GITHUB_TOKEN", "of the run"),
        ("TOKEN", "aaa"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(handed.unwrap().context(), BTreeMap::from(expected));
    let outside = secrets_in_call(&plan, "callx / last", (&own, &own_asker), &mut |_, _, _| {
        Ok::<_, Infallible>(String::new())
    });
    assert_eq!(outside, Ok(own));
    insta::assert_snapshot!(
        shown(&secrets(&build).problems(&plan.graph, &plan.calls, &build)),
        @r"
    .github/workflows/a.yml:6:22: there is no secret `missing`
      hint: give it with `--secret missing=…`, or put it under `secrets` in `ci.yaml`
    "
    );
}

#[test]
fn files_hold_a_secret_a_line() {
    let text = "\u{feff}# remark\n\nA=1\nexport B = two words \nC='a\"b'\nD=\"x\\ny\\\"\"\nE=\n";
    let read = parse_file("s.env", text).expect("all lines are well");
    let read: Vec<_> = read
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose()))
        .collect();
    assert_eq!(
        read,
        [
            ("A", "1"),
            ("B", "two words"),
            ("C", "a\"b"),
            ("D", "x\ny\""),
            ("E", "")
        ]
    );
    for (text, expected) in [
        (
            "A=1\nhunter2",
            "s.env:2: the line is not of the form `NAME=VALUE`",
        ),
        ("a b=1", "s.env:1: the line is not of the form `NAME=VALUE`"),
        ("A='x", "s.env:1: a quote is not closed"),
        ("A=\"x\" y", "s.env:1: a quote is not closed"),
    ] {
        let error = parse_file("s.env", text).expect_err(text);
        assert_eq!(error.to_string(), expected);
    }
}
