//! In turn with the real Helm 3: each goes on with what the other has written.

use serde_json::{Value, json};

use crate::fixture::{HelmOf, Site, no, page};

#[test]
fn helm_reads_what_was_installed_here() {
    let site = Site::new();
    let _server = site.up();
    let helm = HelmOf::three(&site);
    let _first = site.chart("install shop HUT --set text=one").expect_code(0);
    let _second = site
        .chart("upgrade shop HUT --set text=two,replicas=2")
        .expect_code(0);
    let listed = helm.run("list -o json").json();
    let ours = site.json("list");
    for field in [
        "name",
        "namespace",
        "revision",
        "status",
        "chart",
        "app_version",
    ] {
        assert_eq!(listed[0][field], ours[0][field], "{field}");
    }
    let essence = |history: &Value| {
        let revisions = history.as_array().cloned().unwrap_or_default().into_iter();
        let of = |one: Value| {
            json!([
                one["revision"],
                one["status"],
                one["chart"],
                one["description"]
            ])
        };
        revisions.map(of).collect::<Vec<_>>()
    };
    let history = helm.run("history shop -o json").json();
    assert_eq!(essence(&history), essence(&site.json("history shop")));
    let values = helm.run("get values shop -o json").json();
    assert_eq!(values, json!({"text": "two", "replicas": 2}));
    for what in ["manifest", "hooks", "notes", "values", "values --all"] {
        let line = format!("get {what} shop");
        let (theirs, ours) = (helm.run(&line).stdout(), site.chart(&line).stdout());
        assert_eq!(theirs.trim_end(), ours.trim_end(), "{what}");
    }
    let status = helm.run("status shop -o json").json();
    assert_eq!(status["info"]["status"], "deployed");
}

#[test]
fn helm_goes_on_with_what_was_installed_here() {
    let site = Site::new();
    let server = site.up();
    let helm = HelmOf::three(&site);
    let _first = site.chart("install shop HUT --set text=one").expect_code(0);
    let _second = site
        .chart("upgrade shop HUT --set text=two,extra=true")
        .expect_code(0);
    let _third = helm
        .run("upgrade shop HUT --set text=three --wait")
        .expect_code(0);
    no(&server, "configmap shop-extra");
    let _back = helm.run("rollback shop 1 --wait").expect_code(0);
    assert_eq!(
        site.states(),
        ["superseded", "superseded", "superseded", "deployed"]
    );
    assert_eq!(page(&server), "one");
    let _tested = helm.run("test shop").expect_code(0);
    let _gone = helm.run("uninstall shop --wait").expect_code(0);
    let _none = site.chart("status shop").expect_code(3);
}

#[test]
fn what_helm_has_installed_is_gone_on_with() {
    let site = Site::new();
    let server = site.up();
    let helm = HelmOf::three(&site);
    let _first = helm
        .run("install shop HUT --set text=one,extra=true --wait")
        .expect_code(0);
    assert_eq!(site.states(), ["deployed"]);
    assert_eq!(
        site.json("get values shop"),
        json!({"text": "one", "extra": true})
    );
    let _second = site
        .chart("upgrade shop HUT --reuse-values --set extra=false --wait")
        .expect_code(0);
    no(&server, "configmap shop-extra");
    let _third = helm
        .run("upgrade shop HUT --set text=three --wait")
        .expect_code(0);
    let _back = site.chart("rollback shop 1 --wait").expect_code(0);
    assert_eq!(
        site.states(),
        ["superseded", "superseded", "superseded", "deployed"]
    );
    assert_eq!(page(&server), "one");
    let history = helm.run("history shop -o json").json();
    assert_eq!(history[3]["description"], "Rollback to 1");
    let _tested = site.chart("test shop").expect_code(0);
    let _gone = site.chart("uninstall shop --wait").expect_code(0);
    assert_eq!(helm.run("list -aq").stdout(), "");
}
