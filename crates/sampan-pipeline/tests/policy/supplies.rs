use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;

use sampan_oci::{Digest, Reference};
use sampan_pipeline::config::Config;
use sampan_pipeline::github::action::Action;
use sampan_pipeline::graph::Step;
use sampan_pipeline::lock::Lock;
use sampan_pipeline::supplies::{Presence, Resolved, Scope, Stock, Supplies, check};

use super::{drone, github, shown};

const WORKFLOW: &str = "
on: push
jobs:
  test:
    runs-on: [self-hosted, gpu]
    steps:
      - uses: actions/checkout@v4
      - uses: Owner/Tools/setup@release/v1
      - uses: ./.github/actions/local
      - uses: docker://alpine:3
      - run: make
  other:
    runs-on: ubuntu-latest
    container: 'golang:1.21'
    if: false
    services: {db: {image: postgres:15}}
    steps: [{run: x}]
  late:
    runs-on: ubuntu-latest
    container: '${{ needs.test.outputs.image }}'
    needs: test
    steps: [{run: x}]
";

fn supplies(all: bool) -> Supplies {
    let plan = github(WORKFLOW, &[]);
    let mut supplies = Supplies::default();
    let is_checkout = |step: &Step| format!("{:?}", step.action).contains("actions/checkout");
    let scope = Scope {
        all,
        is_built_in: &is_checkout,
    };
    supplies.add_graph(&plan.graph, &scope);
    supplies
}

#[test]
fn all_that_runs_stand_on_is_found() {
    let now = supplies(false);
    assert_eq!(now.images.keys().collect::<Vec<_>>(), ["alpine:3"]);
    assert_eq!(
        now.actions.keys().collect::<Vec<_>>(),
        ["Owner/Tools@release/v1"]
    );
    assert_eq!(
        now.local_actions.keys().collect::<Vec<_>>(),
        ["./.github/actions/local"]
    );
    assert_eq!(
        now.machines.keys().collect::<Vec<_>>(),
        [&["gpu", "self-hosted"]]
    );
    assert_eq!(now.later.len(), 1);
    let all = supplies(true);
    let images: Vec<_> = all.images.keys().collect();
    assert_eq!(images, ["alpine:3", "golang:1.21", "postgres:15"]);
}

#[test]
fn actions_lead_to_more() {
    let mut supplies = Supplies::default();
    let place = sampan_model::yaml::Location {
        file: "action.yml".into(),
        line: 1,
        column: 1,
    };
    for text in [
        "runs: {using: composite, steps: [{uses: a/b/c@v1}, {uses: ./d}, {run: x, shell: sh}]}",
        "runs: {using: docker, image: 'docker://alpine:3'}",
        "runs: {using: docker, image: Dockerfile}",
        "runs: {using: node20, main: index.js}",
    ] {
        let action = Action::parse("action.yml", text).expect("the action is well");
        let scope = Scope {
            all: true,
            is_built_in: &|_| false,
        };
        let added = supplies.add_action(&action, &place, &scope);
        added.expect("the action can be run");
    }
    assert_eq!(supplies.actions.keys().collect::<Vec<_>>(), ["a/b@v1"]);
    assert_eq!(supplies.action_paths["a/b@v1"], ["c".to_owned()].into());
    assert_eq!(supplies.images.keys().collect::<Vec<_>>(), ["alpine:3"]);
    assert_eq!(supplies.node.keys().collect::<Vec<_>>(), ["node20"]);
    assert_eq!(supplies.local_actions.keys().collect::<Vec<_>>(), ["./d"]);
}

/// Images and actions, each with the digest if it has one.
struct Here(BTreeSet<String>);

impl Stock for Here {
    fn image(&self, name: &Reference, digest: Option<&Digest>) -> io::Result<Presence> {
        self.action(&name.familiar(), digest)
    }

    fn action(&self, name: &str, digest: Option<&Digest>) -> io::Result<Presence> {
        let name = match digest {
            Some(digest) => digest.to_string(),
            None => name.to_owned(),
        };
        Ok(if self.0.contains(&name) {
            Presence::Here
        } else {
            Presence::Absent
        })
    }
}

fn here(names: &[&str]) -> Here {
    Here(names.iter().map(|name| (*name).to_owned()).collect())
}

const CONFIG: &str = "{images: {postgres: 'localhost:7080/ci/postgres'}, runners: {ubuntu-latest: localhost:7080/ci/runner}}";

fn digest(letter: char) -> Digest {
    let text = format!("sha256:{}", letter.to_string().repeat(64));
    text.parse().expect("it is a digest")
}

