//! Runs that are killed in the middle of a step: what they leave is found and taken away, and they are gone on with.

use std::fs;
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sampan_testkit::{Installation, eventually};

use crate::fixture::{Project, SAMPAN};

const PIPELINE: &str = "\
kind: pipeline
name: default
steps:
- name: make
  image: busybox
  commands: ['echo made > made']
- name: wait
  image: busybox
  commands: ['echo waiting', 'rm made', 'sleep 1000']
- name: after
  image: busybox
  commands: ['cat made']
services:
- name: db
  image: busybox
  commands: ['sleep 1000']
";

fn site(name: &str) -> (Installation, Project) {
    let site = Installation::site(SAMPAN, name);
    site.import_busybox();
    (site, Project::new(&[(".drone.yml", PIPELINE)]))
}

/// A run in the middle of its second step.
fn started(site: &Installation, project: &Project) -> Child {
    let mut command = site.sampan(["ci", "run"]);
    let child = command
        .current_dir(project.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sampan runs");
    eventually("the step speaks", Duration::from_mins(1), || {
        let said = fs::read_to_string(site.data().join("ci/runs/1/logs/default/wait.log"));
        said.is_ok_and(|said| said.contains("waiting\n"))
            .then_some(())
    });
    child
}

/// A run that was killed in the middle of its second step, with all that it has left.
fn killed(site: &Installation, project: &Project) {
    let mut child = started(site, project);
    let pid = i32::try_from(child.id()).expect("a process id");
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("the process lives");
    child.wait().expect("it ends");
    assert_eq!(containers(site), 2, "a step and a service go on");
    assert!(!mounts(site).is_empty(), "namespaces are pinned");
    assert!(leases(site) > 0, "addresses are taken");
}

fn containers(site: &Installation) -> usize {
    let listed = site.run(["ps", "--all", "-o", "json"]).json();
    listed.as_array().expect("a list").len()
}

/// What is mounted below the data folder.
fn mounts(site: &Installation) -> String {
    let table = fs::read_to_string("/proc/self/mountinfo").expect("a table");
    let data = site.data().display().to_string();
    let own = table.lines().filter(|line| line.contains(&data));
    own.collect::<Vec<_>>().join("\n")
}

fn leases(site: &Installation) -> usize {
    fs::read_dir(site.data().join("network/leases")).map_or(0, Iterator::count)
}

fn check_nothing_left(site: &Installation) {
    assert_eq!(containers(site), 0, "containers are left");
    assert_eq!(mounts(site), "", "mounts are left");
    assert_eq!(leases(site), 0, "addresses are left");
    assert!(!site.data().join("ci/runs/1/net").exists());
    assert!(!site.data().join("ci/runs/1/stages/default/steps").exists());
}

/// Goes on from the step, without saying which, once it is mended.
fn resume(site: &Installation, project: &Project) {
    let mended = PIPELINE.replace("'rm made', 'sleep 1000'", "'cat made'");
    project.write(".drone.yml", &mended);
    let resumed = project.ci(site, &["resume"]).expect_code(0);
    for said in ["[wait] made", "[after] made"] {
        assert!(resumed.stderr.contains(said), "{}", resumed.stderr);
    }
    assert!(!resumed.stderr.contains("[make] +"), "{}", resumed.stderr);
    check_nothing_left(site);
}

#[test]
fn the_next_command_takes_away_what_a_killed_run_has_left() {
    let (site, project) = site("ci-killed");
    killed(&site, &project);
    let listed = project.ci(&site, &["list"]).expect_code(0);
    assert!(listed.stdout.contains("was killed"), "{}", listed.stdout);
    check_nothing_left(&site);
    resume(&site, &project);
}

#[test]
fn down_takes_away_what_a_killed_run_has_left() {
    let (site, project) = site("ci-killed-down");
    killed(&site, &project);
    let _down = site.run(["down"]).expect_code(0);
    check_nothing_left(&site);
    resume(&site, &project);
}

#[test]
fn down_ends_runs_that_go_on() {
    let (site, project) = site("ci-down");
    let mut child = started(&site, &project);
    let refused = project.ci(&site, &["resume", "1", "wait"]).expect_code(1);
    let _refused = refused.expect_stderr("run 1 still goes on");
    let down = site.run(["down", "-o", "json"]).json();
    assert_eq!(down["runs"], 1, "{down}");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let listed = project.ci(&site, &["list"]).expect_code(0);
    assert!(listed.stdout.contains("was cancelled"), "{}", listed.stdout);
    check_nothing_left(&site);
}
