//! Jobs of GitHub's workflows.

use std::collections::BTreeMap;

use sampan_pipeline::github::Workflow;
use sampan_pipeline::github::plan::Sources;
use sampan_pipeline::plan::End;
use sampan_pipeline::run::{Event, RunError, Source, WorkflowSource};

use crate::site::{Ran, Site};

pub(crate) struct Tree(pub(crate) Vec<(&'static str, &'static str)>);

impl Sources for Tree {
    fn workflow(&self, reference: &str) -> Option<(String, String)> {
        let found = self.0.iter().find(|(name, _)| *name == reference)?;
        Some((found.0.to_owned(), found.1.to_owned()))
    }
}

pub(crate) fn run_with(
    site: &mut Site,
    text: &str,
    called: Vec<(&'static str, &'static str)>,
    watch: &mut dyn FnMut(&Event<'_>),
) -> Result<Ran, RunError> {
    let workflow = Workflow::parse(".github/workflows/ci.yml", text).unwrap();
    let runners = BTreeMap::from([("ubuntu-latest".to_owned(), "busybox".to_owned())]);
    let vars = BTreeMap::from([("REGION".to_owned(), "north".to_owned())]);
    let sources = Tree(called);
    let source = WorkflowSource {
        workflow: &workflow,
        vars: &vars,
        sources: &sources,
        runners: &runners,
        node: &[],
    };
    site.run_source(Source::GitHub(source), watch)
}

pub(crate) fn run(site: &mut Site, text: &str) -> Ran {
    run_with(site, text, Vec::new(), &mut |_| {}).unwrap()
}

const STEPS: &str = r##"
on: push
env: {LEVEL: workflow}
jobs:
  build:
    runs-on: ubuntu-latest
    env: {LEVEL: job}
    outputs:
      version: ${{ steps.set.outputs.version }}
    steps:
      - id: set
        env: {TOKEN: '${{ secrets.TOKEN }}'}
        run: |
          echo "version=1.2" >> $GITHUB_OUTPUT
          echo "FROM_ENV=later" >> $GITHUB_ENV
          mkdir -p /tmp/tools; printf '#!/bin/sh\necho tool\n' > /tmp/tools/tool; chmod +x /tmp/tools/tool
          echo /tmp/tools >> $GITHUB_PATH
          echo "# Summary $TOKEN" >> $GITHUB_STEP_SUMMARY
          echo "$LEVEL $TOKEN $GITHUB_REPOSITORY $PWD"
          echo "::warning file=a.rs,line=3::careful"
          echo "::add-mask::hidden-thing"
          echo hidden-thing
      - run: tool && echo "$FROM_ENV ${{ env.FROM_ENV }} ${{ vars.REGION }} ${{ steps.set.outcome }}"
      - id: bad
        continue-on-error: true
        run: exit 4
      - if: steps.bad.outcome == 'failure' && success()
        run: echo went on
      - run: exit 5
      - run: echo never
      - if: failure()
        run: echo after failure
      - if: always()
        run: echo ${{ job.status }}
  use:
    needs: build
    if: always()
    runs-on: ubuntu-latest
    steps:
      - run: echo "${{ needs.build.result }} ${{ needs.build.outputs.version }}"
  skipped:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - run: echo never
"##;

#[test]
fn steps_hand_things_over() {
    let mut site = Site::new();
    site.secrets
        .insert("TOKEN".to_owned(), "s3cret-token".to_owned());
    let ran = run(&mut site, STEPS);
    assert_eq!(
        ran.outcome.end,
        Some(End::Failure(None)),
        "{:#?}",
        ran.events
    );
    let set = ran.said("build", "set");
    assert!(
        set.contains("job *** team/shop /github/workspace\nWarning: careful\n***\n"),
        "{set}"
    );
    assert!(
        ran.said("build", "step-2")
            .ends_with("tool\nlater later north success\n")
    );
    assert!(ran.said("build", "step-4").ends_with("\nwent on\n"));
    assert!(ran.said("build", "step-7").ends_with("\nafter failure\n"));
    assert!(ran.said("build", "step-8").ends_with("\nfailure\n"));
    ran.place("build/step-6 skipped: something before it failed");
    assert!(ran.said("use", "step-1").ends_with("\nfailure 1.2\n"));
    ran.place("skipped skipped: something before it failed");
    assert_eq!(ran.outcome.summaries[0].2, "# Summary ***\n");
    assert_eq!(ran.outcome.annotations[0].2.line, Some(3));
    site.check_nothing_left();
}

#[test]
fn matrices_follow_from_outputs_and_workflows_call_others() {
    let mut site = Site::new();
    let called = "\
on:
  workflow_call:
    inputs: {name: {type: string}}
    outputs:
      said: {value: '${{ jobs.inner.outputs.said }}'}
jobs:
  inner:
    runs-on: ubuntu-latest
    outputs: {said: '${{ steps.say.outputs.said }}'}
    steps:
      - id: say
        run: echo \"said=hello ${{ inputs.name }}\" >> $GITHUB_OUTPUT
";
    let ran = run_with(
        &mut site,
        r#"
on: push
jobs:
  list:
    runs-on: ubuntu-latest
    outputs: {items: '${{ steps.list.outputs.items }}'}
    steps:
      - id: list
        run: echo 'items=["a","b"]' >> $GITHUB_OUTPUT
  each:
    needs: list
    runs-on: ubuntu-latest
    strategy:
      matrix:
        item: ${{ fromJSON(needs.list.outputs.items) }}
    steps:
      - run: echo "item ${{ matrix.item }}"
  call:
    needs: list
    uses: ./.github/workflows/called.yml
    with: {name: '${{ needs.list.outputs.items }}'}
  last:
    needs: [each, call]
    runs-on: ubuntu-latest
    steps:
      - run: echo '${{ needs.each.result }} ${{ needs.call.outputs.said }}'
"#,
        vec![("./.github/workflows/called.yml", called)],
        &mut |_| {},
    )
    .unwrap();
    assert_eq!(
        ran.outcome.end,
        Some(End::Success),
        "{:#?} {:#?}",
        ran.events,
        ran.said
    );
    assert!(ran.said("each (a)", "step-1").ends_with("\nitem a\n"));
    assert!(ran.said("each (b)", "step-1").ends_with("\nitem b\n"));
    let last = ran.said("last", "step-1");
    assert!(last.ends_with("\nsuccess hello [a,b]\n"), "{last}");
    site.check_nothing_left();
}

#[test]
fn actions_of_the_tree_and_images_run() {
    let mut site = Site::new();
    site.write(
        ".github/actions/greet/action.yml",
        "name: greet\n\
         inputs: {who: {default: nobody}}\n\
         outputs: {greeting: {value: '${{ steps.say.outputs.text }}'}}\n\
         runs:\n  using: composite\n  steps:\n  \
         - id: say\n    shell: sh\n    run: |\n      echo \"text=hello ${{ inputs.who }}\" >> $GITHUB_OUTPUT\n      \
           ls $GITHUB_ACTION_PATH\n      echo INNER=set >> $GITHUB_ENV\n  \
         - if: failure()\n    shell: sh\n    run: echo never\n",
    );
    let ran = run(
        &mut site,
        r#"
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - id: greet
        uses: ./.github/actions/greet
        with: {who: you}
      - run: echo "${{ steps.greet.outputs.greeting }} $INNER"
      - uses: docker://busybox
        with:
          args: sh -c "echo in $PWD; cat README; echo X=from-image >> $GITHUB_ENV"
      - run: echo $X
"#,
    );
    assert_eq!(
        ran.outcome.end,
        Some(End::Success),
        "{:#?} {:#?}",
        ran.events,
        ran.said
    );
    assert!(ran.said("build", "greet").ends_with("\naction.yml\n"));
    assert!(ran.said("build", "step-3").ends_with("\nhello you set\n"));
    assert_eq!(
        ran.said("build", "step-4"),
        "in /github/workspace\nthe tree\n"
    );
    assert!(ran.said("build", "step-5").ends_with("\nfrom-image\n"));
    site.check_nothing_left();
}

#[test]
fn services_are_well_before_steps_begin() {
    let mut site = Site::new();
    let ran = run(
        &mut site,
        r#"
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    services:
      web:
        image: busybox
        ports: ["8080:80"]
        options: --health-cmd "test -e /ready" --health-interval 1s
        entrypoint: sh
        command: -c "echo served > /index.html; (sleep 1; touch /ready) & httpd -f -p 80 -h /"
    steps:
      - run: wget -q -O - http://localhost:8080/ && wget -q -O - http://web/ && echo ${{ job.services.web.ports['80'] }}
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
    assert!(said.ends_with("\nserved\nserved\n8080\n"), "{said}");
    site.check_nothing_left();
}

#[test]
fn a_cancelled_job_does_what_is_always_done() {
    let mut site = Site::new();
    let interrupt = site.interrupt.clone();
    let ran = run_with(
        &mut site,
        r"
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: sleep 1000
      - run: echo never
      - if: always()
        run: echo always ${{ job.status }}
",
        Vec::new(),
        &mut |event| {
            if let Event::StepOutput { step: "step-1", .. } = event
                && !interrupt.is_triggered()
            {
                interrupt.trigger();
            }
        },
    )
    .unwrap();
    assert_eq!(ran.outcome.end, Some(End::Cancelled), "{:#?}", ran.events);
    assert!(
        ran.said("build", "step-3")
            .ends_with("\nalways cancelled\n")
    );
    ran.place("build/step-2 skipped: it was cancelled before");
    site.check_nothing_left();
}

const WITHOUT_MATRIX: &str = r#"
on: push
jobs:
  find:
    runs-on: ubuntu-latest
    outputs: {list: "${{ steps.list.outputs.list }}"}
    steps:
      - id: list
        run: echo 'list=[1,' >> $GITHUB_OUTPUT
  each:
    needs: find
    strategy:
      matrix: {number: "${{ fromJSON(needs.find.outputs.list) }}"}
    runs-on: ubuntu-latest
    steps:
      - run: echo never
  last:
    needs: each
    runs-on: ubuntu-latest
    steps:
      - run: echo never
  report:
    needs: each
    if: always()
    runs-on: ubuntu-latest
    steps:
      - run: echo "each was a ${{ needs.each.result }}"
"#;

/// A matrix without a value is a failure of its job; those behind it do not wait for ever.
#[test]
fn jobs_fail_whose_matrix_has_no_value() {
    let mut site = Site::new();
    let ran = run(&mut site, WITHOUT_MATRIX);
    assert_eq!(ran.outcome.end, Some(End::Failure(None)));
    let reason = ran
        .outcome
        .stage("each")
        .and_then(|stage| stage.reason.clone());
    let reason = reason.unwrap_or_default();
    assert!(reason.starts_with("its matrix has no value: "), "{reason}");
    ran.place("last skipped: something before it failed");
    let said = ran.said("report", "step-1");
    assert!(said.ends_with("each was a failure\n"), "{said}");
}

#[test]
fn matchers_find_problems_in_what_steps_say() {
    let mut site = Site::new();
    site.write("src/a.txt", "");
    let json = r#"{"problemMatcher": [{"owner": "own", "pattern": [{"regexp": "^(\\S+):(\\d+): (.*)$", "file": 1, "line": 2, "message": 3}]}]}"#;
    site.write("matcher.json", json);
    site.secrets
        .insert("TOKEN".to_owned(), "s3cret-token".to_owned());
    let ran = run(
        &mut site,
        r#"
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: |
          echo "src/a.txt:1: too early"
          echo "::add-matcher::matcher.json"
          echo "src/a.txt:2: bad ${{ secrets.TOKEN }}"; printf 'src/gone.txt:3: gone' >&2
      - run: |
          echo "$GITHUB_WORKSPACE/src/a.txt:4: absolute"
          echo "::remove-matcher owner=own::"
          echo "src/a.txt:5: too late"
      - id: wrong
        continue-on-error: true
        run: echo "::add-matcher::none.json"
      - run: echo ${{ steps.wrong.outcome }}
"#,
    );
    assert_eq!(
        ran.outcome.end,
        Some(End::Success),
        "{:#?} {:#?}",
        ran.events,
        ran.said
    );
    let mut found: Vec<String> = ran
        .outcome
        .annotations
        .iter()
        .map(|(_, step, annotation)| {
            let file = annotation.file.as_deref().unwrap_or("-");
            let line = annotation.line.unwrap_or_default();
            format!("{step} {file}:{line} {}", annotation.message)
        })
        .collect();
    found.sort();
    let expected = [
        "step-2 -:3 gone",
        "step-2 src/a.txt:2 bad ***",
        "step-3 src/a.txt:4 absolute",
    ];
    assert_eq!(found, expected);
    let said = ran.said("build", "step-2");
    // What may be the beginning of a secret comes a little later.
    assert!(said.contains("\nError: src/a.txt:2: bad "), "{said}");
    assert!(ran.said("build", "step-5").ends_with("\nfailure\n"));
    site.check_nothing_left();
}
