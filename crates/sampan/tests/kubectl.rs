//! The engine driven by the real `kubectl`, as its users do.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use sampan_testkit::{Finished, Installation, Server, eventually, kubectl_minor};

const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

const WEB: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: busybox
          command: [sh, -c, 'echo serving; exec httpd -f -p 8080 -h /settings']
          env:
            - name: PASSWORD
              valueFrom: {secretKeyRef: {name: web, key: password}}
            - name: POD
              valueFrom: {fieldRef: {fieldPath: metadata.name}}
          envFrom: [{configMapRef: {name: web}}]
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /index.html, port: http}, periodSeconds: 1}
          volumeMounts: [{name: settings, mountPath: /settings}]
      volumes: [{name: settings, configMap: {name: web}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {index.html: "good day\n", GREETING: "good day"}
---
apiVersion: v1
kind: Secret
metadata: {name: web}
data: {password: czNjcmV0}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
"#;

fn kubectl(server: &Server<'_>, arguments: &str) -> Finished {
    Finished::of(server.kubectl().args(arguments.split_whitespace()))
}

/// Runs a script in a container of the deployment.
fn in_pod(server: &Server<'_>, script: &str) -> Finished {
    Finished::of(
        server
            .kubectl()
            .args(["exec", "deploy/web", "--", "sh", "-c", script]),
    )
}

/// Waits for the rollout, and for the end of the pods that it replaced: `exec deploy/web` of older clients takes
/// those too.
fn ready(server: &Server<'_>) {
    let _status = kubectl(server, "rollout status deployment/web --timeout=60s").expect_code(0);
    let wanted = kubectl(server, "get deployment web -o jsonpath={.spec.replicas}").stdout();
    let wanted: usize = wanted.parse().expect("a number of replicas");
    eventually("the old pods to be gone", Duration::from_secs(30), || {
        (names_of_pods(server).len() == wanted).then_some(())
    });
}

fn names_of_pods(server: &Server<'_>) -> Vec<String> {
    let listed = kubectl(server, "get pods -l app=web -o name").stdout();
    listed.lines().map(str::to_owned).collect()
}

/// An installation with the busybox image, and its server.
fn installation() -> Installation {
    let installation = Installation::new(SAMPAN);
    installation.import_busybox();
    installation
}

#[test]
fn a_deployment_is_applied_shown_scaled_changed_and_undone() {
    let installation = installation();
    let server = installation.up();
    let _applied = server.apply(WEB).expect_code(0);
    ready(&server);
    assert_eq!(names_of_pods(&server).len(), 2);

    let shown = kubectl(&server, "get deployment web").stdout();
    assert!(shown.contains("READY") && shown.contains("2/2"), "{shown}");
    let described = kubectl(&server, "describe deployment web").stdout();
    assert!(described.contains("ScalingReplicaSet"), "{described}");
    let described = kubectl(&server, "describe pods").stdout();
    assert!(
        described.contains("Started") && described.contains("Ready"),
        "{described}"
    );
    let again = server.apply(WEB).stdout();
    assert!(
        again.lines().all(|line| line.ends_with("unchanged")),
        "{again}"
    );

    let _scaled = kubectl(&server, "scale deployment web --replicas=3").expect_code(0);
    ready(&server);
    assert_eq!(names_of_pods(&server).len(), 3);

    let _changed = kubectl(&server, "set env deployment/web VERSION=2").expect_code(0);
    ready(&server);
    let variable = in_pod(&server, "echo $VERSION").stdout();
    assert_eq!(variable, "2\n");
    let history = kubectl(&server, "rollout history deployment/web").stdout();
    assert_eq!(
        history
            .lines()
            .filter(|line| line.starts_with(['1', '2']))
            .count(),
        2,
        "{history}"
    );
    let _undone = kubectl(&server, "rollout undo deployment/web").expect_code(0);
    ready(&server);
    assert_eq!(in_pod(&server, "echo $VERSION").stdout(), "\n");

    let _deleted = kubectl(&server, "delete deployment web --timeout=60s").expect_code(0);
    eventually("the pods to be gone", Duration::from_secs(30), || {
        names_of_pods(&server).is_empty().then_some(())
    });
}

#[test]
fn exec_and_logs_reach_into_pods() {
    let installation = installation();
    let server = installation.up();
    let _applied = server.apply(WEB).expect_code(0);
    ready(&server);

    assert_eq!(in_pod(&server, "echo $PASSWORD").stdout(), "s3cret\n");
    assert_eq!(in_pod(&server, "echo $GREETING").stdout(), "good day\n");
    let _seven = in_pod(&server, "exit 7").expect_code(7);
    let fetched = in_pod(&server, "wget -qO- http://web.default.svc.cluster.local/").stdout();
    assert_eq!(fetched, "good day\n");

    // What is piped in arrives whole.
    let mut piped = Command::new("sh");
    let config = installation.data().join("kubeconfig-of-test");
    piped.arg("-c").arg(format!(
        "head -c 3000000 /dev/zero | kubectl --kubeconfig {} exec -i deploy/web -- wc -c",
        config.display()
    ));
    assert_eq!(Finished::of(&mut piped).stdout().trim(), "3000000");

    // A terminal is a terminal on both sides; its size follows when the command runs already.
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "/dev/null", "--command"]).arg(format!(
        "stty rows 33 cols 77; kubectl --kubeconfig {} exec -it deploy/web -- sh -c 'tty; for i in $(seq 100); do stty size | grep -x \"33 77\" && break; sleep 0.1; done'",
        config.display()
    ));
    let seen = Finished::of(terminal.stdin(Stdio::null())).stdout;
    assert!(
        seen.contains("/dev/pts/") && seen.contains("33 77"),
        "{seen}"
    );

    assert!(
        kubectl(&server, "logs deploy/web")
            .stdout()
            .contains("serving")
    );
    let mut following = server
        .kubectl()
        .args(["logs", "--follow", "deploy/web"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("kubectl can be started");
    let output = following.stdout.take().expect("it is piped");
    let first = BufReader::new(output)
        .lines()
        .next()
        .expect("a line")
        .expect("it is text");
    assert_eq!(first, "serving");
    following.kill().expect("a running process can be killed");
    following.wait().expect("a child can be waited for");
}

#[test]
fn typos_are_refused_with_the_name_of_the_field() {
    let installation = installation();
    let server = installation.up();
    // Older clients leave the check of fields to themselves.
    if kubectl_minor() >= 25 {
        let typo = WEB.replacen("replicas: 2", "replcas: 2", 1);
        let _refused = server
            .apply(&typo)
            .expect_code(1)
            .expect_stderr("unknown field \"spec.replcas\"");
    }
    let selector = WEB.replacen("matchLabels: {app: web}", "matchLabels: {app: wep}", 1);
    let _refused = server
        .apply(&selector)
        .expect_code(1)
        .expect_stderr("selector");
}

#[test]
fn a_restart_or_kill_of_the_server_stops_no_pod_and_loses_nothing() {
    let installation = installation();
    let server = installation.up();
    let _applied = server.apply(WEB).expect_code(0);
    ready(&server);
    let before = kubectl(&server, "get all,configmaps,secrets -o name").stdout();
    let pods = || {
        let listed = installation.run(["ps", "--output", "json"]).json();
        let mut pids: Vec<_> = listed
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one["pid"].as_u64())
            .collect();
        pids.sort_unstable();
        pids
    };
    let processes = pods();
    assert_eq!(processes.len(), 2);
    server.kill();
    let server = installation.up();
    ready(&server);
    assert_eq!(
        kubectl(&server, "get all,configmaps,secrets -o name").stdout(),
        before
    );
    assert_eq!(pods(), processes);
    drop(server);
    let server = installation.up();
    ready(&server);
    assert_eq!(pods(), processes);
    // What dies while nobody looks is started again.
    let killed = i32::try_from(processes[0].expect("a running container has a process"))
        .expect("it is small");
    drop(server);
    let _killed =
        Finished::of(Command::new("kill").args(["-9", &killed.to_string()])).expect_code(0);
    let server = installation.up();
    eventually("the pod to be restarted", Duration::from_secs(30), || {
        let restarts = kubectl(
            &server,
            "get pods -o jsonpath={.items[*].status.containerStatuses[*].restartCount}",
        );
        restarts.stdout().contains('1').then_some(())
    });
    ready(&server);
}
