//! Jobs, cron jobs and daemon sets, with the real `kubectl`. Needs root.

use std::time::Duration;

use sampan_testkit::{Finished, Installation, Server, eventually, kubectl_minor};

const LIMIT: Duration = Duration::from_mins(2);

fn site(name: &str) -> Installation {
    let site = Installation::site(env!("CARGO_BIN_EXE_sampan"), name);
    site.import_busybox();
    site
}

fn kubectl(server: &Server<'_>, arguments: &str) -> Finished {
    Finished::of(server.kubectl().args(arguments.split_whitespace()))
}

/// The value of a JSON path in what was asked for.
fn field(server: &Server<'_>, what: &str, path: &str) -> String {
    let output = format!("jsonpath={path}");
    let mut command = server.kubectl();
    command
        .arg("get")
        .args(what.split_whitespace())
        .args(["-o", &output]);
    Finished::of(&mut command).stdout()
}

/// Waits until a JSON path of an object has a value.
fn wait_for(server: &Server<'_>, what: &str, path: &str, value: &str) {
    eventually(&format!("{what} {path}={value}"), LIMIT, || {
        (field(server, what, path) == value).then_some(())
    });
}

/// A row of a table, cell by cell.
fn row(server: &Server<'_>, what: &str) -> Vec<String> {
    let table = kubectl(server, &format!("get {what} --no-headers")).stdout();
    table.split_whitespace().map(str::to_owned).collect()
}

const JOBS: &str = r#"
apiVersion: batch/v1
kind: Job
metadata: {name: sums}
spec:
  completions: 3
  parallelism: 2
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      containers: [{name: sum, image: busybox, command: [sh, -c, 'echo "part $JOB_COMPLETION_INDEX of $HOSTNAME"']}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: doomed}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: busybox, command: [sh, -c, 'exit 3']}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: late}
spec:
  activeDeadlineSeconds: 1
  template:
    spec:
      restartPolicy: OnFailure
      terminationGracePeriodSeconds: 0
      containers: [{name: c, image: busybox, command: [sleep, '100000']}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: brief}
spec:
  ttlSecondsAfterFinished: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: busybox, command: ['true']}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: held}
spec:
  suspend: true
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: busybox, command: ['true']}]
"#;

#[test]
fn jobs_run_to_their_end() {
    let site = site("jobs");
    let server = site.up();
    let _applied = server.apply(JOBS).expect_code(0);
    let complete = kubectl(
        &server,
        "wait --for=condition=complete job/sums --timeout=90s",
    );
    let _complete = complete.expect_code(0);
    assert_eq!(
        field(&server, "job/sums", "{.status.completedIndexes}"),
        "0-2"
    );
    assert_eq!(row(&server, "job/sums")[..3], ["sums", "Complete", "3/3"]);
    let log = kubectl(&server, "logs -l job-name=sums --prefix=false").stdout();
    for index in 0..3 {
        let line = format!("part {index} of sums-{index}");
        assert!(log.contains(&line), "{log}");
    }
    let log = kubectl(&server, "logs job/sums").stdout();
    assert!(log.starts_with("part "), "{log}");
    let described = kubectl(&server, "describe job sums").stdout();
    for part in ["SuccessfulCreate", "Completed", "3 Succeeded"] {
        assert!(described.contains(part), "no {part} in {described}");
    }

    let failed = r#"{.status.conditions[?(@.type=="Failed")].reason}"#;
    wait_for(&server, "job/doomed", failed, "BackoffLimitExceeded");
    assert_eq!(field(&server, "job/doomed", "{.status.failed}"), "1");
    assert_eq!(row(&server, "job/doomed")[..3], ["doomed", "Failed", "0/1"]);
    wait_for(&server, "job/late", failed, "DeadlineExceeded");
    wait_for(
        &server,
        "pods -l job-name=late",
        "{.items[*].metadata.name}",
        "",
    );
    eventually("the brief job to be gone", LIMIT, || {
        let gone = kubectl(&server, "get job/brief").code != Some(0);
        gone.then_some(())
    });
    wait_for(
        &server,
        "pods -l job-name=brief",
        "{.items[*].metadata.name}",
        "",
    );

    assert_eq!(row(&server, "job/held")[..2], ["held", "Suspended"]);
    let resume = ["patch", "job/held", "-p", r#"{"spec":{"suspend":false}}"#];
    let _resumed = Finished::of(server.kubectl().args(resume)).expect_code(0);
    let complete = kubectl(
        &server,
        "wait --for=condition=complete job/held --timeout=90s",
    );
    let _complete = complete.expect_code(0);
    let _deleted = kubectl(&server, "delete job --all --timeout=60s").expect_code(0);
    wait_for(&server, "pods", "{.items[*].metadata.name}", "");
}

const CRON: &str = r#"
apiVersion: batch/v1
kind: CronJob
metadata: {name: report}
spec:
  schedule: "@every 2s"
  timeZone: Asia/Shanghai
  concurrencyPolicy: Forbid
  successfulJobsHistoryLimit: 1
  jobTemplate:
    metadata: {labels: {of: report}}
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: c, image: busybox, command: [echo, reported]}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: rare}
spec:
  schedule: "0 3 1 jan *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: c, image: busybox, command: [echo, reported]}]
