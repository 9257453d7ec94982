//! Charts that bring kinds along, what is left of failed attempts, and clusters named by a file.

use crate::fixture::{Site, kubectl, no};

const DEFINITION: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: boats, singular: boat, kind: Boat}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {length: {type: integer}}}}}}
";

const BOAT: &str = "apiVersion: example.org/v1
kind: Boat
metadata: {name: {{ .Release.Name }}}
spec: {length: {{ .Values.replicas }}}
";

#[test]
fn definitions_of_a_chart_come_first_and_stay() {
    let site = Site::new();
    site.write("crds/boats.yaml", DEFINITION);
    site.write("templates/boat.yaml", BOAT);
    let server = site.up();
    let _told = site
        .chart("install shop HUT --skip-crds --no-hooks")
        .expect_code(1)
        .expect_stderr("ensure CRDs are installed first");
    let _first = site.chart("install shop HUT --wait").expect_code(0);
    let length = "get boat shop -o jsonpath={.spec.length}";
    assert_eq!(kubectl(&server, length).stdout(), "1");
    let _second = site
        .chart("upgrade shop HUT --set replicas=2 --server-side --wait")
        .expect_code(0);
    assert_eq!(kubectl(&server, length).stdout(), "2");
    let _other = site
        .chart("install other HUT --no-hooks")
        .expect_code(0)
        .expect_stderr("CRD boats.example.org is already present, skipping it");
    let _gone = site.chart("uninstall shop --wait").expect_code(0);
    let left = kubectl(&server, "get boats -o name").stdout();
    assert_eq!(left, "boat.example.org/other\n");
}

#[test]
fn what_a_failed_upgrade_has_made_is_removed_when_asked_for() {
    let site = Site::new();
    let server = site.up();
    let _first = site.chart("install shop HUT").expect_code(0);
    let upgrade = "upgrade shop HUT --set extra=true,serve=false --no-hooks --wait --timeout 2s";
    let line = format!("{upgrade} --cleanup-on-fail");
    let _removed = site.chart(&line).expect_code(1);
    no(&server, "configmap shop-extra");
    // What was there before stays as the failed upgrade has made it.
    let _there = kubectl(&server, "get deployment shop").expect_code(0);
    let _left = site.chart(upgrade).expect_code(1);
    let _there = kubectl(&server, "get configmap shop-extra").expect_code(0);
    assert_eq!(site.states(), ["deployed", "failed", "failed"]);
}

#[test]
fn another_cluster_is_named_by_a_file() {
    let (site, other) = (Site::new(), Site::new());
    let (_near, far) = (site.up(), other.up());
    let path = other.installation.data().join("kubeconfig");
    let text = other.installation.run(["kubeconfig"]).stdout();
    std::fs::write(&path, text).expect("a file can be written");
    let there = format!("--kubeconfig {} --context sampan", path.display());
    let _away = site
        .chart(&format!("install shop HUT --wait {there}"))
        .expect_code(0);
    let _here = site.chart("status shop").expect_code(3);
    let _there = other.chart("status shop").expect_code(0);
    let _tested = site.chart(&format!("test shop {there}")).expect_code(0);
    let _gone = site
        .chart(&format!("uninstall shop --wait {there}"))
        .expect_code(0);
    no(&far, "deployment shop");
}
