//! Services, detached steps, and ending a run early.

use std::time::{Duration, Instant};

use sampan_pipeline::plan::End;
use sampan_pipeline::run::{Event, RunError, Source};

use crate::github;
use crate::site::{Ran, Site, graph};

#[test]
fn services_are_found_by_name_and_end_with_the_stage() {
    let mut site = Site::new();
    let ran = site.run(
        ".drone.yml",
        "pipeline:\n\
         \x20 server:\n    image: busybox\n    detach: true\n    commands: [echo from-server > index.html, httpd -f -p 8000]\n\
         \x20 ask:\n    image: busybox\n    commands:\n    - until wget -q -O - http://server:8000/index.html; do sleep 0.1; done\n\
         \x20   - until wget -q -O - http://db:9000/; do sleep 0.1; done\n\
         services:\n\
         \x20 db:\n    image: busybox\n    command: [sh, -c, 'echo from-db > /index.html; httpd -f -p 9000 -h /']\n",
    );
    assert_eq!(
        ran.outcome.end,
        Some(End::Success),
        "{:#?} {:?}",
        ran.events,
        ran.said
    );
    let stage = &ran.outcome.stages[0].id;
    let said = ran.said(stage, "ask");
    assert!(
        said.contains("from-server") && said.contains("from-db"),
        "{said}"
    );
    site.check_nothing_left();
}

#[test]
fn a_cancelled_run_ends_at_once_and_leaves_nothing() {
    let mut site = Site::new();
    let graph = graph(
        ".drone.yml",
        "kind: pipeline\nname: default\nsteps:\n\
         - name: long\n  image: busybox\n  commands: [sleep 1000]\n\
         - name: after\n  image: busybox\n  commands: [echo after]\n  when: {status: [success, failure]}\n\
         services:\n- name: db\n  image: busybox\n  commands: [sleep 1000]\n",
    );
    let interrupt = site.interrupt.clone();
    let began = Instant::now();
    let ran = site
        .run_source(Source::Graph(&graph), &mut |event| {
            if let Event::StepOutput { step: "long", .. } = event {
                interrupt.trigger();
            }
        })
        .unwrap();
    assert_eq!(ran.outcome.end, Some(End::Cancelled), "{:#?}", ran.events);
    ran.place("default/long ended Cancelled");
    ran.place("default/after skipped: the run was cancelled");
    assert!(began.elapsed() < Duration::from_mins(1));
    site.check_nothing_left();
}

#[test]
fn images_say_how_their_services_are_known_to_be_well() {
    let mut site = Site::new();
    let ran = github::run(
        &mut site,
        r#"
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    services:
      web:
        image: checked
        ports: ["8080:80"]
        entrypoint: sh
        command: -c "echo served > /index.html; (sleep 1; httpd -p 80 -h /; touch /ready; sleep 1000)"
      silent:
        image: checked
        options: --no-healthcheck
        entrypoint: sleep
        command: "1000"
      patient:
        image: busybox
        options: --health-cmd true --health-interval 1000000h --health-retries 4294967295 --health-timeout 5000000000000h
        entrypoint: sleep
        command: "1000"
    steps:
      - run: wget -q -O - http://localhost:8080/
"#,
    );
    assert_eq!(
        ran.outcome.end,
        Some(End::Success),
        "{:#?} {:#?}",
        ran.events,
        ran.said
    );
    let said = ran.said("build", "step-1");
    assert!(said.ends_with("\nserved\n"), "{said}");
    site.check_nothing_left();
}

#[test]
fn what_a_job_cannot_get_is_said_before_anything_runs() {
    let mut site = Site::new();
    let text = r"
on: push
jobs:
  first:
    runs-on: ubuntu-latest
    container: {image: busybox, options: --ulimit nofile=10}
    steps:
      - run: echo never
  second:
    runs-on: big-machine
    steps:
      - run: echo never
";
    let error = github::run_with(&mut site, text, Vec::new(), &mut |_| {})
        .err()
        .unwrap();
    let RunError::Planning(missing) = &error else {
        panic!("{error:?}");
    };
    let said: Vec<_> = missing
        .iter()
        .map(|missing| missing.what.as_str())
        .collect();
    assert_eq!(
        said,
        [
            "the option `--ulimit` of a container is not supported",
            "there is no image for jobs that run on `big-machine`",
        ]
    );
    assert!(missing.iter().all(|missing| missing.hint.is_some()));
    site.check_nothing_left();
}

