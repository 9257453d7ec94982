//! Pipelines of all dialects, run on an image with nothing but busybox. Needs root.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sampan_testkit::{Finished, Installation, Terminal, eventually};
use serde_json::Value;

use crate::fixture::{Project, SAMPAN};

fn site(name: &str) -> Installation {
    let site = Installation::site(SAMPAN, name);
    site.import_busybox();
    site
}

/// The log of a step of the last run.
fn log(project: &Project, site: &Installation, step: &str) -> String {
    project.ci(site, &["logs", step]).stdout()
}

/// How the steps of the last run ended, as `STAGE/STEP STATE`.
fn states(project: &Project, site: &Installation) -> Vec<String> {
    let shown = project.ci(site, &["show", "-o", "json"]).json();
    let stages = shown["outcome"]["stages"]
        .as_array()
        .expect("stages")
        .clone();
    let steps = stages.iter().flat_map(|stage| {
        let steps = stage["steps"].as_array().expect("steps").clone();
        let id = stage["id"].as_str().expect("an id").to_owned();
        steps.into_iter().map(move |step| {
            let state = match &step["state"] {
                Value::String(state) => state.clone(),
                Value::Object(state) => match state.get("ended") {
                    Some(Value::String(end)) => end.clone(),
                    Some(end) => end.to_string(),
                    None => "skipped".to_owned(),
                },
                other => other.to_string(),
            };
            format!("{id}/{} {state}", step["name"].as_str().expect("a name"))
        })
    });
    steps.collect()
}

const DRONE08: &str = "\
pipeline:
  prepare:
    image: busybox
    commands:
      - cat greeting > shared
      - ls
  left:
    group: both
    image: busybox
    environment: [WHO=left]
    commands: ['cat shared && echo $WHO >> left.txt && echo branch $DRONE_BRANCH']
  right:
    group: both
    image: busybox
    commands: ['echo ${DRONE_COMMIT_MESSAGE} >> right.txt']
  both:
    image: busybox
    secrets: [token]
    commands: ['cat left.txt right.txt', 'echo the token is $TOKEN']
  tagged:
    image: busybox
    commands: ['false']
    when: {event: tag}
";

#[test]
fn a_pipeline_of_drone_0_8_runs_on_the_tree_as_it_is() {
    let site = site("ci-drone08");
    let project = Project::new(&[
        (".drone.yml", DRONE08),
        ("greeting", "committed\n"),
        (".gitignore", "ignored\n"),
        ("ignored", "nobody shall see it\n"),
    ]);
    project.write("greeting", "changed\n");
    project.write("untracked", "new\n");
    let run = project.ci(&site, &["run", "--secret", "token=open-sesame"]);
    let run = run.expect_code(0).expect_stderr("[left] changed");
    assert!(
        run.stdout.contains("run 1 of .drone.yml went well"),
        "{}",
        run.stdout
    );
    assert!(!run.stderr.contains("open-sesame"), "{}", run.stderr);
    let listed = log(&project, &site, "prepare");
    assert!(listed.contains("untracked"), "{listed}");
    assert!(!listed.contains("ignored"), "{listed}");
    assert!(log(&project, &site, "left").contains("branch main"));
    let both = log(&project, &site, "both");
    assert!(both.contains("left\nBegin the shop\n"), "{both}");
    assert!(both.contains("the token is ***"), "{both}");
    let states = states(&project, &site);
    assert!(
        states.contains(&"default/tagged skipped".to_owned()),
        "{states:?}"
    );
    let left = site.run(["ps", "--all", "-o", "json"]).json();
    assert_eq!(left, serde_json::json!([]));
}

const DRONE: &str = "\
kind: pipeline
name: test
clone: {disable: true}
steps:
- name: one
  image: busybox
  commands: ['echo one > /drone/src/file']
- name: two
  image: busybox
  commands: ['cat file']
  depends_on: [one]
- name: three
  image: busybox
  commands: ['exit 3']
  failure: ignore
  depends_on: [one]
---
kind: pipeline
name: publish
depends_on: [test]
steps:
- name: announce
  image: busybox
  commands: ['echo $DRONE_STAGE_NAME of $DRONE_REPO']
