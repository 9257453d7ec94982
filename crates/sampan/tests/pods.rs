//! Workloads as people run them with the real `kubectl`. Needs root.

use std::time::Duration;

use sampan_testkit::{Finished, Installation, Server, eventually};

const LIMIT: Duration = Duration::from_mins(2);

fn site(name: &str) -> Installation {
    let site = Installation::site(env!("CARGO_BIN_EXE_sampan"), name);
    site.import_busybox();
    site
}

fn kubectl<const N: usize>(server: &Server<'_>, args: [&str; N]) -> Finished {
    Finished::of(server.kubectl().args(args))
}

/// Waits until a JSON path of an object has a value.
fn wait_for(server: &Server<'_>, object: &str, path: &str, value: &str) {
    let output = format!("jsonpath={path}");
    eventually(&format!("{object} {path}={value}"), LIMIT, || {
        let found = kubectl(server, ["get", object, "-o", &output]);
        (found.stdout == value).then_some(())
    });
}

fn field(server: &Server<'_>, object: &str, path: &str) -> String {
    kubectl(server, ["get", object, "-o", &format!("jsonpath={path}")]).stdout()
}

const WEB: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {COLOR: red}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 2
      initContainers:
      - {name: prepare, image: busybox, command: [sh, -c, "echo ready > /work/state"], volumeMounts: [{name: work, mountPath: /work}]}
      containers:
      - name: web
        image: busybox
        command: [sh, -c, "trap 'exit 0' TERM; sleep 100000 & wait"]
        envFrom: [{configMapRef: {name: settings}}]
        readinessProbe: {exec: {command: [cat, /work/state]}}
        volumeMounts: [{name: work, mountPath: /work}, {name: files, mountPath: /files}]
      volumes: [{name: work, emptyDir: {}}, {name: files, configMap: {name: settings}}]
"#;

#[test]
fn a_deployment_rolls_forward_and_back_and_survives_a_killed_server() {
    let site = site("pods-web");
    let server = site.up();
    let _applied = server.apply(WEB).expect_code(0);
    let status = ["rollout", "status", "deployment/web", "--timeout=120s"];
    let _ready = kubectl(&server, status).expect_code(0);
    let set = kubectl(&server, ["set", "env", "deployment/web", "VERSION=2"]);
    let _set = set.expect_code(0);
    let _ready = kubectl(&server, status).expect_code(0);
    let undone = kubectl(&server, ["rollout", "undo", "deployment/web"]);
    let _undone = undone.expect_code(0);
    let _ready = kubectl(&server, status).expect_code(0);
    let history = kubectl(&server, ["rollout", "history", "deployment/web"]).stdout();
    assert!(
        history.contains("\n2 ") && history.contains("\n3 "),
        "{history}"
    );

    let ids = "{.items[*].status.containerStatuses[*].containerID}";
    let before = field(&server, "pods", ids);
    server.kill();
    let server = site.up();
    let _scaled = kubectl(&server, ["scale", "deployment/web", "--replicas=3"]).expect_code(0);
    let _ready = kubectl(&server, status).expect_code(0);
    let after = field(&server, "pods", ids);
    for id in before.split(' ') {
        assert!(after.contains(id), "{id} was stopped: {after}");
    }
    let _deleted = kubectl(&server, ["delete", "deployment/web", "--timeout=60s"]).expect_code(0);
    eventually("the pods to be gone", LIMIT, || {
        let left = std::fs::read_dir(site.data().join("containers")).expect("it is there");
        (left.count() == 0).then_some(())
    });
}

const DATABASE: &str = r#"
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: db
        image: busybox
        command: [sh, -c, "echo started >> /data/log; sleep 100000"]
        volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"#;

#[test]
fn a_stateful_set_keeps_names_and_data_over_an_update() {
    let site = site("pods-db");
    let server = site.up();
    let _applied = server.apply(DATABASE).expect_code(0);
    let status = ["rollout", "status", "statefulset/db", "--timeout=120s"];
    let _ready = kubectl(&server, status).expect_code(0);
    let _set = kubectl(&server, ["set", "env", "statefulset/db", "VERSION=2"]).expect_code(0);
    let _ready = kubectl(&server, status).expect_code(0);
    let log = kubectl(&server, ["exec", "db-0", "--", "cat", "/data/log"]).stdout();
    assert_eq!(log, "started\nstarted\n");
    let _deleted = kubectl(&server, ["delete", "statefulset/db", "--timeout=60s"]).expect_code(0);
    assert_eq!(
        field(&server, "pvc", "{.items[*].status.phase}"),
        "Bound Bound"
    );
    let _deleted = kubectl(&server, ["delete", "pvc", "--all", "--timeout=60s"]).expect_code(0);
    let left = std::fs::read_dir(site.data().join("volumes")).expect("it is there");
    assert_eq!(left.count(), 0);
}

