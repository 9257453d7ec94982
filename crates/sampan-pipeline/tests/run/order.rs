//! In which order steps and stages run, and what their ends mean to others.

use sampan_pipeline::plan::{End, State};
use sampan_pipeline::run::{Resume, RunError};

use crate::site::Site;

#[test]
fn steps_share_a_workspace_and_come_one_after_the_other() {
    let mut site = Site::new();
    site.secrets
        .insert("token".to_owned(), "s3cret-token".to_owned());
    let ran = site.run(
        ".drone.yml",
        "kind: pipeline\nname: default\nsteps:\n\
         - name: build\n  image: busybox\n  environment:\n    TOKEN: {from_secret: token}\n  \
           commands:\n  - cat README\n  - echo built > out\n  - echo $TOKEN $DRONE_BUILD_STATUS\n\
         - name: test\n  image: busybox\n  commands: [cat out, pwd, exit 3]\n\
         - name: never\n  image: busybox\n  commands: [echo never]\n\
         - name: report\n  image: busybox\n  commands: [echo $DRONE_STAGE_STATUS $DRONE_FAILED_STEPS]\n  \
           when: {status: [failure]}\n",
    );
    assert_eq!(ran.outcome.end, Some(End::Failure(None)));
    assert_eq!(
        ran.said("default", "build"),
        "+ cat README\nthe tree\n+ echo built > out\n+ echo $TOKEN $DRONE_BUILD_STATUS\n*** success\n"
    );
    assert_eq!(
        ran.said("default", "test"),
        "+ cat out\nbuilt\n+ pwd\n/drone/src\n+ exit 3\n"
    );
    assert_eq!(
        ran.said("default", "report"),
        "+ echo $DRONE_STAGE_STATUS $DRONE_FAILED_STEPS\nfailure test\n"
    );
    assert_eq!(
        ran.events,
        [
            "default began",
            "default/clone began",
            "default/clone ended Success",
            "default/build began",
            "default/build ended Success",
            "default/test began",
            "default/test ended Failure(Some(3))",
            "default/never skipped: something before it failed",
            "default/report began",
            "default/report ended Success",
            "default ended Failure(None)",
        ]
    );
    let log = site.run_folder().join("logs/default/build.log");
    assert_eq!(
        std::fs::read_to_string(log).unwrap(),
        ran.said("default", "build")
    );
    site.check_nothing_left();
}

#[test]
fn steps_and_stages_that_do_not_wait_run_at_once() {
    let mut site = Site::new();
    // Each of the two waits for what the other writes.
    let pair = "- name: one\n  image: busybox\n  commands: [touch a, 'until test -e b; do sleep 0.1; done']\n  \
                depends_on: [clone]\n\
                - name: two\n  image: busybox\n  commands: [touch b, 'until test -e a; do sleep 0.1; done']\n  \
                depends_on: [clone]\n";
    let ran = site.run(
        ".drone.yml",
        &format!(
            "kind: pipeline\nname: a\nsteps:\n{pair}---\nkind: pipeline\nname: b\nsteps:\n{pair}---\n\
             kind: pipeline\nname: c\ndepends_on: [a, b]\nsteps:\n- name: last\n  image: busybox\n  commands: [ls]\n"
        ),
    );
    assert_eq!(ran.outcome.end, Some(End::Success), "{:#?}", ran.events);
    assert!(ran.place("b began") < ran.place("a ended Success"));
    assert!(ran.place("c began") > ran.place("b ended Success"));
    assert_eq!(ran.said("c", "last"), "+ ls\nREADME\n");
    assert!(
        !site.run_folder().join("stages").exists(),
        "a good run keeps no workspaces"
    );
    site.check_nothing_left();
}

#[test]
fn early_exits_timeouts_and_ignored_failures_are_known() {
    let mut site = Site::new();
    let ran = site.run(
        ".drone.yml",
        "kind: pipeline\nname: default\nsteps:\n\
         - name: lint\n  image: busybox\n  failure: ignore\n  commands: [exit 1]\n\
         - name: stop\n  image: busybox\n  commands: [exit 78]\n\
         - name: never\n  image: busybox\n  commands: [echo never]\n",
    );
    assert_eq!(ran.outcome.end, Some(End::Success), "{:#?}", ran.events);
    ran.place("default/lint ended Failure(Some(1))");
    ran.place("default/never skipped: a step ended the stage early and well");
}

#[test]
fn what_is_missing_is_named_before_anything_starts() {
    let mut site = Site::new();
    let ran = site.try_run(
        ".drone.yml",
        "kind: pipeline\nname: default\nsteps:\n\
         - name: a\n  image: nothing:1\n  commands: [echo a]\n\
         - name: b\n  image: busybox\n  commands: [echo b]\n\
         - name: c\n  image: nothing:2\n  commands: [echo c]\n",
    );
    let Err(RunError::Planning(missing)) = ran else {
        panic!("the run began");
    };
    let lines: Vec<String> = missing.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            ".drone.yml:4:3: there is no image `nothing:1`",
            ".drone.yml:10:3: there is no image `nothing:2`"
        ]
    );
    assert!(!site.run_folder().join("logs").exists());
}

#[test]
fn a_run_is_gone_on_with_from_a_step() {
    let mut site = Site::new();
    let text = "kind: pipeline\nname: default\nsteps:\n\
         - name: count\n  image: busybox\n  commands: [echo once >> counted]\n\
         - name: change\n  image: busybox\n  commands: [cat counted, echo twice >> counted, 'test -e README']\n\
         - name: last\n  image: busybox\n  commands: [cat counted, exit 1]\n";
    let first = site.run(".drone.yml", text);
    assert_eq!(first.outcome.end, Some(End::Failure(None)));
    site.options.resume = Some(Resume {
        folder: site.run_folder(),
        stage: "default".to_owned(),
        step: "change".to_owned(),
    });
    let second = site.run(".drone.yml", text);
    assert_eq!(
        second.events,
        [
            "default began",
            "default/change began",
            "default/change ended Success",
            "default/last began",
            "default/last ended Failure(Some(1))",
            "default ended Failure(None)",
        ]
    );
    assert_eq!(
        second.said("default", "last"),
        "+ cat counted\nonce\ntwice\n+ exit 1\n"
    );
    let stage = second.outcome.stage("default").unwrap();
    assert_eq!(
        stage.step("count").unwrap().state,
        State::Ended(End::Success)
    );
}
