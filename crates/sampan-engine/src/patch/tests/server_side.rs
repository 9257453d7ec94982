use serde_json::{Value, json};

use super::{LATER, NOON, created, deployment, options};
use crate::patch::{PatchError, PatchOptions, PatchType, apply, managed};
use crate::schema;

fn applied(
    live: Option<&Value>,
    config: &Value,
    options: &PatchOptions<'_>,
) -> Result<Value, PatchError> {
    let rules = schema::of("apps", "Deployment");
    apply(
        rules,
        live,
        config.to_string().as_bytes(),
        PatchType::Apply,
        options,
    )
}

fn with_spec(spec: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
           "metadata": {"name": "web", "namespace": "default"}, "spec": spec})
}

fn entry<'a>(object: &'a Value, manager: &str) -> Option<&'a Value> {
    let entries = object["metadata"]["managedFields"].as_array()?;
    entries.iter().find(|entry| entry["manager"] == manager)
}

#[test]
fn a_create_records_what_kubernetes_records() {
    let object = created(deployment(), "kubectl-create");
    let entry = entry(&object, "kubectl-create").unwrap();
    assert_eq!(entry["operation"], "Update");
    assert_eq!(entry["apiVersion"], "apps/v1");
    assert_eq!(entry["time"], NOON);
    let fields = &entry["fieldsV1"];
    assert_eq!(
        fields["f:metadata"],
        json!({"f:labels": {".": {}, "f:app": {}}})
    );
    assert_eq!(fields["f:spec"]["f:selector"], json!({}));
    let template = &fields["f:spec"]["f:template"];
    assert_eq!(template.get("."), None);
    let container = &template["f:spec"]["f:containers"][r#"k:{"name":"web"}"#];
    assert_eq!(container["."], json!({}));
    assert_eq!(
        container["f:ports"],
        json!({".": {}, r#"k:{"containerPort":80,"protocol":"TCP"}"#: {".": {}, "f:containerPort": {}}})
    );
}

#[test]
fn an_apply_creates_and_owns_what_it_lists() {
    let object = applied(None, &with_spec(&json!({"replicas": 1})), &options("me")).unwrap();
    assert_eq!(object["spec"], json!({"replicas": 1}));
    let entry = entry(&object, "me").unwrap();
    assert_eq!(entry["operation"], "Apply");
    assert_eq!(entry["fieldsV1"], json!({"f:spec": {"f:replicas": {}}}));
}

#[test]
fn a_field_of_another_manager_is_a_conflict_unless_forced() {
    let live = created(deployment(), "kubectl-create");
    let config = with_spec(&json!({"replicas": 3}));
    let error = applied(Some(&live), &config, &options("me")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Apply failed with 1 conflict: conflict with \"kubectl-create\" using apps/v1: \
         .spec.replicas"
    );
    let forced = PatchOptions {
        force: true,
        ..options("me")
    };
    let object = applied(Some(&live), &config, &forced).unwrap();
    assert_eq!(object["spec"]["replicas"], 3);
    let theirs = entry(&object, "kubectl-create").unwrap();
    assert_eq!(theirs["fieldsV1"]["f:spec"].get("f:replicas"), None);
}

#[test]
fn several_conflicts_are_grouped_by_their_manager() {
    let live = created(deployment(), "kubectl-create");
    let config = with_spec(&json!({"replicas": 3, "template": {"spec": {"containers": [
        {"name": "web", "image": "web:2"}
    ]}}}));
    let error = applied(Some(&live), &config, &options("me")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Apply failed with 2 conflicts: conflicts with \"kubectl-create\" using apps/v1:\n\
         - .spec.replicas\n- .spec.template.spec.containers[name=\"web\"].image"
    );
}

#[test]
fn the_same_value_is_owned_together() {
    let live = created(deployment(), "kubectl-create");
    let object = applied(
        Some(&live),
        &with_spec(&json!({"replicas": 2})),
        &options("me"),
    )
    .unwrap();
    for manager in ["me", "kubectl-create"] {
        let entry = entry(&object, manager).unwrap();
        assert_eq!(
            entry["fieldsV1"]["f:spec"]["f:replicas"],
            json!({}),
            "{manager}"
        );
    }
}

#[test]
fn what_is_no_longer_applied_is_removed_unless_owned_by_others() {
    let first = with_spec(&json!({"replicas": 2, "paused": true, "minReadySeconds": 5}));
    let live = applied(None, &first, &options("me")).unwrap();
    let other = with_spec(&json!({"paused": true}));
    let live = applied(Some(&live), &other, &options("other")).unwrap();
    let second = with_spec(&json!({"replicas": 2}));
    let object = applied(Some(&live), &second, &options("me")).unwrap();
    assert_eq!(object["spec"], json!({"replicas": 2, "paused": true}));
    assert_eq!(
        entry(&object, "me").unwrap()["fieldsV1"],
        json!({"f:spec": {"f:replicas": {}}})
    );
}

#[test]
fn items_of_keyed_lists_come_and_go_one_by_one() {
    let list = |items: Value| with_spec(&json!({"template": {"spec": {"containers": items}}}));
    let live = applied(
        None,
        &list(json!([{"name": "a", "image": "a"}, {"name": "b", "image": "b"}])),
        &options("me"),
    )
    .unwrap();
    let live = applied(
        Some(&live),
        &list(json!([{"name": "c", "image": "c"}])),
        &options("other"),
    )
    .unwrap();
    let object = applied(
        Some(&live),
        &list(json!([{"name": "b", "image": "b2"}])),
        &options("me"),
    )
    .unwrap();
    assert_eq!(
        object["spec"]["template"]["spec"]["containers"],
        json!([{"name": "b", "image": "b2"}, {"name": "c", "image": "c"}])
    );
}

#[test]
fn a_list_keeps_the_applied_order() {
    let list = |items: Value| with_spec(&json!({"template": {"spec": {"containers": items}}}));
    let live = applied(
        None,
        &list(json!([{"name": "a"}, {"name": "b"}, {"name": "c"}])),
        &options("me"),
    )
    .unwrap();
    let object = applied(
        Some(&live),
        &list(json!([{"name": "c"}, {"name": "b"}, {"name": "a"}])),
        &options("me"),
    )
    .unwrap();
    assert_eq!(
        object["spec"]["template"]["spec"]["containers"],
        json!([{"name": "c"}, {"name": "b"}, {"name": "a"}])
    );
}

#[test]
fn an_apply_that_changes_nothing_keeps_the_object_and_the_time() {
    let config = with_spec(&json!({"replicas": 1}));
    let live = applied(
        None,
        &config,
        &PatchOptions {
            time: NOON,
            ..options("me")
        },
    )
    .unwrap();
    let object = applied(Some(&live), &config, &options("me")).unwrap();
    assert_eq!(object, live);
}

#[test]
fn an_update_takes_the_changed_fields_from_their_owners() {
    let live = created(deployment(), "kubectl-create");
    let mut after = live.clone();
    after["spec"]["replicas"] = json!(7);
    let update = managed::Update {
        manager: "hpa",
        subresource: None,
        time: LATER,
    };
    managed::record_update(
        schema::of("apps", "Deployment"),
        Some(&live),
        &mut after,
        &update,
    )
    .unwrap();
    assert_eq!(
        entry(&after, "hpa").unwrap()["fieldsV1"],
        json!({"f:spec": {"f:replicas": {}}})
    );
    let theirs = entry(&after, "kubectl-create").unwrap();
    assert_eq!(theirs["fieldsV1"]["f:spec"].get("f:replicas"), None);
    assert_eq!(theirs["time"], NOON);
}

#[test]
fn a_status_update_owns_only_the_status() {
    let live = created(deployment(), "kubectl-create");
    let mut after = live.clone();
    after["spec"]["replicas"] = json!(7);
    after["status"] =
        json!({"replicas": 2, "conditions": [{"type": "Available", "status": "True"}]});
    let update = managed::Update {
        manager: "controller",
        subresource: Some("status"),
        time: LATER,
    };
    managed::record_update(
        schema::of("apps", "Deployment"),
        Some(&live),
        &mut after,
        &update,
    )
    .unwrap();
    let entry = entry(&after, "controller").unwrap();
    assert_eq!(entry["subresource"], "status");
    assert_eq!(
        entry["fieldsV1"],
        json!({"f:status": {
            "f:replicas": {},
            "f:conditions": {".": {}, r#"k:{"type":"Available"}"#: {".": {}, "f:type": {}, "f:status": {}}}
        }})
    );
}

#[test]
fn old_updaters_are_put_together() {
    let mut object = created(deployment(), "first");
    for round in 0..12 {
        let before = object.clone();
        object["spec"]["replicas"] = json!(round + 10);
        object["metadata"]["labels"][format!("l{round}")] = json!("x");
        let manager = format!("manager-{round:02}");
        let time = format!("2026-01-02T00:00:{round:02}Z");
        let update = managed::Update {
            manager: &manager,
            subresource: None,
            time: &time,
        };
        managed::record_update(
            schema::of("apps", "Deployment"),
            Some(&before),
            &mut object,
            &update,
        )
        .unwrap();
    }
    assert_eq!(
        object["metadata"]["managedFields"]
            .as_array()
            .unwrap()
            .len(),
        10
    );
    assert!(entry(&object, "ancient-changes").is_some());
}

#[test]
fn kubectl_takes_over_from_its_client_side_apply() {
    let mut object = deployment();
    let config = deployment();
    object["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/last-applied-configuration": config.to_string()});
    let live = created(object, "kubectl-client-side-apply");
    let mut wanted = deployment();
    wanted["spec"]["replicas"] = json!(4);
    let object = applied(Some(&live), &wanted, &options("kubectl")).unwrap();
    assert_eq!(object["spec"]["replicas"], 4);
    let annotation =
        object["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
            .as_str()
            .unwrap();
    assert!(annotation.contains("\"replicas\":4"), "{annotation}");
    assert!(applied(Some(&live), &wanted, &options("sampan")).is_err());
}

#[test]
fn an_unmanaged_object_is_owned_by_what_was_before() {
    let object = applied(
        Some(&deployment()),
        &with_spec(&json!({"replicas": 2})),
        &options("me"),
    )
    .unwrap();
    assert!(entry(&object, "before-first-apply").is_some());
}

#[test]
fn what_may_not_be_applied_is_refused() {
    let nobody = applied(None, &with_spec(&json!({})), &options("")).unwrap_err();
    assert!(nobody.to_string().contains("fieldManager"), "{nobody}");
    let mut config = with_spec(&json!({}));
    config["metadata"]["managedFields"] = json!([{}]);
    let managed = applied(None, &config, &options("me")).unwrap_err();
    assert_eq!(managed.to_string(), "metadata.managedFields must be nil");
    let twice = with_spec(&json!({"template": {"spec": {"containers": [
        {"name": "a"}, {"name": "a"}
    ]}}}));
    let duplicate = applied(None, &twice, &options("me")).unwrap_err();
    assert!(
        duplicate
            .to_string()
            .contains("duplicate entries for key [name=\"a\"]"),
        "{duplicate}"
    );
}
