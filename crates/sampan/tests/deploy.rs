//! Rollouts through the real binary onto the real engine: forward, back by themselves, back by hand, and interrupted.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sampan_testkit::{Finished, Installation, Server, eventually};
use serde_json::Value;

const LIMIT: Duration = Duration::from_mins(2);

/// A version of a small app: one page, served by busybox.
struct Version<'a> {
    number: &'a str,
    /// What the page shows, and what runs after it is written.
    text: &'a str,
    serve: &'a str,
    /// Further manifests.
    more: &'a str,
}

const SERVE: &str = "exec httpd -f -p 8080 -h /tmp/www";

impl Version<'_> {
    fn release(&self, site: &Installation) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        self.write(folder.path());
        let folder = folder.path().to_str().expect("the path is text");
        let _made = site.run(["release", "create", folder]).expect_code(0);
    }

    fn write(&self, folder: &Path) {
        let Self {
            number: version,
            text,
            serve,
            more,
        } = self;
        let app = format!(
            "apiVersion: sampan/v1\nkind: App\nname: hut\nversion: {version}\nmanifests: [hut.yaml]\n\
             values: {{host: hut.example, replicas: 1, text: \"{text}\"}}\n\
             environments: {{prod: {{}}}}\n\
             checks:\n  - {{name: page, url: \"http://${{host}}/\", retries: 20, interval: 200ms, \
             expect: {{text: hut {version}}}}}\n"
        );
        let manifests = format!(
            r#"apiVersion: apps/v1
kind: Deployment
metadata: {{name: hut}}
spec:
  replicas: ${{replicas}}
  selector: {{matchLabels: {{app: hut}}}}
  template:
    metadata: {{labels: {{app: hut}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: hut
          image: busybox
          env: [{{name: TEXT, value: "${{text}}"}}]
          command: [sh, -c, 'mkdir -p /tmp/www && echo "$TEXT" > /tmp/www/index.html && {serve}']
          ports: [{{containerPort: 8080}}]
          readinessProbe: {{tcpSocket: {{port: 8080}}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata: {{name: hut}}
spec:
  selector: {{app: hut}}
  ports: [{{port: 80, targetPort: 8080}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: hut}}
spec:
  rules:
    - host: ${{host}}
      http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: hut, port: {{number: 80}}}}}}}}]}}
{more}"#
        );
        fs::write(folder.join("sampan.yaml"), app).expect("the folder can be written");
        fs::write(folder.join("hut.yaml"), manifests).expect("the folder can be written");
    }
}

const EXTRA: &str = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {a: b}\n";

fn deploy(site: &Installation, version: &str) -> Finished {
    site.run([
        "deploy",
        &format!("hut@{version}"),
        "--env",
        "prod",
        "--yes",
        "--timeout",
        "60s",
    ])
}

fn page(server: &Server<'_>) -> String {
    let mut stream = TcpStream::connect(server.http_address()).expect("the gateway listens");
    stream
        .write_all(b"GET / HTTP/1.0\r\nHost: hut.example\r\n\r\n")
        .expect("the gateway reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("the gateway answers in text");
    answer
}

/// Whether what `EXTRA` describes is there.
fn has_extra(server: &Server<'_>) -> bool {
    let extra = ["-n", "hut", "get", "configmap", "extra"];
    Finished::of(server.kubectl().args(extra)).code == Some(0)
}

/// Presses Ctrl-C, and returns what the command says at its end.
fn interrupt(command: Child) -> String {
    let id = i32::try_from(command.id()).expect("process ids are small");
    kill(Pid::from_raw(id), Signal::SIGINT).expect("the command runs");
    let ended = command.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(130));
    String::from_utf8(ended.stderr).expect("it is text")
}