#[test]
fn everything_that_is_missing_is_named_at_once() {
    let config = Config::parse("ci.yaml", CONFIG).expect("the configuration is well");
    let mut messages = String::new();
    let mut say = |title: &str, lock: Option<&Lock>, stock: &Here| {
        let missing = check(&supplies(true), &config, lock, stock).expect("the stock can be read");
        writeln!(messages, "# {title}\n{}", shown(&missing)).expect("texts can be written to");
    };
    say("nothing is here", None, &here(&[]));
    let stock = here(&[
        "alpine:3",
        "golang:1.21",
        "localhost:7080/ci/postgres:15",
        "Owner/Tools@release/v1",
    ]);
    say("all but the machine", None, &stock);
    let mut lock = Lock::default();
    say("an empty lock file", Some(&lock), &stock);
    for (name, letter) in [
        ("alpine:3", 'a'),
        ("docker.io/library/golang:1.21", 'b'),
        ("postgres:15", 'c'),
    ] {
        lock.pin_image(name, digest(letter)).expect("it is a name");
    }
    lock.pin_action("owner/tools@release/v1", digest('d'))
        .expect("it is a name");
    say("others are here", Some(&lock), &stock);
    let digests = ['a', 'b', 'c', 'd'].map(|letter| digest(letter).to_string());
    let digests: Vec<&str> = digests.iter().map(String::as_str).collect();
    say(
        "those of the lock file are here",
        Some(&lock),
        &here(&digests),
    );
    insta::assert_snapshot!(messages);
}

#[test]
fn names_without_sense_and_names_with_digests() {
    let pinned = format!("alpine@{}", digest('a'));
    let graph = drone(&format!(
        "kind: pipeline\nsteps:\n- {{name: a, image: 'Alpine:3', commands: [x]}}\n- {{name: b, image: '{pinned}', commands: [x]}}\n"
    ));
    let mut supplies = Supplies::default();
    let is_clone = |step: &Step| step.name == "clone";
    let scope = Scope {
        all: false,
        is_built_in: &is_clone,
    };
    supplies.add_graph(&graph, &scope);
    let config = Config::default();
    // A name with a digest needs no line in the lock file.
    let lock = Lock::default();
    let missing = check(
        &supplies,
        &config,
        Some(&lock),
        &here(&[&digest('a').to_string()]),
    );
    insta::assert_snapshot!(shown(&missing.expect("the stock can be read")), @r"
    .drone.yml:3:3: `Alpine:3` is not an image name: `Alpine` does not fit
      hint: write a name such as `golang:1.21`
    ");
    let missing = check(&supplies, &config, None, &here(&[])).expect("the stock can be read");
    assert_eq!(missing.len(), 2);
    let resolved = Resolved::of(&pinned, &config, None).expect("it is a name");
    assert_eq!(resolved.digest, Some(digest('a')));
}

#[test]
fn lock_files_are_written_as_they_are_read() {
    let mut lock = Lock::default();
    for name in ["redis", "golang:1.21", "localhost:7080/a/b", "gcr.io/x/y:z"] {
        lock.pin_image(name, digest('a')).expect("it is a name");
    }
    lock.pin_action("Actions/Checkout/path@v4", digest('b'))
        .expect("it is a name");
    insta::assert_snapshot!(lock.to_text());
    assert_eq!(
        Lock::parse("sampan-ci.lock", &lock.to_text()),
        Ok(lock.clone())
    );
    assert_eq!(lock.image("docker.io/redis:latest"), Some(&digest('a')));
    assert_eq!(lock.action("actions/checkout@v4"), Some(&digest('b')));
    assert_eq!(lock.action("actions/checkout@V4"), None);
    let empty = Lock::default().to_text();
    assert_eq!(Lock::parse("sampan-ci.lock", &empty), Ok(Lock::default()));
}

#[test]
fn lock_files_of_others_are_refused() {
    let mut messages = String::new();
    for text in [
        "",
        "version: 2",
        "images: {}",
        "version: 1\nimagse: {}",
        "version: 1\nimages: {a: sha256:00}",
        "version: 1\nimages: {A: b}",
        "version: 1\nimages: {'a@sha256:0000000000000000000000000000000000000000000000000000000000000000': b}",
        "version: 1\nactions: {a: b}",
        "version: 1\nactions: {'a/b c@d': b}",
        "version: 1\n---\nversion: 1",
    ] {
        let error = Lock::parse("sampan-ci.lock", text).expect_err(text);
        writeln!(messages, "{text:?}\n{}", shown(&[error])).expect("texts can be written to");
    }
    let pair = digest('a');
    let text = format!("version: 1\nimages: {{redis: {pair}, 'redis:latest': {pair}}}");
    let error = Lock::parse("sampan-ci.lock", &text).expect_err("a name stands twice");
    writeln!(messages, "{}", shown(&[error])).expect("texts can be written to");
    insta::assert_snapshot!(messages);
    let mut many = String::from("version: 1\nimages:\n");
    for number in 0..10_001 {
        writeln!(many, "  a{number}: {pair}").expect("texts can be written to");
    }
    let error = Lock::parse("sampan-ci.lock", &many).expect_err("they are too many");
    assert_eq!(
        error.to_string(),
        "sampan-ci.lock:3:3: there are 10001 entries; at most 10000 are read"
    );
}
