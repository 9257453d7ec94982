//! Jobs of GitHub's workflows, as people run them and go on with them.

use sampan_testkit::Installation;

use crate::fixture::{Project, SAMPAN};

fn site(name: &str) -> Installation {
    let site = Installation::site(SAMPAN, name);
    site.import_busybox();
    site
}

const LATE: &str = "\
on: push
jobs:
  list:
    runs-on: ubuntu-latest
    container: busybox
    outputs: {names: '${{ steps.names.outputs.names }}'}
    steps:
      - id: names
        run: echo 'names=[\"one\",\"two\"]' >> $GITHUB_OUTPUT
  test:
    needs: list
    strategy: {matrix: {name: '${{ fromJSON(needs.list.outputs.names) }}'}}
    runs-on: ubuntu-latest
    container: busybox
    steps:
      - run: |
          echo \"<testsuite><testcase classname='shop' name='${{ matrix.name }}'/></testsuite>\" > report.xml
      - if: matrix.name == 'two'
        run: test -e mended
";

const GATE: &str = "\
apiVersion: sampan/v1
kind: App
quality:
  reports: [report.xml]
  tests: {failed: 0, atLeast: 2}
";

#[test]
fn results_of_jobs_that_are_planned_late_are_judged() {
    let site = site("ci-late");
    let project = Project::new(&[(".github/workflows/check.yml", LATE), ("sampan.yaml", GATE)]);
    let failed = project.ci(&site, &["run"]).expect_code(1);
    assert!(
        failed
            .stdout
            .contains("tests: 2 passed, 0 failed, 0 skipped"),
        "{}",
        failed.stdout
    );
    // Who looks at it, or goes on with it, finds the job that only the run has planned.
    let shell = project.ci(&site, &["shell", "--command", "cat report.xml"]);
    let shown = shell.expect_code(0).stdout;
    assert!(shown.contains("name='two'"), "{shown}");
    // What was found before counts as well.
    let mended = LATE.replace("test -e mended", "echo mended");
    project.write(".github/workflows/check.yml", &mended);
    let resumed = project.ci(&site, &["resume"]).expect_code(0);
    assert!(
        resumed
            .stdout
            .contains("tests: 2 passed, 0 failed, 0 skipped"),
        "{}",
        resumed.stdout
    );
}

const CALLING: &str = "\
on: push
env: {OWN: workflow}
jobs:
  direct:
    runs-on: ubuntu-latest
    container: busybox
    env: {TAKEN: job}
    steps:
      - uses: actions/checkout@v4
      - run: echo \"direct $GIVEN ${{ env.GIVEN }} $TAKEN $OWN\"
      - env: {GIVEN: step}
        run: echo \"own $GIVEN\"
      - uses: ./.github/actions/say
  call:
    uses: ./.github/workflows/called.yml
";

const CALLED: &str = "\
on: workflow_call
jobs:
  inner:
    runs-on: ubuntu-latest
    container: busybox
    steps:
      - run: echo \"called $GIVEN ${{ env.GIVEN }}\"
";

const ACTION: &str = "\
name: say
runs:
  using: composite
  steps:
    - run: echo \"composite $GIVEN ${{ env.GIVEN }}\"
      shell: sh
";

#[test]
fn variables_that_are_given_reach_all_steps() {
    let site = site("ci-env");
    let project = Project::new(&[
        (".github/workflows/check.yml", CALLING),
        (".github/workflows/called.yml", CALLED),
        (".github/actions/say/action.yml", ACTION),
    ]);
    let arguments = ["run", ".github/workflows/check.yml"];
    let given = ["--env", "GIVEN=given", "--env", "TAKEN=x", "--env", "OWN=x"];
    let run = project.ci(&site, &[&arguments[..], &given[..]].concat());
    let run = run.expect_code(0);
    for said in [
        "direct given given job workflow",
        "own step",
        "composite given given",
        "called given given",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
}

const STATE: &str = "\
on: push
jobs:
  make:
    runs-on: ubuntu-latest
    container: busybox
    steps:
      - id: first
        env: {TOKEN: '${{ secrets.TOKEN }}'}
        run: |
          echo 'LATER=from the first' >> $GITHUB_ENV
          echo 'what=made' >> $GITHUB_OUTPUT
          mkdir -p \"$RUNNER_TOOL_CACHE/bin\"
          printf '#!/bin/sh\\necho a tool\\n' > \"$RUNNER_TOOL_CACHE/bin/tool\"
          chmod +x \"$RUNNER_TOOL_CACHE/bin/tool\"
          echo \"$RUNNER_TOOL_CACHE/bin\" >> $GITHUB_PATH
          echo '::add-mask::veiled-word'
          echo 'VEILED=veiled-word' >> $GITHUB_ENV
          echo \"SHOWN=of-$TOKEN\" >> $GITHUB_ENV
          echo beside > /beside
      - id: soft
        continue-on-error: true
        run: exit 3
      - uses: actions/cache@v4
        with: {path: kept, key: some}
      - id: check
        run: echo changed > here; exit 4
      - id: last
        run: |
          echo \"$LATER; $(tool); ${{ steps.first.outputs.what }}; ${{ steps.soft.outcome }} ${{ steps.soft.conclusion }}\"
          test \"$SHOWN\" = of-open-sesame
          echo \"$VEILED; $(cat /beside); ${{ env.LATER }}; ${{ steps.check.outcome }}\"
          mkdir -p kept; echo cached > kept/file
";

#[test]
fn who_goes_on_with_a_job_sees_what_its_steps_have_left() {
    let site = site("ci-job-state");
    let project = Project::new(&[(".github/workflows/check.yml", STATE)]);
    let secret = ["--secret", "TOKEN=open-sesame"];
    let failed = project.ci(&site, &["run", secret[0], secret[1]]);
    let failed = failed.expect_code(1);
    let kept = std::fs::read_dir(site.data().join("ci/runs/1/stages/make/job"));
    for file in kept.expect("what the job had gathered") {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("text");
        assert!(!text.contains("open-sesame"), "{text}");
    }
    assert!(failed.stderr.contains("[check] ✘"), "{}", failed.stderr);
    let mended = STATE.replace("; exit 4", "");
    let broken = mended.replace("echo cached", "exit 5; echo cached");
    // The second run, which goes on with the first, is gone on with itself.
    for (text, code) in [(&broken, 1), (&mended, 0)] {
        project.write(".github/workflows/check.yml", text);
        let resumed = project.ci(&site, &["resume", secret[0], secret[1]]);
        let resumed = resumed.expect_code(code);
        for said in [
            "from the first; a tool; made; failure success",
            "***; beside; from the first; success",
        ] {
            assert!(resumed.stderr.contains(said), "{said}: {}", resumed.stderr);
        }
    }
    // What a step before has left for the end of the job was done.
    let again = project.ci(&site, &["run", secret[0], secret[1]]);
    let again = again.expect_code(0);
    assert!(
        !again.stderr.contains("There is no cache"),
        "{}",
        again.stderr
    );
}