#[test]
fn volumes_of_the_machine_stay_after_the_run() {
    let mut site = Site::new();
    let file = |command: &str| {
        format!(
            "steps:\n  one:\n    image: busybox\n    volumes: [kept:/kept]\n    commands: [{command}]\n"
        )
    };
    let path = ".woodpecker.yml";
    let ran = site.run(path, &file("echo kept > /kept/file"));
    assert_eq!(ran.outcome.end, Some(End::Success), "{:#?}", ran.said);
    let ran = site.run(path, &file("cat /kept/file"));
    assert_eq!(ran.outcome.end, Some(End::Success), "{:#?}", ran.said);
    site.check_nothing_left();
}

#[test]
fn volumes_in_memory_are_shared_and_no_larger_than_they_may_be() {
    let mut site = Site::new();
    let ran = site.run(
        ".drone.yml",
        "kind: pipeline\nname: default\nclone: {disable: true}\nsteps:\n\
         - name: write\n  image: busybox\n  volumes: [{name: fast, path: /fast}]\n  commands:\n\
         \x20 - grep ' /fast tmpfs ' /proc/mounts\n  - echo shared > /fast/file\n\
         \x20 - if head -c 2000000 /dev/zero > /fast/large; then exit 1; fi\n  - rm /fast/large\n\
         - name: read\n  image: busybox\n  volumes: [{name: fast, path: /other}]\n  commands: [cat /other/file]\n\
         volumes:\n- name: fast\n  temp: {medium: memory, size_limit: 1MiB}\n",
    );
    let said = ran.said("default", "read");
    assert_eq!(ran.outcome.end, Some(End::Success), "{:?}", ran.said);
    assert!(said.ends_with("shared\n"), "{said}");
    site.check_nothing_left();
}

#[test]
fn how_readily_memory_is_swapped_can_be_said_where_the_machine_knows_it() {
    let mut site = Site::new();
    let pipeline = |value: u32| {
        format!(
            "pipeline:\n  a:\n    image: busybox\n    mem_swappiness: {value}\n    commands: [cat /sys/fs/cgroup/memory/memory.swappiness]\n"
        )
    };
    let refused = |ran: Result<Ran, RunError>| ran.map(drop).unwrap_err().to_string();
    let too_much = refused(site.try_run(".drone.yml", &pipeline(101)));
    assert!(too_much.contains("`mem_swappiness: 101`"), "{too_much}");
    if sampan_container::Resources::swappiness_is_known() {
        let ran = site.run(".drone.yml", &pipeline(33));
        let stage = &ran.outcome.stages[0].id;
        let said = ran.said(stage, "a");
        assert!(said.ends_with("\n33\n"), "{said}");
    } else {
        let unknown = refused(site.try_run(".drone.yml", &pipeline(33)));
        assert!(unknown.contains("`mem_swappiness: 33`"), "{unknown}");
    }
    site.check_nothing_left();
}

#[test]
fn folders_in_memory_have_the_options_that_are_known() {
    let mut site = Site::new();
    let mut ran = |options: &str| {
        let text = format!(
            "pipeline:\n  a:\n    image: busybox\n    tmpfs: ['/fast:{options}']\n    commands: [grep ' /fast tmpfs ' /proc/mounts]\n"
        );
        site.run(".drone.yml", &text)
    };
    let well = ran("rw,size=1m,exec,mode=1777");
    let said = well.said(&well.outcome.stages[0].id, "a");
    assert!(said.contains("size=1024k"), "{said}");
    let unknown = ran("size=1m,uid=7");
    let mut steps = unknown.outcome.stages[0].steps.iter();
    let reason = steps.find_map(|step| step.reason.clone()).unwrap();
    assert!(reason.contains("`uid=7` is no option"), "{reason}");
    site.check_nothing_left();
}
