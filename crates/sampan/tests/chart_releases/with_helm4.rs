//! In turn with the real Helm 4: each goes on with what the other has written.

use sampan_testkit::Server;
use serde_json::{Value, json};

use crate::fixture::{HelmOf, Site, kubectl, no, page};

/// Who owns fields of the page of the release, and by which kind of request.
fn owners(server: &Server<'_>) -> String {
    let shown = "get configmap shop-page --show-managed-fields -o jsonpath={range.metadata.managedFields[*]}{.manager}:{.operation};{end}";
    kubectl(server, shown).stdout()
}

/// How the last revision was brought about, as Helm 4 tells it.
fn method(helm: &HelmOf<'_>) -> Value {
    helm.run("metadata shop").json()["applyMethod"].clone()
}

fn states(helm: &HelmOf<'_>) -> Vec<(u64, String)> {
    let history = helm.run("history shop").json();
    let revisions = history.as_array().cloned().unwrap_or_default().into_iter();
    let of = |one: Value| {
        let status = one["status"].as_str().map(str::to_owned);
        (
            one["revision"].as_u64().unwrap_or_default(),
            status.unwrap_or_default(),
        )
    };
    revisions.map(of).collect()
}

fn expected(states: &[&str]) -> Vec<(u64, String)> {
    let numbered = (1..).zip(states.iter().map(|state| (*state).to_owned()));
    numbered.collect()
}

#[test]
fn helm_4_installs_upgrades_tests_rolls_back_and_uninstalls() {
    let site = Site::new();
    let server = site.up();
    let helm = HelmOf::four(&site);
    let _first = helm
        .run("install shop HUT --set text=one,extra=true --wait")
        .expect_code(0);
    assert_eq!(owners(&server), "helm:Apply;");
    assert_eq!(page(&server), "one");
    let _second = helm
        .run("upgrade shop HUT --set text=two --wait")
        .expect_code(0);
    assert_eq!(page(&server), "two");
    no(&server, "configmap shop-extra");
    let tested = helm.run("test shop");
    let log = kubectl(&server, "logs shop-test").stdout;
    assert_eq!(tested.code, Some(0), "{}: {log}", tested.stderr);
    assert!(tested.stdout.contains("two"), "{}", tested.stdout);
    let _broken = helm
        .run("upgrade shop HUT --set text=bad,serve=false --wait --timeout 8 --rollback-on-failure")
        .expect_code(1);
    assert_eq!(page(&server), "two");
    let _back = helm.run("rollback shop 1 --wait").expect_code(0);
    assert_eq!(page(&server), "one");
    let _extra = kubectl(&server, "get configmap shop-extra").expect_code(0);
    let all = [
        "superseded",
        "superseded",
        "failed",
        "superseded",
        "deployed",
    ];
    assert_eq!(states(&helm), expected(&all));
    assert_eq!(site.states(), all);
    let _gone = helm.run("uninstall shop --wait").expect_code(0);
    assert_eq!(helm.run("list").json(), json!([]));
    no(&server, "deployment shop");
}

#[test]
fn helm_4_goes_on_with_what_was_installed_here() {
    let site = Site::new();
    let server = site.up();
    let helm = HelmOf::four(&site);
    let _first = site.chart("install shop HUT --set text=one").expect_code(0);
    let _second = site
        .chart("upgrade shop HUT --set text=two,extra=true")
        .expect_code(0);
    assert_eq!(states(&helm), expected(&["superseded", "deployed"]));
    assert_eq!(
        helm.run("values shop").json(),
        json!({"text": "two", "extra": true})
    );
    let listed = helm.run("list").json();
    assert_eq!(
        (&listed[0]["name"], &listed[0]["revision"]),
        (&json!("shop"), &json!(2))
    );
    let _third = helm
        .run("upgrade shop HUT --set text=three --wait")
        .expect_code(0);
    assert_eq!(method(&helm), "csa", "it goes on as it was begun");
    no(&server, "configmap shop-extra");
    let _back = helm.run("rollback shop 1 --wait").expect_code(0);
    assert_eq!(page(&server), "one");
    let _tested = helm.run("test shop").expect_code(0);
    let _gone = helm.run("uninstall shop --wait").expect_code(0);
    let _none = site.chart("status shop").expect_code(3);
}

