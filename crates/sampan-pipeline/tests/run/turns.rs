//! Runs that exclude each other, as processes of their own would: each has an executor of its own.

use std::collections::BTreeMap;
use std::fs;
use std::sync::mpsc::{Receiver, channel};
use std::thread::Scope;

use sampan_pipeline::github::Workflow;
use sampan_pipeline::plan::End;
use sampan_pipeline::run::{Event, Interrupt, Outcome, Source, WorkflowSource};

use crate::github::Tree;
use crate::site::{Site, graph, graph_of};

/// A run that goes on beside others.
struct Beside {
    number: u64,
    interrupt: Interrupt,
    told: Receiver<String>,
    ended: Receiver<Outcome>,
}

impl Beside {
    /// Waits until an event comes that begins like this.
    fn until(&self, wanted: &str) -> String {
        let mut before = Vec::new();
        loop {
            let Ok(event) = self.told.recv() else {
                panic!("no `{wanted}` in {before:#?}");
            };
            if event.starts_with(wanted) {
                return event;
            }
            before.push(event);
        }
    }

    fn end(self) -> Outcome {
        while self.told.recv().is_ok() {}
        self.ended.recv().unwrap()
    }
}

fn shown(event: &Event<'_>) -> String {
    match event {
        Event::Waits { stage, on } => format!("waits {} {on}", stage.unwrap_or("-")),
        Event::StepOutput { stage, step, bytes } => {
            format!("{stage}/{step} said {}", String::from_utf8_lossy(bytes))
        }
        Event::StageEnded { stage, end, .. } => format!("{stage} ended {end:?}"),
        other => format!("{other:?}"),
    }
}

/// Begins a run; `begin` carries it out with an interrupt and somebody to tell.
fn begin<'scope>(
    scope: &'scope Scope<'scope, '_>,
    site: &'scope Site,
    number: u64,
    file: &'static str,
    text: String,
) -> Beside {
    let (tell, told) = channel();
    let (end, ended) = channel();
    let interrupt = Interrupt::default();
    let own = interrupt.clone();
    scope.spawn(move || {
        let mut watch = |event: &Event<'_>| drop(tell.send(shown(event)));
        let graph;
        let workflow;
        let (vars, runners) = (
            BTreeMap::new(),
            BTreeMap::from([("ubuntu-latest".to_owned(), "busybox".to_owned())]),
        );
        let sources = Tree(vec![("./.github/workflows/called.yml", CALLED)]);
        let source = if file.ends_with("ci.yml") {
            workflow = Workflow::parse(file, &text).unwrap();
            Source::GitHub(WorkflowSource {
                workflow: &workflow,
                vars: &vars,
                sources: &sources,
                runners: &runners,
                node: &[],
            })
        } else {
            graph = self::graph(file, &text);
            Source::Graph(&graph)
        };
        let ran = site.run_beside(number, &own, source, &mut watch).unwrap();
        end.send(ran.outcome).unwrap();
    });
    Beside {
        number,
        interrupt,
        told,
        ended,
    }
}

const CALLED: &str = "\
on: {workflow_call: {}}
jobs:
  inner:
    runs-on: ubuntu-latest
    steps:
      - run: echo inside; while [ ! -e /go ]; do sleep 0.1; done
";

/// A workflow in whose only step a run stays until it is ended.
fn stays(concurrency: &str, job: &str) -> String {
    format!(
        "on: push\n{concurrency}\njobs:\n  build:\n    runs-on: ubuntu-latest\n    {job}\n    steps:\n      - run: echo inside; sleep 1000\n"
    )
}

/// A workflow that ends by itself.
fn ends(concurrency: &str, job: &str) -> String {
    stays(concurrency, job).replace("; sleep 1000", "")
}

const WORKFLOW: &str = ".github/workflows/ci.yml";

/// What is left of the groups.
fn groups(site: &Site) -> Vec<String> {
    let entries = fs::read_dir(site.data().join("ci/groups")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "lock").collect()
}

