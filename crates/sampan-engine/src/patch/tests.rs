use serde_json::{Value, json};

use super::{PatchError, PatchOptions, PatchType, apply, managed};
use crate::schema;

mod json_and_merge;
mod server_side;
mod strategic;

const NOON: &str = "2026-01-01T12:00:00Z";
const LATER: &str = "2026-01-01T13:00:00Z";

fn options(manager: &str) -> PatchOptions<'_> {
    PatchOptions {
        manager,
        force: false,
        subresource: None,
        time: LATER,
    }
}

fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [
                    {"name": "web", "image": "web:1", "ports": [{"containerPort": 80}],
                     "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
                    {"name": "side", "image": "side:1"}
                ]}
            }
        }
    })
}

fn patched(current: &Value, patch: &Value, patch_type: PatchType) -> Result<Value, PatchError> {
    let rules = schema::of("apps", "Deployment");
    apply(
        rules,
        Some(current),
        patch.to_string().as_bytes(),
        patch_type,
        &options("test"),
    )
}

/// The object as a create by `manager` at noon leaves it.
fn created(mut object: Value, manager: &str) -> Value {
    let update = managed::Update {
        manager,
        subresource: None,
        time: NOON,
    };
    managed::record_update(schema::of("apps", "Deployment"), None, &mut object, &update).unwrap();
    object
}
