//! A pipeline of Drone 0.8 with the plugins that people have, run as it is at a site with no network: tests, an image for
//! the site's registry, a detached server, a deployment and a message. Needs root.

#[path = "ci_commands/fixture.rs"]
mod fixture;

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use fixture::{Project, SAMPAN};
use sampan_testkit::{Finished, Installation, Server, eventually};
use serde_json::Value;

const PIPELINE: &str = "\
workspace:
  base: /app
  path: src/shop

pipeline:
  setup:
    image: busybox
    commands:
      - mkdir -p site
      - cp greeting site/index.html

  test:
    image: busybox
    commands:
      - grep -q 'good day' site/index.html

  build:
    image: busybox
    environment:
      - VERSION=${DRONE_COMMIT_SHA:0:8}
    commands:
      - echo $VERSION > site/version

  build_image:
    image: plugins/docker:18.09
    repo: registry.site/shop/web
    registry: registry.site
    insecure: true
    tags:
      - latest
      - ${DRONE_COMMIT_SHA:0:8}
    build_args:
      - OWNER=${DRONE_REPO_OWNER}
    when:
      branch: main

  run_server:
    image: busybox
    detach: true
    commands:
      - busybox httpd -f -p 8000 -h site

  check:
    image: busybox
    commands:
      - until wget -q -O served http://run_server:8000/version; do sleep 0.1; done
      - cmp served site/version

  deploy:
    image: yangwen13/drone-kubernetes
    secrets: [kubernetes_server, kubernetes_cert, kubernetes_token]
    namespace: shop
    deployment: web
    container: web
    repo: registry.site/shop/web
    tag: ${DRONE_COMMIT_SHA:0:8}

  slack:
    image: plugins/slack
    secrets: [slack_webhook]
    channel: shop
    username: drone
    template: >
      {{#success build.status}}
        {{repo.owner}}/{{repo.name}}: build {{build.number}} of {{build.branch}} is live ({{truncate build.commit 8}}).
      {{else}}
        {{repo.owner}}/{{repo.name}}: build {{build.number}} failed, {{build.author}}.
      {{/success}}
    when:
      status: [success, failure]
";

const WEB: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: web, image: busybox, command: [busybox, httpd, -f, -p, '8080', -h, /]}
";

/// A receiver of messages, as Slack's webhook; ended when dropped.
struct Receiver {
    child: Child,
    folder: PathBuf,
}

impl Receiver {
    const PORT: u16 = 9091;

    fn new(site: &Installation) -> Self {
        let folder = site.data().join("receiver");
        let programs = folder.join("cgi-bin");
        std::fs::create_dir_all(&programs).expect("a folder can be made");
        let hook = programs.join("hook");
        let script = format!(
            "#!/bin/sh\nhead -c $CONTENT_LENGTH > {0}/partial\nmv {0}/partial {0}/message\n\
             printf 'Content-Type: text/plain\\r\\n\\r\\nok'\n",
            folder.display()
        );
        std::fs::write(&hook, script).expect("a file can be written");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&hook, mode).expect("the file is ours");
        let mut command = site.command("busybox");
        let child = command
            .args(["httpd", "-f", "-p"])
            .arg(Self::PORT.to_string())
            .arg("-h")
            .arg(&folder)
            .spawn()
            .expect("busybox");
        eventually("the receiver to listen", Duration::from_secs(10), || {
            let mut listening = site.command("busybox");
            let listed = Finished::of(listening.args(["netstat", "-ltn"])).stdout();
            listed.contains(&format!(":{} ", Self::PORT)).then_some(())
        });
        Self { child, folder }
    }

    /// The message that is there, which makes room for the next.
    fn message(&self) -> Value {
        let path = self.folder.join("message");
        let text = std::fs::read(&path).expect("there is a message");
        std::fs::remove_file(&path).expect("the file is ours");
        serde_json::from_slice(&text).expect("the message is JSON")
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.child.kill().expect("the receiver can be ended");
        self.child.wait().expect("the receiver ends");
    }
}

fn kubectl(server: &Server<'_>, arguments: &str) -> String {
    Finished::of(server.kubectl().args(arguments.split_whitespace())).stdout()
}

/// The secrets of the pipeline as arguments.
fn secrets(server: &Server<'_>) -> Vec<String> {
    let of = |path: &str| kubectl(server, &format!("config view --raw -o jsonpath={{{path}}}"));
    [
        ("kubernetes_server", of(".clusters[0].cluster.server")),
        (
            "kubernetes_cert",
            of(".clusters[0].cluster.certificate-authority-data"),
        ),
        ("kubernetes_token", of(".users[0].user.token")),
        (
            "slack_webhook",
            format!("http://127.0.0.1:{}/cgi-bin/hook", Receiver::PORT),
        ),
    ]
    .into_iter()
    .flat_map(|(name, value)| ["--secret".to_owned(), format!("{name}={value}")])
    .collect()
}

fn run(project: &Project, site: &Installation, secrets: &[String]) -> Finished {
    let mut arguments = vec!["run"];
    arguments.extend(secrets.iter().map(String::as_str));
    project.ci(site, &arguments)
}

#[test]
fn a_pipeline_of_drone_delivers_an_app_with_no_network() {
    let site = Installation::site(SAMPAN, "ci-built-ins");
    site.import_busybox();
    let server = site.up();
    let registry = server.registry_address();
    let project = Project::new(&[
        (".drone.yml", &PIPELINE.replace("registry.site", &registry)),
        ("greeting", "good day\n"),
        (
            "Dockerfile",
            "FROM busybox\nARG OWNER\nLABEL owner=$OWNER\nCOPY site /site\n\
             CMD [\"busybox\", \"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/site\"]\n",
        ),
    ]);
    let _applied = server.apply(WEB).expect_code(0);

    let receiver = Receiver::new(&site);
    let given = secrets(&server);
    let ended = run(&project, &site, &given).expect_code(0);
    let token = given
        .iter()
        .find_map(|given| given.strip_prefix("kubernetes_token="));
    let token = token.expect("a token");
    assert!(
        !token.is_empty() && !ended.stderr.contains(token),
        "{}",
        ended.stderr
    );

    // The image is in the registry, the deployment has it, and the message says so.
    let image = kubectl(
        &server,
        "get deployment web -n shop -o jsonpath={.spec.template.spec.containers[0].image}",
    );
    let tag = image
        .strip_prefix(&format!("{registry}/shop/web:"))
        .expect("the image of the run");
    assert_eq!(tag.len(), 8, "{image}");
    let _well = kubectl(
        &server,
        "rollout status deployment/web -n shop --timeout=60s",
    );
    let tags = format!("http://{registry}/v2/shop/web/tags/list");
    let mut wget = site.command("busybox");
    let tags = Finished::of(wget.args(["wget", "-q", "-O", "-", &tags])).json();
    assert_eq!(tags["tags"].as_array().map(Vec::len), Some(2), "{tags}");
    let message = receiver.message();
    assert_eq!(message["channel"], "#shop");
    assert_eq!(message["attachments"][0]["color"], "good");
    assert_eq!(
        message["attachments"][0]["text"],
        format!("team/shop: build 1 of main is live ({tag}).")
    );

    // When a test fails, nothing is built and deployed, and the message says that.
    project.write("greeting", "bad day\n");
    let failed = run(&project, &site, &given);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    let message = receiver.message();
    assert_eq!(message["attachments"][0]["color"], "danger");
    let text = message["attachments"][0]["text"].as_str().expect("a text");
    assert!(text.starts_with("team/shop: build 2 failed, "), "{text}");
}