fn states(site: &Installation) -> Vec<String> {
    let history = site.run(["history", "hut", "--output", "json"]).json();
    let orders = history.as_array().expect("the history is a list");
    let shown = |order: &Value| {
        let word = |key: &str| order[key].as_str().expect("the order says it").to_owned();
        format!("{} {}", word("version"), word("state"))
    };
    orders.iter().map(shown).collect()
}

/// Makes two releases that work and two that do not.
fn make_releases(site: &Installation) {
    let good = Version {
        number: "1.0.0",
        text: "hut 1.0.0",
        serve: SERVE,
        more: EXTRA,
    };
    good.release(site);
    Version {
        number: "1.1.0",
        text: "hut 1.1.0",
        more: "",
        ..good
    }
    .release(site);
    Version {
        number: "1.2.0",
        text: "ruin",
        ..good
    }
    .release(site);
    Version {
        number: "1.3.0",
        text: "hut 1.3.0",
        serve: "echo the roof is gone && exit 3",
        ..good
    }
    .release(site);
}

#[test]
fn releases_come_and_go() {
    let site = Installation::new(env!("CARGO_BIN_EXE_sampan"));
    site.import_busybox();
    make_releases(&site);
    let server = site.up();

    let _first = deploy(&site, "1.0.0").expect_code(0);
    assert!(page(&server).contains("hut 1.0.0"));
    let plan = site
        .run(["deploy", "hut@1.0.0", "--env", "prod", "--plan"])
        .stdout();
    assert!(plan.contains("Plan: 4 unchanged."), "{plan}");
    let plan = site
        .run([
            "deploy",
            "hut@1.1.0",
            "--env",
            "prod",
            "--plan",
            "--set",
            "replicas=2",
        ])
        .stdout();
    assert!(
        plan.contains("spec.replicas: 1 → 2") && plan.contains("- ConfigMap extra"),
        "{plan}"
    );

    let _second = deploy(&site, "1.1.0").expect_code(0);
    assert!(page(&server).contains("hut 1.1.0"));
    assert!(
        !has_extra(&server),
        "what the release does not have is deleted"
    );

    let _unchecked = deploy(&site, "1.2.0")
        .expect_code(6)
        .expect_stderr("the check `page` failed");
    assert!(page(&server).contains("hut 1.1.0"));
    let _crashing = deploy(&site, "1.3.0")
        .expect_code(6)
        .expect_stderr("the roof is gone");
    assert!(page(&server).contains("hut 1.1.0"));

    let _back = site
        .run(["rollback", "hut", "--env", "prod", "--yes"])
        .expect_code(0);
    assert!(page(&server).contains("hut 1.0.0"));
    let expected = [
        "1.0.0 succeeded",
        "1.3.0 rolled-back",
        "1.2.0 rolled-back",
        "1.1.0 succeeded",
        "1.0.0 succeeded",
    ];
    assert_eq!(states(&site), expected);
    let status = site.run(["status", "hut", "--output", "json"]).json();
    assert_eq!(status["apps"][0]["version"], "1.0.0");
    assert_eq!(status["apps"][0]["state"], "healthy", "{status}");
}