const TROUBLE: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: crash}
spec:
  containers:
  - {name: c, image: busybox, command: [sh, -c, "echo last words > /dev/termination-log; exit 3"]}
---
apiVersion: v1
kind: Pod
metadata: {name: absent}
spec:
  containers: [{name: c, image: "nobody/nothing:1"}]
---
apiVersion: v1
kind: Pod
metadata: {name: sick}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: c
    image: busybox
    command: [sleep, "100000"]
    livenessProbe: {exec: {command: ["false"]}, periodSeconds: 1, failureThreshold: 1}
---
apiVersion: v1
kind: Pod
metadata: {name: once}
spec:
  restartPolicy: Never
  containers: [{name: c, image: busybox, command: ["true"]}]
"#;

#[test]
fn troubles_are_named_as_kubernetes_names_them() {
    let site = site("pods-trouble");
    let server = site.up();
    let _applied = server.apply(TROUBLE).expect_code(0);
    let container = |path: &str| format!("{{.status.containerStatuses[0].{path}}}");
    wait_for(
        &server,
        "pod/crash",
        &container("state.waiting.reason"),
        "CrashLoopBackOff",
    );
    let words = field(
        &server,
        "pod/crash",
        &container("lastState.terminated.message"),
    );
    assert_eq!(words, "last words\n");
    wait_for(
        &server,
        "pod/absent",
        &container("state.waiting.reason"),
        "ImagePullBackOff",
    );
    let hint = field(&server, "pod/absent", &container("state.waiting.message"));
    assert!(hint.contains("sampan load"), "{hint}");
    wait_for(&server, "pod/sick", &container("restartCount"), "1");
    wait_for(&server, "pod/once", "{.status.phase}", "Succeeded");
    let events = kubectl(
        &server,
        ["get", "events", "-o", "jsonpath={.items[*].reason}"],
    )
    .stdout();
    for reason in [
        "Scheduled",
        "Pulled",
        "Created",
        "Started",
        "BackOff",
        "Unhealthy",
        "Killing",
    ] {
        assert!(events.contains(reason), "no {reason} in {events}");
    }
}

#[test]
fn the_server_may_open_many_files_and_containers_as_many_as_ever() {
    let site = site("files");
    let start = r#"ulimit -Sn 512; exec "$0" "$@""#;
    let up = Finished::of(
        site.command("sh")
            .args(["-c", start, env!("CARGO_BIN_EXE_sampan"), "--data"])
            .arg(site.data())
            .args(["up", "--detach", "--kube-listen", "127.0.0.1:0"])
            .args(["--http-listen", "127.0.0.1:0"])
            .args(["--registry-listen", "127.0.0.1:0"]),
    );
    let _up = up.expect_code(0);
    let status = site.run(["status", "--output", "json"]).json();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", status["server"]["pid"]))
        .expect("the server runs");
    let files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let files: Vec<&str> = files.expect("it is listed").split_whitespace().collect();
    assert!(files[3] == files[4] && files[3] != "512", "{files:?}");

    let kubeconfig = site.data().join("kubeconfig-of-test");
    let text = site.run(["kubeconfig"]).stdout();
    std::fs::write(&kubeconfig, text).expect("the data folder can be written");
    let kubectl = |args: &[&str]| {
        let mut command = site.command("kubectl");
        let cache = site.data().join("kubectl-cache");
        command.arg("--kubeconfig").arg(&kubeconfig);
        Finished::of(command.arg("--cache-dir").arg(cache).args(args))
    };
    let _run = kubectl(&[
        "run",
        "count",
        "--image=busybox",
        "--restart=Never",
        "--",
        "sh",
        "-c",
        "ulimit -Sn",
    ])
    .expect_code(0);
    let counted = eventually("the pod to count", LIMIT, || {
        let counted = kubectl(&["logs", "count"]);
        (counted.code == Some(0) && !counted.stdout.is_empty()).then_some(counted.stdout)
    });
    assert_eq!(counted, "512\n");
}