#[test]
fn what_helm_4_has_installed_is_gone_on_with() {
    let site = Site::new();
    let server = site.up();
    let helm = HelmOf::four(&site);
    let _first = helm
        .run("install shop HUT --set text=one,extra=true --wait")
        .expect_code(0);
    assert_eq!(site.states(), ["deployed"]);
    assert_eq!(
        site.json("get values shop"),
        json!({"text": "one", "extra": true})
    );
    let _second = site
        .chart("upgrade shop HUT --reuse-values --set extra=false,text=two --wait")
        .expect_code(0);
    assert_eq!(method(&helm), "ssa", "it goes on as it was begun");
    assert_eq!(owners(&server), "helm:Apply;");
    no(&server, "configmap shop-extra");
    let _third = helm
        .run("upgrade shop HUT --set text=three --wait")
        .expect_code(0);
    let _back = site.chart("rollback shop 1 --wait").expect_code(0);
    assert_eq!(page(&server), "one");
    let all = ["superseded", "superseded", "superseded", "deployed"];
    assert_eq!(states(&helm), expected(&all));
    let _tested = site.chart("test shop").expect_code(0);
    let _gone = site.chart("uninstall shop --wait").expect_code(0);
    assert_eq!(helm.run("list").json(), json!([]));
}

#[test]
fn releases_go_over_to_server_side_apply_and_back() {
    let site = Site::new();
    let server = site.up();
    let helm = HelmOf::four(&site);
    let _plain = site.chart("install shop HUT --set text=one").expect_code(0);
    assert_eq!(owners(&server), "helm:Update;");
    // What the first revision has set and the second leaves out goes, though it was no apply that set it.
    site.write(
        "templates/label.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-label}\ndata: {a: x, {{ .Values.text }}: z}\n",
    );
    let _label = site.chart("upgrade shop HUT --set text=two").expect_code(0);
    let _over = site
        .chart("upgrade shop HUT --set text=three --server-side --wait")
        .expect_code(0);
    assert_eq!(
        (method(&helm), owners(&server)),
        (json!("ssa"), "helm:Apply;".to_owned())
    );
    let label = kubectl(&server, "get configmap shop-label -o jsonpath={.data}").stdout();
    assert_eq!(label, r#"{"a":"x","three":"z"}"#);

    // Somebody else owns a field now.
    let theirs =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-label}\ndata: {a: theirs}\n";
    let path = site.installation.data().join("theirs.yaml");
    std::fs::write(&path, theirs).expect("a file can be written");
    let line = format!(
        "apply --server-side --force-conflicts --field-manager=them -f {}",
        path.display()
    );
    let _taken = kubectl(&server, &line).expect_code(0);
    let _refused = site
        .chart("upgrade shop HUT --set text=four")
        .expect_code(1)
        .expect_stderr("conflict");
    let _forced = site
        .chart("upgrade shop HUT --set text=four --force-conflicts")
        .expect_code(0);
    let label = kubectl(&server, "get configmap shop-label -o jsonpath={.data}").stdout();
    assert_eq!(label, r#"{"a":"x","four":"z"}"#);

    let _fifth = helm.run("upgrade shop HUT --set text=five").expect_code(0);
    let _back = site
        .chart("upgrade shop HUT --set text=six --server-side=false")
        .expect_code(0);
    assert_eq!(
        (method(&helm), page(&server)),
        (json!("csa"), "six".to_owned())
    );
    let label = kubectl(&server, "get configmap shop-label -o jsonpath={.data}").stdout();
    assert_eq!(label, r#"{"a":"x","six":"z"}"#);
    let _gone = site.chart("uninstall shop --wait").expect_code(0);

    let _new = site
        .chart("install shop HUT --set text=new --server-side --wait")
        .expect_code(0);
    assert_eq!(
        (method(&helm), owners(&server)),
        (json!("ssa"), "helm:Apply;".to_owned())
    );
    let _agreed = site
        .chart("install other HUT --set text=new --helm 4 --no-hooks")
        .expect_code(0);
    let record = helm.run("metadata other").json();
    assert_eq!(record["applyMethod"], "ssa");
}