#[test]
fn an_interrupted_rollout_is_known_and_replaced() {
    let site = Installation::new(env!("CARGO_BIN_EXE_sampan"));
    site.import_busybox();
    let good = Version {
        number: "1.0.0",
        text: "hut 1.0.0",
        serve: SERVE,
        more: "",
    };
    good.release(&site);
    Version {
        number: "1.1.0",
        serve: "exec sleep 1000",
        more: EXTRA,
        ..good
    }
    .release(&site);
    let server = site.up();
    let _first = deploy(&site, "1.0.0").expect_code(0);

    let mut deploying = site
        .sampan(["deploy", "hut@1.1.0", "--env", "prod", "--yes"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command can be started");
    eventually("the rollout to run", LIMIT, || {
        (states(&site)[0] == "1.1.0 running").then_some(())
    });
    let _other = deploy(&site, "1.0.0")
        .expect_code(4)
        .expect_stderr("is running");
    eventually("the release to be applied", LIMIT, || {
        has_extra(&server).then_some(())
    });
    deploying.kill().expect("the command runs");
    deploying.wait().expect("the command has ended");

    let status = site.run(["status", "hut"]).stdout();
    assert!(
        status.contains("order #2 to 1.1.0 was interrupted"),
        "{status}"
    );
    assert!(
        page(&server).contains("hut 1.0.0"),
        "the old pods serve until the new ones are ready"
    );
    let _again = site
        .run(["rollback", "hut", "--env", "prod", "--yes"])
        .expect_code(0);
    assert_eq!(
        states(&site),
        ["1.0.0 succeeded", "1.1.0 failed", "1.0.0 succeeded"]
    );
    assert!(
        !has_extra(&server),
        "what the interrupted rollout has brought is deleted"
    );
}

/// A pod of nobody, which takes its time to end.
const SLOW: &str = r#"---
apiVersion: v1
kind: Pod
metadata: {name: slow}
spec:
  terminationGracePeriodSeconds: 8
  containers: [{name: slow, image: busybox, command: [sleep, "100000"]}]
"#;

#[test]
fn what_is_put_back_does_not_meet_its_own_end() {
    let site = Installation::new(env!("CARGO_BIN_EXE_sampan"));
    site.import_busybox();
    let good = Version {
        number: "1.0.0",
        text: "hut 1.0.0",
        serve: SERVE,
        more: SLOW,
    };
    good.release(&site);
    Version {
        number: "1.1.0",
        text: "ruin",
        more: "",
        ..good
    }
    .release(&site);
    let server = site.up();
    let _first = deploy(&site, "1.0.0").expect_code(0);
    let _unchecked = deploy(&site, "1.1.0").expect_code(6);
    let pod = Finished::of(server.kubectl().args([
        "-n",
        "hut",
        "get",
        "pod",
        "slow",
        "-o",
        "jsonpath={.status.phase} {.metadata.deletionTimestamp}",
    ]));
    assert_eq!(pod.stdout(), "Running ");
}

/// A migration as an app brings it, once with a time to live that is over at once.
fn migration(command: &str) -> String {
    let job = |name: &str, more: &str, command: &str| {
        format!(
            "---\napiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n  backoffLimit: 0\n{more}  \
             template:\n    spec:\n      restartPolicy: Never\n      containers:\n        \
             - {{name: c, image: busybox, command: [sh, -c, '{command}']}}\n"
        )
    };
    let brief = job("brief", "  ttlSecondsAfterFinished: 0\n", "true");
    format!("{}{brief}", job("migrate", "", command))
}

#[test]
fn jobs_are_made_anew_when_a_release_changes_them() {
    let site = Installation::new(env!("CARGO_BIN_EXE_sampan"));
    site.import_busybox();
    for (number, command) in [
        ("1.0.0", "echo one"),
        ("1.1.0", "echo two"),
        ("1.2.0", "exit 3"),
    ] {
        Version {
            number,
            text: &format!("hut {number}"),
            serve: SERVE,
            more: &migration(command),
        }
        .release(&site);
    }
    let server = site.up();
    let log = || {
        let log = ["-n", "hut", "logs", "job/migrate"];
        Finished::of(server.kubectl().args(log)).stdout()
    };
    let _first = deploy(&site, "1.0.0").expect_code(0);
    assert_eq!(log(), "one\n");
    let second = deploy(&site, "1.1.0").expect_code(0);
    let told = format!("{}{}", second.stdout, second.stderr);
    let planned = "Job migrate is deleted and made anew";
    assert!(told.contains(planned), "{told}");
    assert_eq!(log(), "two\n");
    let _third = deploy(&site, "1.2.0").expect_code(6);
    assert_eq!(log(), "two\n");
}

const NAMESPACE: &str = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: hut}\n";

#[test]
fn a_rollout_that_was_broken_off_is_gone_on_with() {
    let site = Installation::new(env!("CARGO_BIN_EXE_sampan"));
    site.import_busybox();
    let good = Version {
        number: "1.0.0",
        text: "hut 1.0.0",
        serve: SERVE,
        more: NAMESPACE,
    };
    good.release(&site);
    let more = format!("{NAMESPACE}{EXTRA}");
    Version {
        number: "1.1.0",
        serve: "exec sleep 1000",
        more: &more,
        ..good
    }
    .release(&site);
    Version {
        number: "1.2.0",
        text: "hut 1.2.0",
        ..good
    }
    .release(&site);
    let server = site.up();
    let plan = site
        .run(["deploy", "hut@1.0.0", "--env", "prod", "--plan"])
        .stdout();
    assert!(plan.contains("Plan: 4 to create."), "{plan}");
    let _first = deploy(&site, "1.0.0").expect_code(0);

    let deploying = site
        .sampan(["deploy", "hut@1.1.0", "--env", "prod", "--yes"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command can be started");
    eventually("the release to be applied", LIMIT, || {
        has_extra(&server).then_some(())
    });
    server.kill();
    let server = site.up();
    assert_eq!(states(&site)[0], "1.1.0 running", "it waits for the server");
    let said = interrupt(deploying);
    assert!(
        said.contains("or `sampan rollback hut --env prod` to go back"),
        "{said}"
    );

    let status = site.run(["status", "hut"]).stdout();
    assert!(
        status.contains(
            "order #2 to 1.1.0 was interrupted: `sampan deploy hut@1.1.0 --env prod` to go on"
        ),
        "{status}"
    );
    let _next = deploy(&site, "1.2.0").expect_code(0);
    assert!(page(&server).contains("hut 1.2.0"));
    assert!(
        !has_extra(&server),
        "nothing of the interrupted one is left"
    );
    let status = site.run(["status", "hut", "--output", "json"]).json();
    assert!(status["apps"][0]["unfinished"].is_null(), "{status}");
}

#[test]
fn mistakes_are_refused_before_anything_is_touched() {
    let site = Installation::new(env!("CARGO_BIN_EXE_sampan"));
    site.import_busybox();
    let good = Version {
        number: "1.0.0",
        text: "hut 1.0.0",
        serve: SERVE,
        more: "",
    };
    good.release(&site);
    let typo = EXTRA.replace("\ndata:", "\ndota:");
    Version {
        number: "1.1.0",
        more: &typo,
        ..good
    }
    .release(&site);
    let port = "---\napiVersion: v1\nkind: Service\nmetadata: {name: more}\nspec: {ports: [{port: 70000}]}\n";
    Version {
        number: "1.2.0",
        more: port,
        ..good
    }
    .release(&site);

    let _down = deploy(&site, "1.0.0")
        .expect_code(3)
        .expect_stderr("no server");
    let _server = site.up();
    let _unknown = deploy(&site, "2.0.0").expect_code(3);
    let _typo = deploy(&site, "1.1.0").expect_code(1).expect_stderr("dota");
    let _port = deploy(&site, "1.2.0").expect_code(1).expect_stderr("70000");
    let _environment = site
        .run(["deploy", "hut@1.0.0", "--env", "prot"])
        .expect_code(3)
        .expect_stderr("did you mean `prod`?");
    let _value = site
        .run(["deploy", "hut@1.0.0", "--env", "prod", "--set", "replica=2"])
        .expect_code(1)
        .expect_stderr("did you mean `replicas`?");
    let _nobody = site
        .run(["deploy", "hut@1.0.0", "--env", "prod"])
        .expect_code(1)
        .expect_stderr("--yes");
    let _nothing = site
        .run(["rollback", "hut", "--env", "prod"])
        .expect_code(3);
    let _never = site.run(["history", "hut"]).expect_code(3);
}
