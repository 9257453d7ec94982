//! Services, detached steps, and ending a run early.

use std::time::{Duration, Instant};

use sampan_pipeline::plan::End;
use sampan_pipeline::run::{Event, Source};

use crate::site::{Site, graph};

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