#[test]
fn one_run_of_a_group_waits_and_a_newer_one_takes_its_place() {
    let site = Site::new();
    std::thread::scope(|scope| {
        let first = begin(scope, &site, 1, WORKFLOW, stays("concurrency: Deploy", ""));
        first.until("build/step-1 said");
        let always = ends("concurrency: deploy", "if: always()");
        let second = begin(scope, &site, 2, WORKFLOW, always);
        let on = second.until("waits");
        assert_eq!(on, "waits - run 1 in the concurrency group `deploy`");
        // Other groups are of no concern.
        let other = begin(scope, &site, 3, WORKFLOW, ends("concurrency: other", ""));
        assert_eq!(other.end().end, Some(End::Success));
        let third = begin(scope, &site, 4, WORKFLOW, ends("concurrency: deploy", ""));
        let second = second.end();
        assert_eq!(second.end, Some(End::Cancelled));
        assert_eq!(
            second.reason.as_deref(),
            Some("run 4 came after it in the concurrency group `deploy`")
        );
        // Its turn never came: not even what is there for every end has begun.
        assert_eq!(second.stages[0].began, None);
        third.until("waits - run 1");
        first.interrupt.trigger();
        assert_eq!(first.end().end, Some(End::Cancelled));
        assert_eq!(third.end().end, Some(End::Success));
    });
    assert_eq!(groups(&site), Vec::<String>::new());
    site.check_nothing_left();
}

#[test]
fn a_newer_run_cancels_the_one_that_runs_where_it_says_so() {
    let site = Site::new();
    let group = "concurrency: {group: '${{ github.ref }}', cancel-in-progress: true}";
    std::thread::scope(|scope| {
        let first = begin(scope, &site, 1, WORKFLOW, stays(group, ""));
        first.until("build/step-1 said");
        let second = begin(scope, &site, 2, WORKFLOW, ends(group, ""));
        let first = first.end();
        assert_eq!(first.end, Some(End::Cancelled));
        assert_eq!(
            first.reason.as_deref(),
            Some("run 2 came after it in the concurrency group `refs/heads/main`")
        );
        assert_eq!(second.end().end, Some(End::Success));
    });
    site.check_nothing_left();
}

#[test]
fn jobs_wait_for_jobs_and_all_of_them_where_the_queue_is_long() {
    let site = Site::new();
    let queue = "concurrency: {group: x, queue: max}";
    std::thread::scope(|scope| {
        let first = begin(scope, &site, 1, WORKFLOW, stays("", queue));
        first.until("build/step-1 said");
        let second = begin(scope, &site, 2, WORKFLOW, ends("", queue));
        second.until("waits build `build` of run 1");
        let third = begin(scope, &site, 3, WORKFLOW, ends("", queue));
        third.until("waits build `build` of run 1");
        // One that waits can be ended as well.
        third.interrupt.trigger();
        assert_eq!(third.end().end, Some(End::Cancelled));
        // A job that cancels another leaves the run of that one to what else is in it.
        let cancels = "concurrency: {group: X, cancel-in-progress: true}";
        let fourth = begin(scope, &site, 4, WORKFLOW, ends("", cancels));
        let first = first.end();
        assert_eq!(first.end, Some(End::Cancelled));
        assert_eq!(
            first.stages[0].reason.as_deref(),
            Some("`build` of run 4 came after it in the concurrency group `x`")
        );
        // The newcomer allows one to wait: itself.
        assert_eq!(second.end().end, Some(End::Cancelled));
        assert_eq!(fourth.end().end, Some(End::Success));
    });
    assert_eq!(groups(&site), Vec::<String>::new());
    site.check_nothing_left();
}

#[test]
fn who_comes_first_has_the_turn_even_if_others_come_at_once() {
    let site = Site::new();
    let matrix = "concurrency: x\n    strategy: {matrix: {number: [1, 2]}}";
    std::thread::scope(|scope| {
        let outcome = begin(scope, &site, 1, WORKFLOW, ends("", matrix)).end();
        assert_eq!(outcome.end, Some(End::Success), "{:#?}", outcome.stages);
    });
    assert_eq!(groups(&site), Vec::<String>::new());
    site.check_nothing_left();
}

