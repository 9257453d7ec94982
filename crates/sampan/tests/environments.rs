//! Environments of an app side by side on one target, and how one goes. Needs root.

use std::time::Duration;

use sampan_testkit::{Finished, Installation, Server, eventually};
use serde_json::Value;

const LIMIT: Duration = Duration::from_mins(1);

const APP: &str = "apiVersion: sampan/v1\nkind: App\nname: note\nversion: VERSION\nmanifests: [note.yaml]\n\
values: {text: null}\n\
environments:\n  prod: {values: {text: of prod}}\n  dev: {values: {text: of dev}}\n";

const MANIFESTS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: note, annotations: null}\n\
data: {text: '${text}'}\n---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n\
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}\n";

fn release(site: &Installation, version: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("a file can be written");
    };
    write("sampan.yaml", &APP.replace("VERSION", version));
    write("note.yaml", MANIFESTS);
    let folder = folder.path().to_str().expect("the path is text");
    let _made = site.run(["release", "create", folder]).expect_code(0);
}

/// Runs a command of words between blanks that is not asked about.
fn order(site: &Installation, line: &str) -> Finished {
    site.run(line.split(' ').chain(["--yes"]))
}

fn text(server: &Server<'_>, namespace: &str) -> String {
    let get = [
        "get",
        "configmap",
        "note",
        "-o",
        "jsonpath={.data.text}",
        "-n",
    ];
    Finished::of(server.kubectl().args(get).arg(namespace)).stdout
}

#[test]
fn one_environment_does_not_take_another_over() {
    let site = Installation::new(env!("CARGO_BIN_EXE_sampan"));
    release(&site, "1.0.0");
    let server = site.up();
    let _first = order(&site, "deploy note@1.0.0 --env prod").expect_code(0);
    let refused = |finished: Finished| {
        let _refused = finished
            .expect_code(4)
            .expect_stderr("belongs to environment `prod` of note")
            .expect_stderr("--namespace");
        assert_eq!(text(&server, "note"), "of prod");
    };
    refused(order(&site, "deploy note@1.0.0 --env dev"));
    refused(site.run(["deploy", "note@1.0.0", "--env", "dev", "--dry-run"]));
    let beside = "deploy note@1.0.0 --env dev --namespace note-dev";
    let _beside = order(&site, beside).expect_code(0);
    assert_eq!(text(&server, "note-dev"), "of dev");
    assert_eq!(text(&server, "note"), "of prod");

    // Another installation has no orders of the first, but the objects say whose they are.
    let other = Installation::new(env!("CARGO_BIN_EXE_sampan"));
    release(&other, "1.0.0");
    let kubeconfig = site.data().join("kubeconfig-of-other");
    let credentials = site.run(["kubeconfig"]).stdout();
    std::fs::write(&kubeconfig, credentials).expect("a file can be written");
    let from_other = |line: &str| {
        let to = [
            "--kubeconfig",
            kubeconfig.to_str().expect("it is text"),
            "--yes",
        ];
        other.run(line.split(' ').chain(to))
    };
    refused(from_other("deploy note@1.0.0 --env dev"));
    let _same = from_other("deploy note@1.0.0 --env prod").expect_code(0);
}

fn states(site: &Installation) -> Vec<String> {
    let history = site.run(["history", "note", "-o", "json"]).json();
    let orders = history.as_array().expect("a list").iter();
    let shown = |order: &Value| format!("{} {}", order["state"], order["outcome"]).replace('"', "");
    orders.map(shown).collect()
}

#[test]
fn an_app_is_taken_out_of_an_environment_and_brought_back() {
    let site = Installation::new(env!("CARGO_BIN_EXE_sampan"));
    release(&site, "1.0.0");
    release(&site, "1.1.0");
    let server = site.up();
    let _first = order(&site, "deploy note@1.0.0 --env prod").expect_code(0);
    let _second = order(&site, "deploy note@1.1.0 --env prod").expect_code(0);
    for command in ["rollback", "remove"] {
        let _unknown = order(&site, &format!("{command} nota --env prod"))
            .expect_code(3)
            .expect_stderr("did you mean `note`?")
            .expect_stderr("orders have been given for note");
        let _unknown = order(&site, &format!("{command} note --env dev")).expect_code(3);
    }
    let nobody = site.run(["remove", "note", "--env", "prod"]).expect_code(1);
    assert!(
        nobody.stdout.contains("note out of prod"),
        "{}",
        nobody.stdout
    );
    assert!(nobody.stderr.contains("--yes"), "{}", nobody.stderr);
    assert_eq!(text(&server, "note"), "of prod");

    let removed = order(&site, "remove note --env prod").expect_code(0);
    let told = &removed.stdout;
    assert!(
        told.contains("Plan: 1 to delete, 1 left in place."),
        "{told}"
    );
    assert_eq!(text(&server, "note"), "");
    let claim = ["get", "pvc", "data", "-n", "note"];
    let _kept = Finished::of(server.kubectl().args(claim)).expect_code(0);
    assert_eq!(states(&site)[0], "succeeded taken away");
    let _nothing = site.run(["status", "note"]).expect_code(3);
    let _twice = order(&site, "remove note --env prod").expect_code(3);

    let _back = order(&site, "rollback note --env prod").expect_code(0);
    assert_eq!(text(&server, "note"), "of prod");
    let status = site.run(["status", "note", "-o", "json"]).json();
    assert_eq!(
        status["apps"][0]["version"], "1.1.0",
        "what was taken away comes back"
    );

    // What somebody has deleted by hand is no hindrance.
    let namespace = ["delete", "namespace", "note", "--wait=true"];
    let _deleted = Finished::of(server.kubectl().args(namespace)).expect_code(0);
    eventually("the namespace to be gone", LIMIT, || {
        (text(&server, "note").is_empty()).then_some(())
    });
    let _removed = order(&site, "remove note --env prod").expect_code(0);
    let _new = order(&site, "deploy note@1.0.0 --env prod").expect_code(0);
    assert_eq!(text(&server, "note"), "of prod");
}
