//! The life of a release.

use serde_json::{Value, json};

use crate::fixture::{Site, kubectl, no, page};

#[test]
fn a_release_is_installed_upgraded_tested_and_uninstalled() {
    let site = Site::new();
    let server = site.up();
    let shown = site
        .chart("install shop HUT --wait --set extra=true")
        .stdout();
    let head = "STATUS: deployed\nREVISION: 1\nCHART: hut-1.0.0\n";
    assert!(shown.contains(head), "{shown}");
    assert!(shown.contains("NOTES:\nrevision 1 of shop on 1"), "{shown}");
    let object = kubectl(&server, "get configmap shop-page -o json").json();
    let (labels, annotations) = (
        &object["metadata"]["labels"],
        &object["metadata"]["annotations"],
    );
    assert_eq!(labels["app.kubernetes.io/managed-by"], "Helm");
    assert_eq!(annotations["meta.helm.sh/release-name"], "shop");
    assert_eq!(object["data"]["namespace"], "default");
    // The hook has run and gone.
    no(&server, "pod shop-hook");
    let again = site.chart("install shop HUT").expect_code(4);
    let _hinted = again
        .expect_stderr("cannot re-use a name that is still in use")
        .expect_stderr("sampan chart upgrade shop");

    // What is given now, and not what was given before; what the chart no longer has goes.
    let _upgraded = site
        .chart("upgrade shop HUT --set text=night,replicas=2 --wait")
        .expect_code(0);
    assert_eq!(page(&server), "night");
    no(&server, "configmap shop-extra");
    let ready = "get deployment shop -o jsonpath={.status.readyReplicas}";
    assert_eq!(kubectl(&server, ready).stdout(), "2");

    let tested = site.chart("test shop --logs").stdout();
    assert!(tested.contains("TEST SUITE:     shop-test"), "{tested}");
    assert!(tested.contains("Phase:          Succeeded"), "{tested}");
    assert!(tested.contains("POD LOGS: shop-test\nnight"), "{tested}");
    let status = site.chart("status shop").stdout();
    assert!(status.contains("Deployment   shop"), "{status}");
    assert!(status.contains("DESCRIPTION: Upgrade complete"), "{status}");
    let listed = site.json("list");
    assert_eq!(listed[0]["name"], "shop");
    assert_eq!(listed[0]["revision"], "2");
    assert_eq!(listed[0]["chart"], "hut-1.0.0");

    let gone = site.chart("uninstall shop --wait").stdout();
    assert!(gone.contains("[ConfigMap] shop-kept"), "{gone}");
    assert!(gone.contains("release \"shop\" uninstalled"), "{gone}");
    let _kept = kubectl(&server, "get configmap shop-kept").expect_code(0);
    no(&server, "deployment shop");
    assert_eq!(
        kubectl(&server, "get secrets -l owner=helm -o name").stdout(),
        ""
    );
    let _none = site.chart("uninstall shop").expect_code(3);
    let _content = site
        .chart("uninstall shop --ignore-not-found")
        .expect_code(0);
}

#[test]
fn a_failed_upgrade_goes_back_by_itself_and_any_by_hand() {
    let site = Site::new();
    let server = site.up();
    let _first = site
        .chart("install shop HUT --set extra=true")
        .expect_code(0);
    let _second = site
        .chart("upgrade shop HUT --set text=night --wait")
        .expect_code(0);
    let broken =
        "upgrade shop HUT --reuse-values --set serve=false,text=bad --atomic --timeout 12s";
    let _told = site
        .chart(broken)
        .expect_code(6)
        .expect_stderr("has been rolled back due to atomic being set")
        .expect_stderr("waiting for Deployment \"shop\"");
    assert_eq!(page(&server), "night");
    assert_eq!(
        site.states(),
        ["superseded", "superseded", "failed", "deployed"]
    );
    assert_eq!(site.json("get values shop"), json!({"text": "night"}));

    // Without `--atomic`, what was brought about stays, and what it was to be is recorded.
    let _failed = site
        .chart("upgrade shop HUT --set serve=false,text=bad --no-hooks --wait --timeout 2s")
        .expect_code(1);
    assert_eq!(page(&server), "bad");
    let _back = site.chart("rollback shop 1 --wait").expect_code(0);
    assert_eq!(page(&server), "good day");
    let _there = kubectl(&server, "get configmap shop-extra").expect_code(0);
    let last = ["superseded", "failed", "deployed"];
    assert_eq!(site.states()[3..], last);
    let shown = site.chart("history shop").stdout();
    assert!(
        shown.contains("Rollback to 1") && shown.contains("timed out after 2s"),
        "{shown}"
    );
    let _none = site.chart("rollback shop 77").expect_code(3);
}