#[test]
fn what_a_killed_run_was_told_does_not_end_another() {
    let site = Site::new();
    let folder = site.data().join("ci/groups");
    std::thread::scope(|scope| {
        // Killed when it had given back its place, but not yet that it was asked to end.
        let first = begin(scope, &site, 1, WORKFLOW, stays("concurrency: x", ""));
        first.until("build/step-1 said");
        let group = folder.join(&groups(&site)[0]);
        first.interrupt.trigger();
        assert_eq!(first.end().end, Some(End::Cancelled));
        fs::create_dir_all(&group).unwrap();
        fs::write(group.join("1.ends"), "run 2").unwrap();
        let second = begin(scope, &site, 2, WORKFLOW, ends("concurrency: x", ""));
        assert_eq!(second.end().end, Some(End::Success));
    });
    assert_eq!(groups(&site), Vec::<String>::new());
    site.check_nothing_left();
}

#[test]
fn who_would_wait_for_itself_is_cancelled() {
    let site = Site::new();
    std::thread::scope(|scope| {
        let text = ends("concurrency: same", "concurrency: Same");
        let outcome = begin(scope, &site, 1, WORKFLOW, text).end();
        assert_eq!(outcome.end, Some(End::Cancelled));
        let reason = outcome.stages[0].reason.clone().unwrap();
        assert!(reason.contains("would wait for it"), "{reason}");
    });
    site.check_nothing_left();
}

#[test]
fn a_call_holds_its_place_to_its_end() {
    let site = Site::new();
    let text = "on: push\njobs:\n  call:\n    uses: ./.github/workflows/called.yml\n    concurrency: {group: x, cancel-in-progress: true}\n";
    std::thread::scope(|scope| {
        let first = begin(scope, &site, 1, WORKFLOW, text.to_owned());
        first.until("call / inner/step-1 said + ");
        first.until("call / inner/step-1 said");
        let second = begin(
            scope,
            &site,
            2,
            WORKFLOW,
            ends("", "concurrency: {group: x, cancel-in-progress: true}"),
        );
        assert_eq!(first.end().end, Some(End::Cancelled));
        assert_eq!(second.end().end, Some(End::Success));
    });
    site.check_nothing_left();
}

#[test]
fn so_many_pipelines_of_drone_run_at_once_as_may() {
    let site = Site::new();
    let text = |step: &str| {
        format!(
            "kind: pipeline\nname: deploy\nconcurrency: {{limit: 2}}\nsteps:\n- name: s\n  image: busybox\n  commands: ['echo inside{step}']\n"
        )
    };
    std::thread::scope(|scope| {
        let stays = || text("; sleep 1000");
        let first = begin(scope, &site, 1, ".drone.yml", stays());
        first.until("deploy/s said");
        let second = begin(scope, &site, 2, ".drone.yml", stays());
        second.until("deploy/s said");
        let third = begin(scope, &site, 3, ".drone.yml", text(""));
        third.until("waits deploy");
        let fourth = begin(scope, &site, 4, ".drone.yml", text(""));
        fourth.until("waits deploy");
        assert_eq!((third.number, fourth.number), (3, 4));
        second.interrupt.trigger();
        assert_eq!(second.end().end, Some(End::Cancelled));
        assert_eq!(third.end().end, Some(End::Success));
        assert_eq!(fourth.end().end, Some(End::Success));
        first.interrupt.trigger();
        assert_eq!(first.end().end, Some(End::Cancelled));
    });
    site.check_nothing_left();
}

#[test]
fn workflows_do_not_wait_for_those_that_need_them() {
    let site = Site::new();
    let text = "concurrency: {group: x, limit: 1}\nsteps:\n- {name: s, image: busybox, commands: ['echo inside']}\n";
    let graph = graph_of(&[
        (".woodpecker/a.yml", &format!("depends_on: [b]\n{text}")),
        (".woodpecker/b.yml", &format!("depends_on: [c]\n{text}")),
        (".woodpecker/c.yml", text),
    ]);
    let interrupt = Interrupt::default();
    let ran = site.run_beside(1, &interrupt, Source::Graph(&graph), &mut |_| {});
    assert_eq!(ran.unwrap().outcome.end, Some(End::Success));
    site.check_nothing_left();
}
