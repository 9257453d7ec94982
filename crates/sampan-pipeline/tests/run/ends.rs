//! What time and cancelling end, and what is done even so.

use sampan_pipeline::plan::{End, State};
use sampan_pipeline::run::Event;

use crate::github::{run, run_with};
use crate::site::Site;

#[test]
fn what_is_left_in_the_background_does_not_hold_a_step() {
    let mut site = Site::new();
    let ran = run(
        &mut site,
        r"
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    timeout-minutes: 1
    steps:
      - run: (while :; do echo noise; sleep 0.1; done) &
      - run: echo on
",
    );
    assert_eq!(ran.outcome.end, Some(End::Success), "{:#?}", ran.events);
    assert!(ran.said("build", "step-1").contains("noise"));
    site.check_nothing_left();
}

#[test]
fn a_late_job_does_what_is_always_done() {
    let mut site = Site::new();
    let ran = run(
        &mut site,
        r"
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    timeout-minutes: 0.02
    steps:
      - run: sleep 4321 & sleep 4321
      - run: echo never
      - if: always()
        run: |
          sleep 0.1; echo ${{ job.status }}
          grep -l 'sleep.432[1]' /proc/[0-9]*/cmdline || echo nothing runs
      - if: always()
        uses: actions/upload-artifact@v4
        with: {path: /github/workspace, if-no-files-found: ignore}
  quick:
    runs-on: ubuntu-latest
    steps:
      - timeout-minutes: 0.01
        run: sleep 1000
",
    );
    assert_eq!(ran.outcome.end, Some(End::Failure(None)));
    let said = ran.said("build", "step-3");
    assert!(said.ends_with("\ncancelled\nnothing runs\n"), "{said}");
    ran.place("build/step-4 ended Success");
    ran.place("build ended Failure(None)it took longer than it may");
    let step = ran.outcome.stage("quick").unwrap().step("step-1").unwrap();
    assert_eq!(step.reason.as_deref(), Some("it took longer than it may"));
    site.check_nothing_left();
}

const CANCELLED: &str = r"
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: mkdir out; echo kept > out/file; echo ready; sleep 1000
      - if: always()
        uses: actions/upload-artifact@v4
        with: {path: out}
  after:
    needs: build
    if: always()
    runs-on: ubuntu-latest
    steps:
      - run: echo after ${{ needs.build.result }}
  told:
    needs: build
    if: cancelled()
    runs-on: ubuntu-latest
    steps:
      - run: echo told
  failed:
    needs: build
    if: failure()
    runs-on: ubuntu-latest
    steps:
      - run: echo never
  usual:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - run: echo never
";

#[test]
fn a_cancelled_run_does_what_is_always_done() {
    let mut site = Site::new();
    let interrupt = site.interrupt.clone();
    let ran = run_with(&mut site, CANCELLED, Vec::new(), &mut |event| {
        if let Event::StepOutput { bytes, .. } = event
            && bytes.ends_with(b"ready\n")
        {
            interrupt.trigger();
        }
    })
    .unwrap();
    assert_eq!(ran.outcome.end, Some(End::Cancelled), "{:#?}", ran.events);
    ran.place("build/step-1 ended Cancelled");
    ran.place("build/step-2 ended Success");
    assert!(site.run_folder().join("artifacts/1.json").exists());
    assert!(ran.said("after", "step-1").ends_with("\nafter cancelled\n"));
    assert!(ran.said("told", "step-1").ends_with("\ntold\n"));
    for stage in ["failed", "usual"] {
        let state = &ran.outcome.stage(stage).unwrap().state;
        assert!(matches!(state, State::Skipped(_)), "{stage}: {state:?}");
    }
    site.check_nothing_left();
}

#[test]
fn a_run_that_is_cancelled_twice_does_nothing_more() {
    let mut site = Site::new();
    let interrupt = site.interrupt.clone();
    let ran = run_with(&mut site, CANCELLED, Vec::new(), &mut |event| {
        if let Event::StepOutput { bytes, .. } = event
            && bytes.ends_with(b"ready\n")
        {
            interrupt.trigger();
            interrupt.trigger();
        }
    })
    .unwrap();
    assert_eq!(ran.outcome.end, Some(End::Cancelled), "{:#?}", ran.events);
    for stage in ["after", "told", "failed", "usual"] {
        ran.place(&format!("{stage} skipped: the run was cancelled"));
    }
    site.check_nothing_left();
}

#[test]
fn built_ins_end_when_their_time_is_over() {
    let mut site = Site::new();
    site.write("Dockerfile", "FROM busybox\n");
    let ran = run(
        &mut site,
        r"
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: docker/build-push-action@v6
        timeout-minutes: 0.01
        with: {context: ., target: endless}
      - if: failure()
        run: echo after
",
    );
    assert_eq!(ran.outcome.end, Some(End::Failure(None)));
    let step = ran.outcome.stage("build").unwrap().step("step-2").unwrap();
    assert_eq!(step.reason.as_deref(), Some("it took longer than it may"));
    assert!(ran.said("build", "step-3").ends_with("\nafter\n"));
    site.check_nothing_left();
}

#[test]
fn a_failure_that_may_be_ignored_counts_when_that_cannot_be_told() {
    let mut site = Site::new();
    let ran = run(
        &mut site,
        r"
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: exit 3
        continue-on-error: ${{ fromJSON('{') }}
      - run: echo never
      - if: always()
        run: echo always
",
    );
    assert_eq!(
        ran.outcome.end,
        Some(End::Failure(None)),
        "{:#?}",
        ran.events
    );
    let stage = ran.outcome.stage("build").unwrap();
    let step = stage.step("step-1").unwrap();
    assert_eq!(step.state, State::Ended(End::Failure(Some(3))));
    let reason = step.reason.as_deref().unwrap();
    assert!(reason.contains("has no value"), "{reason}");
    ran.place("build/step-2 skipped: something before it failed");
    assert!(ran.said("build", "step-3").ends_with("\nalways\n"));
    site.check_nothing_left();
}
