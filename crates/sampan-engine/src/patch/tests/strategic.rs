use serde_json::{Value, json};

use super::{deployment, patched};
use crate::patch::{PatchError, PatchType};

fn containers(patch: &Value) -> Value {
    let patch = json!({"spec": {"template": {"spec": patch}}});
    let object = patched(&deployment(), &patch, PatchType::StrategicMerge).unwrap();
    object["spec"]["template"]["spec"]["containers"].clone()
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect()
}

#[test]
fn items_are_merged_by_their_key() {
    let list = containers(&json!({"containers": [{"name": "web", "image": "web:2"}]}));
    assert_eq!(names(&list), ["web", "side"]);
    assert_eq!(list[0]["image"], "web:2");
    assert_eq!(list[0]["ports"], json!([{"containerPort": 80}]));
}

#[test]
fn nested_lists_follow_their_own_keys() {
    let list = containers(&json!({"containers": [
        {"name": "web", "env": [{"name": "A", "value": "9"}, {"name": "B", "$patch": "delete"}]}
    ]}));
    assert_eq!(list[0]["env"], json!([{"name": "A", "value": "9"}]));
}

#[test]
fn a_null_removes_a_field() {
    let list = containers(&json!({"containers": [{"name": "web", "ports": null}]}));
    assert_eq!(list[0].get("ports"), None);
}

#[test]
fn replace_takes_the_list_of_the_patch() {
    let list = containers(&json!({"containers": [{"$patch": "replace"}, {"name": "new"}]}));
    assert_eq!(list, json!([{"name": "new"}]));
}

#[test]
fn replace_takes_the_map_of_the_patch() {
    let patch = json!({"metadata": {"labels": {"$patch": "replace", "b": "2"}}});
    let object = patched(&deployment(), &patch, PatchType::StrategicMerge).unwrap();
    assert_eq!(object["metadata"]["labels"], json!({"b": "2"}));
}

#[test]
fn the_order_of_the_patch_wins_and_others_stay_near_their_neighbours() {
    let list = containers(&json!({
        "$setElementOrder/containers": [{"name": "side"}, {"name": "new"}, {"name": "web"}],
        "containers": [{"name": "new", "image": "new:1"}]
    }));
    assert_eq!(names(&list), ["side", "new", "web"]);
    let list = containers(&json!({
        "$setElementOrder/containers": [{"name": "new"}, {"name": "side"}],
        "containers": [{"name": "new", "image": "new:1"}]
    }));
    assert_eq!(names(&list), ["new", "web", "side"]);
}

#[test]
fn retained_keys_drop_the_others() {
    let mut live = deployment();
    live["spec"]["strategy"] = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}});
    let patch = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
    let object = patched(&live, &patch, PatchType::StrategicMerge).unwrap();
    assert_eq!(object["spec"]["strategy"], json!({"type": "Recreate"}));
}

#[test]
fn scalars_are_added_to_and_deleted_from_sets() {
    let mut live = deployment();
    live["metadata"]["finalizers"] = json!(["a", "b"]);
    let patch = json!({"metadata": {
        "finalizers": ["c"],
        "$deleteFromPrimitiveList/finalizers": ["a"],
        "$setElementOrder/finalizers": ["b", "c"]
    }});
    let object = patched(&live, &patch, PatchType::StrategicMerge).unwrap();
    assert_eq!(object["metadata"]["finalizers"], json!(["b", "c"]));
}

#[test]
fn directives_without_a_counterpart_leave_nothing_behind() {
    let patch = json!({
        "metadata": {"annotations": {"x": "1", "gone": null}},
        "spec": {
            "strategy": {"$retainKeys": ["type"], "type": "Recreate"},
            "template": {"spec": {
                "$setElementOrder/volumes": [{"name": "v"}],
                "volumes": [{"name": "v", "emptyDir": {}, "$retainKeys": ["name", "emptyDir"]}]
            }}
        }
    });
    let object = patched(&deployment(), &patch, PatchType::StrategicMerge).unwrap();
    assert_eq!(object["metadata"]["annotations"], json!({"x": "1"}));
    assert_eq!(object["spec"]["strategy"], json!({"type": "Recreate"}));
    assert_eq!(
        object["spec"]["template"]["spec"]["volumes"],
        json!([{"name": "v", "emptyDir": {}}])
    );
}

#[test]
fn an_item_without_its_key_is_rejected() {
    let patch = json!({"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}});
    let error = patched(&deployment(), &patch, PatchType::StrategicMerge).unwrap_err();
    assert!(matches!(error, PatchError::Rejected { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("does not contain declared merge key: name"),
        "{error}"
    );
}