---
kind: pipeline
name: nightly
steps:
- name: all
  image: busybox
  commands: ['false']
trigger: {cron: [nightly]}
";

#[test]
fn pipelines_of_drone_wait_for_each_other() {
    let site = site("ci-drone");
    let project = Project::new(&[(".drone.yml", DRONE)]);
    let run = project.ci(&site, &["run", "-o", "json"]).json();
    let outcome = &run["runs"][0]["outcome"];
    assert_eq!(outcome["end"], "success", "{run}");
    let states = states(&project, &site);
    assert!(
        states.contains(&"test/two success".to_owned()),
        "{states:?}"
    );
    assert!(
        states.contains(&"test/three {\"failure\":3}".to_owned()),
        "{states:?}"
    );
    assert!(
        outcome["stages"][2]["state"]["skipped"].is_string(),
        "{outcome}"
    );
    let said = log(&project, &site, "announce");
    assert!(said.contains("publish of team/shop"), "{said}");
}

const WOODPECKER: &str = "\
matrix: {WHO: [left, right]}
steps:
  - name: build
    image: busybox
    commands:
      - echo ${WHO} > made
      - echo on $CI_COMMIT_BRANCH
  - name: use
    image: busybox
    directory: folder
    commands: cat ../made
  - name: late
    image: busybox
    commands: ['false']
    when: {status: failure}
";