#[test]
fn histories_are_kept_bounded_and_taken_up_again() {
    let site = Site::new();
    let server = site.up();
    for text in ["one", "two", "three"] {
        let line = format!("upgrade --install shop HUT --set text={text} --history-max 2");
        let _done = site.chart(&line).expect_code(0);
    }
    assert_eq!(site.states(), ["superseded", "deployed"]);
    let _kept = site.chart("uninstall shop --keep-history").expect_code(0);
    assert_eq!(site.states(), ["superseded", "uninstalled"]);
    assert_eq!(site.json("list"), json!([]));
    assert_eq!(site.json("list --all")[0]["status"], "uninstalled");
    let _back = site.chart("rollback shop 3").expect_code(0);
    assert_eq!(page(&server), "three");
    assert_eq!(site.json("list --filter ^sh")[0]["revision"], "4");
    assert_eq!(site.json("list --filter ^x"), json!([]));
}

#[test]
fn values_of_before_are_used_as_asked() {
    let site = Site::new();
    let _server = site.up();
    let upgrade = |more: &str| {
        let line = format!("upgrade shop HUT {more}");
        let _done = site.chart(&line).expect_code(0);
        let values = site.json("get values shop --all");
        (
            values["text"].clone(),
            values["added"].clone(),
            values["more"].clone(),
        )
    };
    let _first = site
        .chart("install shop HUT --set text=mine")
        .expect_code(0);
    site.write(
        "values.yaml",
        "{text: new, replicas: 1, serve: sleep 1000, hook: 'true', added: 1}\n",
    );
    let (mine, new, one) = (json!("mine"), json!("new"), json!(1));
    let reused = upgrade("--reuse-values --set more=1");
    assert_eq!(reused, (mine.clone(), Value::Null, one.clone()));
    let reused = upgrade("--reset-then-reuse-values");
    assert_eq!(reused, (mine.clone(), one.clone(), one.clone()));
    // Without anything given, what was given stays.
    assert_eq!(upgrade(""), (mine, one.clone(), one.clone()));
    assert_eq!(upgrade("--reset-values"), (new, one, Value::Null));
}

#[test]
fn objects_of_others_are_left_alone_and_nothing_happens_in_a_dry_run() {
    let site = Site::new();
    let server = site.up();
    let dry = site.chart("install shop HUT --dry-run").stdout();
    assert!(
        dry.contains("HOOKS:\n---\n# Source: hut/templates/hook.yaml"),
        "{dry}"
    );
    assert!(dry.contains("MANIFEST:\n---\n# Source:"), "{dry}");
    assert!(dry.contains("namespace: unknown"), "{dry}");
    let dry = site.chart("install shop HUT --dry-run=server").stdout();
    assert!(dry.contains("namespace: default"), "{dry}");
    assert_eq!(
        kubectl(&server, "get secrets -l owner=helm -o name").stdout(),
        ""
    );

    let theirs = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-page}\ndata: {own: x}\n";
    let _applied = server.apply(theirs).expect_code(0);
    let _told = site
        .chart("install shop HUT")
        .expect_code(4)
        .expect_stderr("ConfigMap \"shop-page\" in namespace \"default\" exists and cannot be imported into the current release")
        .expect_stderr("missing key \"app.kubernetes.io/managed-by\": must be set to \"Helm\"");
    let _taken = site
        .chart("install shop HUT --take-ownership")
        .expect_code(0);
    assert_eq!(page(&server), "good day");

    let _away = site
        .chart("install shop HUT --namespace away --create-namespace")
        .expect_code(0);
    let listed = site.json("list --all-namespaces");
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
}

#[test]
fn failing_hooks_fail_what_they_belong_to() {
    let site = Site::new();
    let server = site.up();
    let failed = site
        .chart("install shop HUT --set hook=false")
        .expect_code(1);
    let _told = failed.expect_stderr("failed pre-install: pod shop-hook failed");
    assert_eq!(site.states(), ["failed"]);
    // It stays for looking into it, until the next attempt.
    let _there = kubectl(&server, "get pod shop-hook").expect_code(0);
    let _done = site
        .chart("upgrade --install shop HUT --reset-values")
        .expect_code(0);
    // What failed has been replaced, too.
    assert_eq!(site.states(), ["superseded", "deployed"]);
    let _undone = site
        .chart(
            "install stall HUT --set hook=false --atomic --no-hooks --set serve=false --timeout 2s",
        )
        .expect_code(6);
    let _gone = site.chart("status stall").expect_code(3);
}
