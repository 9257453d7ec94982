//! What people type.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use sampan_testkit::kubectl_minor;

use crate::fixture::Fixture;

const WEB: &str = "
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: example/web:1
        ports: [{containerPort: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
";

#[tokio::test(flavor = "multi_thread")]
async fn manifests_are_applied_changed_and_deleted() {
    let f = Fixture::start().await;
    let path = f.manifest("web.yaml", WEB);
    let applied = f.kubectl(&["apply", "-f", &path]).await;
    assert_eq!(
        applied,
        "deployment.apps/web created\nservice/web created\nconfigmap/settings created\n"
    );
    let again = f.kubectl(&["apply", "-f", &path]).await;
    assert_eq!(again.matches("unchanged").count(), 3, "{again}");
    f.manifest(
        "web.yaml",
        &WEB.replace("blue", "green").replace("web:1", "web:2"),
    );
    let changed = f.kubectl(&["apply", "-f", &path]).await;
    assert_eq!(
        changed,
        "deployment.apps/web configured\nservice/web unchanged\nconfigmap/settings configured\n"
    );
    let colour = f
        .kubectl(&["get", "cm", "settings", "-o", "jsonpath={.data.colour}"])
        .await;
    assert_eq!(colour, "green");
    let diff = f.output(&["diff", "-f", &path]).await;
    assert_eq!(
        diff.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&diff.stdout)
    );
    let deleted = f.kubectl(&["delete", "-f", &path, "--timeout=20s"]).await;
    assert_eq!(deleted.lines().count(), 3, "{deleted}");
    assert!(
        f.refused(&["get", "deploy", "web"])
            .await
            .contains("\"web\" not found")
    );
    f.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn server_side_apply_owns_fields() {
    let f = Fixture::start().await;
    let path = f.manifest("web.yaml", WEB);
    let applied = f
        .kubectl(&["apply", "--server-side", "--field-manager=a", "-f", &path])
        .await;
    assert_eq!(
        applied.matches("serverside-applied").count(),
        3,
        "{applied}"
    );
    f.manifest("web.yaml", &WEB.replace("blue", "green"));
    let refused = f
        .refused(&["apply", "--server-side", "--field-manager=b", "-f", &path])
        .await;
    assert!(
        refused.contains("Apply failed with 1 conflict: conflict with \"a\": .data.colour"),
        "{refused}"
    );
    f.kubectl(&[
        "apply",
        "--server-side",
        "--field-manager=b",
        "--force-conflicts",
        "-f",
        &path,
    ])
    .await;
    f.kubectl(&[
        "apply",
        "--server-side",
        "--field-manager=b",
        "--dry-run=server",
        "-f",
        &path,
    ])
    .await;
    f.kubectl(&["delete", "-f", &path, "--timeout=20s"]).await;
    f.kubectl(&["apply", "-f", &path]).await;
    let migrated = f.kubectl(&["apply", "--server-side", "-f", &path]).await;
    assert_eq!(
        migrated.matches("serverside-applied").count(),
        3,
        "{migrated}"
    );
    f.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_shown_in_every_form() {
    let f = Fixture::start().await;
    let path = f.manifest("web.yaml", WEB);
    f.kubectl(&["apply", "-f", &path]).await;
    let table = f.kubectl(&["get", "deploy"]).await;
    assert!(
        table.starts_with("NAME   READY   UP-TO-DATE   AVAILABLE   AGE\nweb    0/2"),
        "{table}"
    );
    let wide = f.kubectl(&["get", "deploy", "web", "-o", "wide"]).await;
    assert!(
        wide.contains("example/web:1") && wide.contains("app=web"),
        "{wide}"
    );
    let yaml = f.kubectl(&["get", "deploy", "web", "-o", "yaml"]).await;
    assert!(
        yaml.contains("strategy:\n    rollingUpdate:"),
        "the defaults are shown: {yaml}"
    );
    let all = f.kubectl(&["get", "all", "-A"]).await;
    assert!(
        all.contains("deployment.apps/web") && all.contains("service/kubernetes"),
        "{all}"
    );
    let described = f.kubectl(&["describe", "deploy", "web"]).await;
    assert!(
        described.contains("Selector:               app=web"),
        "{described}"
    );
    f.kubectl(&["describe", "service", "web"]).await;
    let labelled = f
        .kubectl(&["get", "deploy", "-l", "app in (web)", "-o", "name"])
        .await;
    assert_eq!(labelled, "deployment.apps/web\n");
    let fields = f
        .kubectl(&[
            "get",
            "cm",
            "--field-selector",
            "metadata.name=settings",
            "-o",
            "name",
        ])
        .await;
    assert_eq!(fields, "configmap/settings\n");
    let paged = f
        .kubectl(&["get", "cm", "-A", "--chunk-size=2", "-o", "name"])
        .await;
    assert_eq!(paged.lines().count(), 5, "{paged}");
    let sorted = f
        .kubectl(&["get", "cm", "-A", "--sort-by=.metadata.name"])
        .await;
    assert!(sorted.contains("settings"), "{sorted}");
    let resources = f.kubectl(&["api-resources", "-o", "name"]).await;
    assert!(resources.contains("statefulsets.apps"), "{resources}");
    f.kubectl(&["version"]).await;
    f.kubectl(&["cluster-info"]).await;
    f.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_properties_are_changed() {
    let f = Fixture::start().await;
    let path = f.manifest("web.yaml", WEB);
    f.kubectl(&["apply", "-f", &path]).await;
    f.kubectl(&["scale", "deploy/web", "--replicas=5"]).await;
    f.kubectl(&["label", "deploy", "web", "tier=front"]).await;
    f.kubectl(&["annotate", "deploy", "web", "note=hello"])
        .await;
    f.kubectl(&["set", "image", "deploy/web", "web=example/web:9"])
        .await;
    f.kubectl(&["set", "env", "deploy/web", "A=b"]).await;
    f.kubectl(&["rollout", "restart", "deploy/web"]).await;
    f.kubectl(&["rollout", "pause", "deploy/web"]).await;
    f.kubectl(&[
        "patch",
        "deploy",
        "web",
        "--type=json",
        "-p",
        r#"[{"op":"remove","path":"/spec/paused"}]"#,
    ])
    .await;
    f.kubectl(&[
        "patch",
        "deploy",
        "web",
        "--type=merge",
        "-p",
        r#"{"spec":{"minReadySeconds":3}}"#,
    ])
    .await;
    let scale = f.manifest(
        "scale.json",
        r#"{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"web","namespace":"default"},"spec":{"replicas":4}}"#,
    );
    let path = "/apis/apps/v1/namespaces/default/deployments/web/scale";
    f.kubectl(&["replace", "--raw", path, "-f", &scale]).await;
    let shown = f
        .kubectl(&[
            "get", "deploy", "web", "-o",
            "jsonpath={.spec.replicas} {.metadata.labels.tier} {.metadata.annotations.note} {.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].env[0].name} {.spec.minReadySeconds} {.spec.paused}",
        ])
        .await;
    assert_eq!(shown, "4 front hello example/web:9 A 3 ");
    f.kubectl(&["expose", "deploy", "web", "--name=second", "--port=8080"])
        .await;
    // What Debian's kubectl, of version 1.20, cannot say.
    if kubectl_minor() >= 24 {
        let by_patch = r#"{"spec":{"replicas":6}}"#;
        f.kubectl(&[
            "patch",
            "deploy",
            "web",
            "--subresource=scale",
            "--type=merge",
            "-p",
            by_patch,
        ])
        .await;
        f.kubectl(&[
            "wait",
            "deploy/web",
            "--for=jsonpath={.spec.replicas}=6",
            "--timeout=5s",
        ])
        .await;
    }
    f.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_edited() {
    let f = Fixture::start().await;
    f.kubectl(&["apply", "-f", &f.manifest("web.yaml", WEB)])
        .await;
    let mut edit = f.command(&["edit", "cm", "settings"]);
    edit.env("EDITOR", "sed -i s/blue/red/");
    let edited = tokio::task::spawn_blocking(move || edit.output().unwrap())
        .await
        .unwrap();
    assert!(
        edited.status.success(),
        "{}",
        String::from_utf8_lossy(&edited.stderr)
    );
    let colour = f
        .kubectl(&["get", "cm", "settings", "-o", "jsonpath={.data.colour}"])
        .await;
    assert_eq!(colour, "red");
    f.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_refused_in_the_words_of_kubernetes() {
    let f = Fixture::start().await;
    let mistake = f.manifest(
        "mistake.json",
        r#"{"kind":"Service","apiVersion":"v1","metadata":{"name":"typo"},"spec":{"ports":[{"port":80}],"replcas":1}}"#,
    );
    let strict = "/api/v1/namespaces/default/services?fieldValidation=Strict";
    let refused = f
        .refused(&["create", "--raw", strict, "-f", &mistake])
        .await;
    let reason = "strict decoding error: unknown field \"spec.replcas\"";
    assert!(refused.contains(reason), "{refused}");
    // Debian's kubectl, of version 1.20, leaves the check of fields to itself.
    if kubectl_minor() >= 25 {
        let typo = f.manifest("typo.yaml", &WEB.replace("replicas", "replcas"));
        let refused = f.refused(&["apply", "-f", &typo]).await;
        assert!(refused.contains(reason), "{refused}");
        let relaxed = f.output(&["apply", "--validate=warn", "-f", &typo]).await;
        let warning = String::from_utf8_lossy(&relaxed.stderr);
        assert!(
            relaxed.status.success() && warning.contains("Warning: unknown field"),
            "{warning}"
        );
    }
    let invalid = f.manifest("invalid.yaml", &WEB.replace("port: 80", "port: 80000"));
    let refused = f.refused(&["apply", "-f", &invalid]).await;
    assert!(refused.contains("must be between 1 and 65535"), "{refused}");
    let lost = f.refused(&["get", "cm", "-n", "default", "missing"]).await;
    assert_eq!(
        lost,
        "Error from server (NotFound): configmaps \"missing\" not found\n"
    );
    let nowhere = f
        .refused(&["apply", "-n", "nowhere", "-f", &f.manifest("web.yaml", WEB)])
        .await;
    assert!(
        nowhere.contains("namespaces \"nowhere\" not found"),
        "{nowhere}"
    );
    let unknown = f.refused(&["get", "unicorns"]).await;
    assert!(
        unknown.contains("the server doesn't have a resource type \"unicorns\""),
        "{unknown}"
    );
    f.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_shows_changes_as_they_come() {
    let f = Fixture::start().await;
    let mut child = f
        .command(&["get", "cm", "-w", "--no-headers", "--output-watch-events"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = child.stdout.take().unwrap();
    let (lines, mut seen) = tokio::sync::mpsc::channel(16);
    let reader = tokio::task::spawn_blocking(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                break;
            }
        }
    });
    let mut next = async || {
        tokio::time::timeout(std::time::Duration::from_secs(20), seen.recv())
            .await
            .unwrap()
            .unwrap()
    };
    // The event and the name; data and age follow.
    let squeeze = |line: String| {
        line.split_whitespace()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(squeeze(next().await), "ADDED kube-root-ca.crt");
    f.kubectl(&["apply", "-f", &f.manifest("web.yaml", WEB)])
        .await;
    assert_eq!(squeeze(next().await), "ADDED settings");
    f.kubectl(&["label", "cm", "settings", "a=b"]).await;
    assert_eq!(squeeze(next().await), "MODIFIED settings");
    f.kubectl(&["delete", "cm", "settings"]).await;
    assert_eq!(squeeze(next().await), "DELETED settings");
    child.kill().unwrap();
    child.wait().unwrap();
    reader.await.unwrap();
    f.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn namespaces_end_with_their_content_and_keys_survive_a_restart() {
    let f = Fixture::start().await;
    let shop = f.manifest(
        "ns.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
    );
    f.kubectl(&["apply", "-f", &shop]).await;
    f.kubectl(&["apply", "-n", "shop", "-f", &f.manifest("web.yaml", WEB)])
        .await;
    let before = f
        .kubectl(&[
            "get",
            "svc",
            "web",
            "-n",
            "shop",
            "-o",
            "jsonpath={.spec.clusterIP}",
        ])
        .await;
    let old = std::fs::read_to_string(f.directory.path().join("kubeconfig")).unwrap();
    let f = f.restart().await;
    let new = std::fs::read_to_string(f.directory.path().join("kubeconfig")).unwrap();
    let unchanging = |text: &str| {
        text.lines()
            .filter(|line| !line.contains("server:"))
            .count()
    };
    assert_eq!(unchanging(&old), unchanging(&new));
    let after = f
        .kubectl(&[
            "get",
            "svc",
            "web",
            "-n",
            "shop",
            "-o",
            "jsonpath={.spec.clusterIP}",
        ])
        .await;
    assert_eq!(before, after);
    f.kubectl(&["delete", "ns", "shop", "--timeout=20s"]).await;
    assert!(
        f.refused(&["get", "ns", "shop"])
            .await
            .contains("not found")
    );
    f.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_explained() {
    // Older clients take them from the other document.
    if kubectl_minor() < 27 {
        return;
    }
    let f = Fixture::start().await;
    let path = "deployments.spec.template.spec.containers.ports";
    let explained = f.kubectl(&["explain", path]).await;
    assert!(explained.contains("<[]ContainerPort>"), "{explained}");
    assert!(
        explained.contains("containerPort\t<integer> -required-"),
        "{explained}"
    );
    let all = f.kubectl(&["explain", "--recursive", "pods"]).await;
    assert!(all.contains("enum: Always, IfNotPresent, Never"), "{all}");
    f.stop().await;
}
