//! What of a pipeline runs where not all of it can. Needs root.

use std::fs;

use sampan_testkit::Installation;

use crate::fixture::{Project, SAMPAN};

const MACHINES: &str = "\
kind: pipeline
type: exec
name: local
steps:
- {name: hello, commands: [echo hello from here]}
---
kind: pipeline
type: ssh
name: far
server: {host: 10.0.0.1}
steps:
- {name: never, commands: ['true']}
";

const WORKFLOW: &str = "\
on: push
jobs:
  scan: {uses: octo/shared/.github/workflows/scan.yml@v1}
  own:
    runs-on: ubuntu-latest
    steps:
      - uses: octo/absent@v1
      - {id: hello, run: echo hello from the job}
";

fn configure(site: &Installation, text: &str) {
    fs::write(site.data().join("ci.yaml"), text).expect("the configuration can be written");
}

#[test]
fn what_cannot_run_is_named_and_left_out() {
    let site = Installation::site(SAMPAN, "ci-choosing");
    site.import_busybox();
    let workflow = ".github/workflows/check.yml";
    let project = Project::new(&[(".drone.yml", MACHINES), (workflow, WORKFLOW)]);

    let refused = project.ci(&site, &["run", ".drone.yml"]).expect_code(3);
    for named in [
        "`local` cannot run: there is no image for machines with the labels `exec`",
        "`far` cannot run: the pipeline type `ssh` is not supported",
    ] {
        assert!(refused.stderr.contains(named), "{}", refused.stderr);
    }
    configure(&site, "runners: {exec: busybox, ubuntu-latest: busybox}\n");
    for choice in [["--stage", "local"], ["--exclude", "far"]] {
        let [option, name] = choice;
        let arguments = ["run", ".drone.yml", option, name];
        let _ran = project.ci(&site, &arguments).expect_code(0);
        let said = project.ci(&site, &["logs", "hello"]).stdout();
        assert!(said.contains("hello from here"), "{said}");
    }

    // Who leaves out what is called otherwise must not have it run.
    for (choice, told) in [
        (
            ["--exclude", "fra"],
            "no stage, step or action is called `fra`\n  hint: did you mean `far`?",
        ),
        (["--stage", "hello"], "no stage is called `hello`"),
        (["--include", "local"], "no step is called `local`"),
        (["--matrix", "GO=1.21"], "no matrix has the key `GO`"),
    ] {
        let arguments = ["run", ".drone.yml", choice[0], choice[1]];
        let refused = project.ci(&site, &arguments).expect_code(3);
        assert!(refused.stderr.contains(told), "{}", refused.stderr);
    }

    let refused = project.ci(&site, &["run", workflow]).expect_code(3);
    for named in [
        "`scan` cannot run: the workflow `octo/shared/.github/workflows/scan.yml@v1` is not here",
        "the action `octo/absent@v1` is not here",
        "leave its steps out with `--exclude octo/absent`",
    ] {
        assert!(refused.stderr.contains(named), "{}", refused.stderr);
    }
    let arguments = [
        "run",
        workflow,
        "--exclude",
        "scan",
        "--exclude",
        "octo/absent",
    ];
    let _ran = project.ci(&site, &arguments).expect_code(0);
    let said = project.ci(&site, &["logs", "hello"]).stdout();
    assert!(said.contains("hello from the job"), "{said}");
}
