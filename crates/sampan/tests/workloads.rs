//! How workloads name their revisions, count their pods and choose their node, with the real `kubectl`. Needs root.

use std::time::Duration;

use sampan_testkit::{Finished, Installation, Server, eventually};

const LIMIT: Duration = Duration::from_mins(2);

fn site(name: &str) -> Installation {
    let site = Installation::site(env!("CARGO_BIN_EXE_sampan"), name);
    site.import_busybox();
    site
}

fn kubectl(server: &Server<'_>, arguments: &str) -> Finished {
    Finished::of(server.kubectl().args(arguments.split_whitespace()))
}

/// Waits until a JSON path of what was asked for has a value.
fn wait_for(server: &Server<'_>, what: &str, path: &str, value: &str) {
    eventually(&format!("{what} {path}={value}"), LIMIT, || {
        let shown = kubectl(server, &format!("get {what} -o jsonpath={path}"));
        (shown.stdout == value).then_some(())
    });
}

const NAMESAKES: &str = r"
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: twin}
spec:
  selector: {matchLabels: {app: twin}}
  template:
    metadata: {labels: {app: twin}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: c, image: busybox, command: [sleep, '100000']}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: twin}
spec:
  serviceName: twin
  selector: {matchLabels: {app: twin}}
  template:
    metadata: {labels: {app: twin}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: c, image: busybox, command: [sleep, '100000']}]
";

#[test]
fn namesakes_with_the_same_template_do_not_hinder_each_other() {
    let site = site("twins");
    let server = site.up();
    let _applied = server.apply(NAMESAKES).expect_code(0);
    wait_for(&server, "daemonset/twin", "{.status.numberReady}", "1");
    wait_for(&server, "statefulset/twin", "{.status.readyReplicas}", "1");
    let revisions = kubectl(&server, "get controllerrevisions -o name").stdout();
    assert_eq!(revisions.lines().count(), 2, "{revisions}");
    let counts = "get daemonset,statefulset -o jsonpath={.items[*].status.collisionCount}";
    let counts = kubectl(&server, counts).stdout();
    assert!(counts.contains('1'), "{counts}");
    let events = kubectl(&server, "get events -o jsonpath={.items[*].reason}").stdout();
    assert!(events.contains("HashCollision"), "{events}");
}

const CHOOSY: &str = r"
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: choosy}
spec:
  selector: {matchLabels: {app: choosy}}
  template:
    metadata: {labels: {app: choosy}}
    spec:
      terminationGracePeriodSeconds: 0
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms: [{matchExpressions: [{key: disk, operator: In, values: [fast]}]}]
      containers: [{name: c, image: busybox, command: [sleep, '100000']}]
---
apiVersion: v1
kind: Pod
metadata: {name: choosy}
spec:
  terminationGracePeriodSeconds: 0
  affinity:
    nodeAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        nodeSelectorTerms: [{matchExpressions: [{key: disk, operator: In, values: [fast]}]}]
  containers: [{name: c, image: busybox, command: [sleep, '100000']}]
";

#[test]
fn required_node_affinities_decide() {
    let site = site("choosy");
    let server = site.up();
    let applied = server.apply(CHOOSY).expect_code(0);
    assert!(!applied.stderr.contains("no effect"), "{}", applied.stderr);
    let reason = "{.status.conditions[?(@.type==\"PodScheduled\")].reason}";
    wait_for(&server, "pod/choosy", reason, "Unschedulable");
    wait_for(
        &server,
        "daemonset/choosy",
        "{.status.observedGeneration}",
        "1",
    );
    let wanted = "get daemonset choosy -o jsonpath={.status.desiredNumberScheduled}";
    assert_eq!(kubectl(&server, wanted).stdout(), "0");
    let _labelled = kubectl(&server, "label nodes --all disk=fast").expect_code(0);
    wait_for(&server, "daemonset/choosy", "{.status.numberReady}", "1");
    wait_for(&server, "pod/choosy", "{.status.phase}", "Running");
    let _slow = kubectl(&server, "label nodes --all --overwrite disk=slow").expect_code(0);
    wait_for(&server, "pods", "{.items[*].metadata.name}", "choosy");
}

const MANY: &str = r"
apiVersion: batch/v1
kind: Job
metadata: {name: many}
spec:
  completions: 4
  parallelism: 1
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 0
      containers:
        - {name: c, image: busybox, command: [sh, -c, 'test $JOB_COMPLETION_INDEX -lt 3 || exec sleep 100000']}
";

#[test]
fn counted_pods_do_not_pile_up_in_the_status_of_a_job() {
    let site = site("many");
    let server = site.up();
    let _applied = server.apply(MANY).expect_code(0);
    wait_for(&server, "job/many", "{.status.ready}", "1");
    wait_for(&server, "job/many", "{.status.completedIndexes}", "0-2");
    // The last one goes on, so the job does; the others are still there.
    wait_for(
        &server,
        "job/many",
        "{.status.uncountedTerminatedPods}",
        "{}",
    );
    let pods = kubectl(&server, "get pods -o name").stdout();
    assert_eq!(pods.lines().count(), 4, "{pods}");
}