"#;

#[test]
fn a_cron_job_makes_jobs_in_time_and_keeps_few() {
    let site = site("cron");
    let server = site.up();
    let _applied = server.apply(CRON).expect_code(0);
    eventually("a job that was reported", LIMIT, || {
        let last = field(&server, "cronjob/report", "{.status.lastSuccessfulTime}");
        (!last.is_empty()).then_some(())
    });
    let first = field(&server, "jobs -l of=report", "{.items[0].metadata.name}");
    eventually("the first job to make room", LIMIT, || {
        let gone = kubectl(&server, &format!("get job/{first}")).code != Some(0);
        gone.then_some(())
    });
    let suspend = [
        "patch",
        "cronjob/report",
        "-p",
        r#"{"spec":{"suspend":true}}"#,
    ];
    let _suspended = Finished::of(server.kubectl().args(suspend)).expect_code(0);
    let shown = row(&server, "cronjob/report");
    assert_eq!(
        shown[..5],
        ["report", "@every", "2s", "Asia/Shanghai", "True"]
    );
    let rare = row(&server, "cj/rare");
    assert_eq!(rare[6..10], ["<none>", "False", "0", "<none>"]);
    // Older clients know cron jobs of a beta version only.
    if kubectl_minor() >= 21 {
        let _made = kubectl(&server, "create job by-hand --from=cronjob/rare").expect_code(0);
        let complete = kubectl(
            &server,
            "wait --for=condition=complete job/by-hand --timeout=90s",
        );
        let _complete = complete.expect_code(0);
        assert_eq!(kubectl(&server, "logs job/by-hand").stdout(), "reported\n");
    }
    let wrong = CRON.replace("0 3 1 jan *", "61 * * * *");
    let refused = server.apply(&wrong);
    assert_ne!(refused.code, Some(0));
    assert!(
        refused
            .stderr
            .contains("end of range (61) above maximum (59): 61"),
        "{}",
        refused.stderr
    );
}

const AGENT: &str = "
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: agent, image: busybox, command: [sleep, '100000'], env: [{name: VERSION, value: '1'}]}]
";

#[test]
fn a_daemon_set_has_one_pod_that_is_rolled_forward_and_back() {
    let site = site("daemon");
    let server = site.up();
    let _applied = server.apply(AGENT).expect_code(0);
    let status = "rollout status ds/agent --timeout=90s";
    let _ready = kubectl(&server, status).expect_code(0);
    assert_eq!(
        row(&server, "ds/agent")[..7],
        ["agent", "1", "1", "1", "1", "1", "<none>"]
    );
    let version = || {
        field(
            &server,
            "pods -l app=agent",
            "{.items[*].spec.containers[0].env[0].value}",
        )
    };
    let set = kubectl(&server, "set env ds/agent VERSION=2");
    let _set = set.expect_code(0);
    let _ready = kubectl(&server, status).expect_code(0);
    assert_eq!(version(), "2");
    let history = kubectl(&server, "rollout history ds/agent").stdout();
    let revisions = history.lines().filter(|line| line.starts_with(['1', '2']));
    assert_eq!(revisions.count(), 2, "{history}");
    let _undone = kubectl(&server, "rollout undo ds/agent").expect_code(0);
    let _ready = kubectl(&server, status).expect_code(0);
    assert_eq!(version(), "1");

    // A daemon stays on a node that takes no others, and leaves one that does not fit.
    let _cordoned = kubectl(&server, "cordon -l kubernetes.io/os=linux").expect_code(0);
    let _restarted = kubectl(&server, "rollout restart ds/agent").expect_code(0);
    let _ready = kubectl(&server, status).expect_code(0);
    let selector = r#"{"spec":{"template":{"spec":{"nodeSelector":{"disk":"fast"}}}}}"#;
    let patch = ["patch", "ds/agent", "-p", selector];
    let _patched = Finished::of(server.kubectl().args(patch)).expect_code(0);
    wait_for(
        &server,
        "pods -l app=agent",
        "{.items[*].metadata.name}",
        "",
    );
    let _labelled = kubectl(&server, "label node --all disk=fast").expect_code(0);
    let _ready = kubectl(&server, status).expect_code(0);
    let _deleted = kubectl(&server, "delete ds/agent --timeout=60s").expect_code(0);
    wait_for(
        &server,
        "pods,controllerrevisions",
        "{.items[*].metadata.name}",
        "",
    );
}
