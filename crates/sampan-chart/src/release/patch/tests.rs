use serde_json::{Value as Json, json};

use super::three_way;
use crate::release::target::{ObjectId, Patch};

fn id(api_version: &str, kind: &str) -> ObjectId {
    ObjectId {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: Some("default".to_owned()),
        name: "web".to_owned(),
    }
}

/// The strategic merge patch of a deployment; null when there is nothing to change.
fn deployment(before: &Json, wanted: &Json, live: &Json) -> Json {
    match three_way(&id("apps/v1", "Deployment"), before, wanted, live) {
        None => Json::Null,
        Some(Patch::Strategic(patch)) => patch,
        Some(other) => panic!("deployments are merged strategically: {other:?}"),
    }
}

fn pods(spec: &Json) -> Json {
    json!({"spec": {"template": {"spec": spec}}})
}

#[test]
fn what_others_have_set_stays_and_what_the_chart_no_longer_says_goes() {
    let before = json!({"metadata": {"labels": {"a": "1", "b": "2"}}, "spec": {"paused": true}});
    let wanted = json!({"metadata": {"labels": {"a": "1"}}, "spec": {}});
    let live = json!({"metadata": {"labels": {"a": "9", "b": "2", "own": "x"}}, "spec": {"paused": true, "replicas": 3}});
    assert_eq!(
        deployment(&before, &wanted, &live),
        json!({"metadata": {"labels": {"a": "1", "b": null}}, "spec": {"paused": null}})
    );
    // What is gone already is not removed again.
    let live = json!({"metadata": {"labels": {"a": "1"}}, "spec": {}});
    assert_eq!(deployment(&before, &wanted, &live), Json::Null);
}

#[test]
fn lists_of_pods_are_merged_by_their_keys() {
    let before = pods(&json!({"containers": [
        {"name": "web", "image": "web:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
        {"name": "old", "image": "old:1"},
    ]}));
    let wanted = pods(&json!({"containers": [
        {"name": "web", "image": "web:2", "env": [{"name": "B", "value": "3"}]},
    ]}));
    let live = pods(&json!({"containers": [
        {"name": "web", "image": "web:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
        {"name": "old", "image": "old:1"},
        {"name": "injected", "image": "proxy:1"},
    ]}));
    let expected = pods(&json!({
        "containers": [
            {
                "name": "web",
                "image": "web:2",
                "env": [{"name": "B", "value": "3"}, {"name": "A", "$patch": "delete"}],
                "$setElementOrder/env": [{"name": "B"}],
            },
            {"name": "old", "$patch": "delete"},
        ],
        "$setElementOrder/containers": [{"name": "web"}],
    }));
    assert_eq!(deployment(&before, &wanted, &live), expected);
}

#[test]
fn volumes_and_strategies_lose_what_only_the_cluster_has_set() {
    let before = pods(&json!({"volumes": [{"name": "data", "emptyDir": {}}]}));
    let wanted = pods(&json!({"volumes": [{"name": "data", "configMap": {"name": "data"}}]}));
    let live = pods(&json!({"volumes": [{"name": "data", "emptyDir": {}}]}));
    let patch = deployment(&before, &wanted, &live);
    let volume = &patch["spec"]["template"]["spec"]["volumes"][0];
    assert_eq!(volume["$retainKeys"], json!(["configMap", "name"]));
    assert_eq!(volume["emptyDir"], Json::Null);

    let nothing = json!({"spec": {}});
    let wanted = json!({"spec": {"strategy": {"type": "Recreate"}}});
    let live = json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}}}});
    assert_eq!(
        deployment(&nothing, &wanted, &live),
        json!({"spec": {"strategy": {"type": "Recreate", "$retainKeys": ["type"]}}})
    );
}

#[test]
fn lists_whose_keys_are_not_unique_are_replaced_as_a_whole() {
    let service = |ports: Json| json!({"spec": {"ports": ports}});
    let udp = json!({"port": 53, "protocol": "UDP"});
    let tcp = json!({"port": 53, "protocol": "TCP"});
    let before = service(json!([udp]));
    let wanted = service(json!([udp, tcp]));
    let patch = three_way(&id("v1", "Service"), &before, &wanted, &before);
    let expected = service(json!([{"$patch": "replace"}, udp, tcp]));
    assert_eq!(patch, Some(Patch::Strategic(expected)));
}

#[test]
fn custom_resources_are_compared_with_the_manifest_before_only() {
    let of = id("example.org/v1", "Site");
    let before = json!({"spec": {"size": 1, "hosts": ["a"]}});
    let live = json!({"spec": {"size": 5, "hosts": ["a", "b"]}});
    assert_eq!(three_way(&of, &before, &before, &live), None);
    let wanted = json!({"spec": {"hosts": ["c"]}});
    assert_eq!(
        three_way(&of, &before, &wanted, &live),
        Some(Patch::Merge(
            json!({"spec": {"size": null, "hosts": ["c"]}})
        ))
    );
}

#[test]
fn numbers_are_compared_by_their_values() {
    let wanted = json!({"spec": {"replicas": 2.0}});
    let live = json!({"spec": {"replicas": 2}});
    assert_eq!(deployment(&wanted, &wanted, &live), Json::Null);
}
