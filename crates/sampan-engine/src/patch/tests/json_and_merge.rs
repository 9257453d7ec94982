use serde_json::json;

use super::{deployment, patched};
use crate::patch::{PatchError, PatchType};

#[test]
fn json_patch_tests_and_replaces() {
    let patch = json!([
        {"op": "test", "path": "/spec/replicas", "value": 2},
        {"op": "replace", "path": "/spec/replicas", "value": 5}
    ]);
    let object = patched(&deployment(), &patch, PatchType::Json).unwrap();
    assert_eq!(object["spec"]["replicas"], 5);
}

#[test]
fn json_patch_whose_test_fails_is_rejected() {
    let patch = json!([{"op": "test", "path": "/spec/replicas", "value": 3}]);
    let error = patched(&deployment(), &patch, PatchType::Json).unwrap_err();
    assert!(matches!(error, PatchError::Rejected { .. }), "{error}");
}

#[test]
fn merge_patch_removes_nulls_and_replaces_lists() {
    let patch = json!({
        "metadata": {"labels": {"app": null, "tier": "front"}},
        "spec": {"template": {"spec": {"containers": [{"name": "only"}]}}}
    });
    let object = patched(&deployment(), &patch, PatchType::Merge).unwrap();
    assert_eq!(object["metadata"]["labels"], json!({"tier": "front"}));
    assert_eq!(
        object["spec"]["template"]["spec"]["containers"],
        json!([{"name": "only"}])
    );
}

#[test]
fn a_patch_that_is_no_object_is_malformed() {
    for patch_type in [
        PatchType::Merge,
        PatchType::StrategicMerge,
        PatchType::Apply,
    ] {
        let error = patched(&deployment(), &json!([1]), patch_type).unwrap_err();
        assert!(matches!(error, PatchError::Malformed { .. }), "{error}");
    }
}