#[test]
fn workflows_of_woodpecker_run_together() {
    let site = site("ci-woodpecker");
    let project = Project::new(&[
        (".woodpecker/build.yml", WOODPECKER),
        (
            ".woodpecker/end.yml",
            "depends_on: [build]\nsteps:\n  - {name: end, image: busybox, commands: ['echo done']}\n",
        ),
        ("folder/file", ""),
    ]);
    let run = project.ci(&site, &["run", "--jobs", "3"]).expect_code(0);
    assert!(
        run.stderr.contains("[build (WHO=left)/use] left"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("[build (WHO=right)/use] right"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("[end/end] done"), "{}", run.stderr);
    let one = project
        .ci(&site, &["run", "--matrix", "WHO=left"])
        .expect_code(0);
    assert!(!one.stderr.contains("WHO=right)/use]"), "{}", one.stderr);
}

const WORKFLOW: &str = "\
on: push
jobs:
  make:
    runs-on: ubuntu-latest
    container: busybox
    outputs: {what: '${{ steps.one.outputs.what }}'}
    steps:
      - uses: actions/checkout@v4
      - id: one
        run: |
          echo \"what=$(cat greeting)\" >> \"$GITHUB_OUTPUT\"
          echo LATER=later >> \"$GITHUB_ENV\"
      - run: echo $LATER
      - run: echo '::warning file=greeting,line=1::look at it'
  use:
    needs: make
    strategy: {matrix: {who: [a, b]}}
    runs-on: ubuntu-latest
    container: busybox
    steps:
      - run: echo 'it says ${{ needs.make.outputs.what }} on ${{ github.ref_name }}'
";

#[test]
fn jobs_of_github_hand_over_what_they_have_made() {
    let site = site("ci-github");
    let project = Project::new(&[
        (".github/workflows/check.yml", WORKFLOW),
        ("greeting", "hello\n"),
    ]);
    let run = project.ci(&site, &["run"]).expect_code(0);
    assert!(
        run.stderr.contains("it says hello on main"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("] later"), "{}", run.stderr);
    let one = project
        .ci(&site, &["run", "--matrix", "who=b"])
        .expect_code(0);
    assert!(one.stderr.contains("use (b)/"), "{}", one.stderr);
    assert!(!one.stderr.contains("use (a)/"), "{}", one.stderr);
    assert!(
        run.stdout.contains("greeting:1: look at it"),
        "{}",
        run.stdout
    );
}

const FAILING: &str = "\
pipeline:
  make:
    image: busybox
    commands: ['echo made > made', 'mkdir -p kept']
  check:
    image: busybox
    environment: [LEVEL=high]
    commands: ['echo about to fail', 'rm made', 'test -e mended']
  after:
    image: busybox
    commands: ['cat made']
  always:
    image: busybox
    commands: ['echo $DRONE_BUILD_STATUS']
    when: {status: [failure, success]}
";

#[test]
fn a_failure_can_be_looked_at_and_gone_on_from() {
    let site = site("ci-failure");
    let project = Project::new(&[(".drone.yml", FAILING)]);
    let run = project.ci(&site, &["run"]).expect_code(1);
    assert!(run.stdout.contains("| about to fail"), "{}", run.stdout);
    assert!(run.stdout.contains("✘ check"), "{}", run.stdout);
    assert!(
        run.stderr.contains("sampan ci resume 1 check"),
        "{}",
        run.stderr
    );
    assert!(log(&project, &site, "always").contains("failure"));

    let look = "pwd; ls; echo $LEVEL; test -e made || echo gone";
    let shell = project.ci(&site, &["shell", "--command", look]).stdout();
    assert!(
        shell.contains("high") && shell.contains("gone") && shell.contains("kept"),
        "{shell}"
    );

    // What was wrong is mended in the pipeline; the workspace is as it was before the step.
    project.write(
        ".drone.yml",
        &FAILING.replace("'rm made', 'test -e mended'", "'cat made'"),
    );
    let resumed = project.ci(&site, &["resume", "check"]).expect_code(0);
    assert!(
        resumed.stderr.contains("[check] made"),
        "{}",
        resumed.stderr
    );
    assert!(
        resumed.stderr.contains("[after] made"),
        "{}",
        resumed.stderr
    );
    assert!(!resumed.stderr.contains("[make] +"), "{}", resumed.stderr);
    let listed = project.ci(&site, &["list"]).stdout();
    assert!(
        listed.contains("failed") && listed.contains("went well"),
        "{listed}"
    );
    let none = project.ci(&site, &["shell"]).expect_code(3);
    let _hinted = none.expect_stderr("no step of run 2 has failed");
}

#[test]
fn what_is_missing_is_named_before_anything_runs() {
    let site = site("ci-missing");
    let pipeline = "pipeline:\n  a: {image: nothing:1, commands: ['true']}\n  b: {image: busybox, privileged: true, commands: ['true']}\n";
    let project = Project::new(&[(".drone.yml", pipeline)]);
    let run = project.ci(&site, &["run"]);
    assert_ne!(run.code, Some(0));
    assert!(run.stderr.contains(".drone.yml:2:"), "{}", run.stderr);
    assert!(run.stderr.contains("nothing:1"), "{}", run.stderr);
    assert!(run.stderr.contains("privileged"), "{}", run.stderr);
    assert_eq!(
        project.ci(&site, &["list", "-o", "json"]).json()["runs"],
        serde_json::json!([])
    );
}

#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    let site = site("ci-interrupt");
    let pipeline = "pipeline:\n  wait: {image: busybox, commands: ['echo waiting', 'sleep 1000']}\n  after: {image: busybox, commands: ['true']}\n";
    let project = Project::new(&[(".drone.yml", pipeline)]);
    let mut command = site.sampan(["ci", "run"]);
    let child = command
        .current_dir(project.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sampan runs");
    eventually("the step speaks", Duration::from_mins(1), || {
        let said = project.ci(&site, &["logs", "wait"]);
        said.stdout.contains("waiting").then_some(())
    });
    let pid = i32::try_from(child.id()).expect("a process id");
    kill(Pid::from_raw(pid), Signal::SIGINT).expect("the process lives");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(
        site.run(["ps", "--all", "-o", "json"]).json(),
        serde_json::json!([])
    );
    let shown = project.ci(&site, &["show"]).stdout();
    assert!(shown.contains("was cancelled"), "{shown}");
}

#[test]
fn somebody_who_watches_sees_a_picture() {
    let site = site("ci-live");
    let pipeline = "pipeline:\n  one: {image: busybox, commands: ['echo first', 'exit 2']}\n  two: {image: busybox, commands: ['true']}\n";
    let project = Project::new(&[(".drone.yml", pipeline)]);
    let mut command = site.sampan(["ci", "run"]);
    let terminal = Terminal::start(command.current_dir(project.path()));
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(1), "{screen}");
    let plain = console_text(&screen);
    assert!(plain.contains("✘") && plain.contains("one"), "{plain}");
    assert!(
        plain.contains("skipped: something before it failed"),
        "{plain}"
    );
    assert!(plain.contains("last lines of default/one"), "{plain}");
}

/// What is shown without colours.
fn console_text(screen: &str) -> String {
    let mut text = String::new();
    let mut rest = screen;
    while let Some(at) = rest.find('\u{1b}') {
        text.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let end = after.find(|c: char| c.is_ascii_alphabetic());
        rest = end.map_or("", |end| &after[end + 1..]);
    }
    text.push_str(rest);
    text
}

#[test]
fn results_are_collected_and_judged() {
    let site = site("ci-quality");
    let report = "<testsuite><testcase classname='shop' name='good'/><testcase classname='shop' name='bad'><failure message='1 is not 2'/></testcase></testsuite>";
    let pipeline = "pipeline:\n  test: {image: busybox, commands: ['mkdir reports', 'cp report.xml reports/unit.xml', 'ln -s /etc/passwd reports/link.xml']}\n";
    let gate = "apiVersion: sampan/v1\nkind: App\nquality:\n  reports: [reports/*.xml]\n  tests: {failed: 0, atLeast: 1}\n";
    let project = Project::new(&[
        (".drone.yml", pipeline),
        ("report.xml", report),
        ("sampan.yaml", gate),
    ]);
    let bad = project.ci(&site, &["run"]).expect_code(1);
    assert!(
        bad.stdout.contains("tests: 1 passed, 1 failed, 0 skipped"),
        "{}",
        bad.stdout
    );
    assert!(
        bad.stdout.contains("shop.bad: 1 is not 2"),
        "{}",
        bad.stdout
    );
    assert!(bad.stdout.contains("quality gate failed"), "{}", bad.stdout);
    let shown = project.ci(&site, &["show"]).stdout();
    assert!(shown.contains("run 1 of .drone.yml failed"), "{shown}");
    project.write("sampan.yaml", &gate.replace("failed: 0", "failed: 1"));
    let good = project.ci(&site, &["run", "-o", "json"]).json();
    assert_eq!(good["runs"][0]["report"]["quality"]["passed"], true);
    // Nobody needs the workspaces of a run that went well.
    assert!(!site.data().join("ci/runs/2/stages").exists());
    assert!(site.data().join("ci/runs/1/stages").exists());
}

const TOOLS: &str = "\
on: push
jobs:
  make:
    runs-on: ubuntu-latest
    container: busybox
    steps:
      - uses: actions/setup-go@v5
        with: {go-version: '1.22'}
      - run: greet \"$GOROOT\"
";

#[test]
fn tools_come_from_the_image_that_the_installation_sets() {
    let site = site("ci-tools");
    let project = Project::new(&[(".github/workflows/check.yml", TOOLS)]);
    let missing = project.ci(&site, &["run"]).expect_code(1);
    assert!(
        missing.stderr.contains("set `toolchains.go` in `ci.yaml`"),
        "{}",
        missing.stderr
    );

    let folder = tempfile::tempdir().expect("a temporary folder");
    let programs = folder.path().join("usr/local/go/bin");
    fs::create_dir_all(&programs).expect("a folder");
    let greet = programs.join("greet");
    fs::write(&greet, "#!/bin/sh\necho greetings from \"$1\"\n").expect("a program");
    fs::set_permissions(&greet, fs::Permissions::from_mode(0o755)).expect("rights");
    let archive = folder.path().join("tools.tar");
    let mut tar = Command::new("tar");
    tar.arg("--create").arg("--file").arg(&archive);
    tar.arg("--directory").arg(folder.path()).arg("usr");
    let _made = Finished::of(&mut tar).expect_code(0);
    let archive = archive.to_str().expect("a path");
    let _imported = site
        .run(["image", "import", archive, "tools:1.22"])
        .expect_code(0);
    let config = "toolchains:\n  go: {\"1.22\": tools:1.22}\n";
    fs::write(site.data().join("ci.yaml"), config).expect("the configuration");
    let run = project.ci(&site, &["run"]).expect_code(0);
    assert!(run.stderr.contains("greetings from /"), "{}", run.stderr);
}
