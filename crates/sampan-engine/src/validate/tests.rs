use serde_json::{Value, json};

use super::{check, strict};
use crate::resources::{self, Resource};

fn resource(group: &str, plural: &str) -> &'static Resource {
    resources::find(group, "v1", plural).unwrap()
}

fn complaints(resource: &Resource, object: &Value, old: Option<&Value>) -> Vec<String> {
    check(resource, object, old)
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"restartPolicy": "Always", "containers": [{
                    "name": "web", "image": "web:1",
                    "ports": [{"containerPort": 80, "protocol": "TCP"}]
                }]}
            }
        }
    })
}

fn deployment_with(path: &str, value: Value) -> Vec<String> {
    let mut object = deployment();
    *object.pointer_mut(path).unwrap() = value;
    complaints(resource("apps", "deployments"), &object, None)
}

const POD: &str = "/spec/template/spec";

#[test]
fn a_sound_deployment_breaks_no_rule() {
    assert_eq!(
        complaints(resource("apps", "deployments"), &deployment(), None),
        [""; 0]
    );
}

#[test]
fn names_are_those_of_dns() {
    let mut object = deployment();
    object["metadata"]["name"] = json!("Web_1");
    let found = complaints(resource("apps", "deployments"), &object, None);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with(
            "metadata.name: Invalid value: \"Web_1\": a lowercase RFC 1123 subdomain must consist"
        ),
        "{found:?}"
    );
}

#[test]
fn the_selector_must_select_the_template() {
    assert_eq!(
        deployment_with("/spec/template/metadata/labels", json!({"app": "other"})),
        [
            "spec.template.metadata.labels: Invalid value: {\"app\":\"other\"}: `selector` does not \
          match template `labels`"
        ]
    );
}

#[test]
fn containers_are_checked() {
    let containers = json!([
        {"name": "web", "image": "web:1", "ports": [{"containerPort": 70000, "protocol": "TCP"}],
         "volumeMounts": [{"name": "nowhere", "mountPath": "/x"}]},
        {"name": "web"},
        {"name": "Bad", "image": "x", "imagePullPolicy": "Sometimes",
         "resources": {"limits": {"memory": "64MB"}, "requests": {"cpu": "-1"}}},
        {"name": "p", "image": "x", "livenessProbe": {"periodSeconds": -1},
         "resources": {"limits": {"cpu": "100m"}, "requests": {"cpu": "0.5"}}}
    ]);
    let found = deployment_with(&format!("{POD}/containers"), containers);
    let prefix = "spec.template.spec.containers";
    let expected = [
        "[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
        "[0].volumeMounts[0].name: Not found: \"nowhere\"",
        "[1].name: Duplicate value: \"web\"",
        "[1].image: Required value",
        "[2].imagePullPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \
         \"IfNotPresent\", \"Never\"",
        "[2].resources.limits[memory]: Invalid value: \"64MB\": quantities must match the regular \
         expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        "[2].resources.requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0",
        "[3].resources.requests: Invalid value: \"500m\": must be less than or equal to cpu limit \
         of 100m",
        "[3].livenessProbe: Required value: must specify a handler type",
        "[3].livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
    ];
    for message in expected {
        assert!(
            found.contains(&format!("{prefix}{message}")),
            "{message} in {found:#?}"
        );
    }
}

#[test]
fn what_cannot_change_is_named() {
    let mut new = deployment();
    new["spec"]["selector"]["matchLabels"] = json!({"app": "b"});
    new["spec"]["template"]["metadata"]["labels"] = json!({"app": "b"});
    assert_eq!(
        complaints(resource("apps", "deployments"), &new, Some(&deployment())),
        ["spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"b\"}}: field is immutable"]
    );
}

#[test]
fn services_need_ports_and_keep_their_address() {
    let service = |spec: Value| json!({"metadata": {"name": "web"}, "spec": spec});
    let services = resource("", "services");
    assert_eq!(
        complaints(
            services,
            &service(json!({"selector": {"app": "web"}})),
            None
        ),
        ["spec.ports: Required value"]
    );
    let old = service(json!({"clusterIP": "10.0.0.1", "ports": [{"port": 80, "protocol": "TCP"}]}));
    let new = service(json!({"clusterIP": "10.0.0.2", "ports": [{"port": 80, "protocol": "TCP"}]}));
    assert_eq!(
        complaints(services, &new, Some(&old)),
        ["spec.clusterIPs[0]: Invalid value: [\"10.0.0.2\"]: may not change once set"]
    );
}

#[test]
fn ingresses_need_absolute_paths_and_backends() {
    let ingress = json!({"metadata": {"name": "web"}, "spec": {"rules": [
        {"host": "10.0.0.1", "http": {"paths": [{"path": "x", "pathType": "Prefix", "backend": {}}]}}
    ]}});
    assert_eq!(
        complaints(resource("networking.k8s.io", "ingresses"), &ingress, None),
        [
            "spec.rules[0].host: Invalid value: \"10.0.0.1\": must be a DNS name, not an IP address",
            "spec.rules[0].http.paths[0].path: Invalid value: \"x\": must be an absolute path",
            "spec.rules[0].http.paths[0].backend: Required value: resource or service backend is \
             required",
        ]
    );
}

#[test]
fn immutable_config_stays() {
    let old = json!({"metadata": {"name": "c"}, "immutable": true, "data": {"a": "1"}});
    let new = json!({"metadata": {"name": "c"}, "immutable": true, "data": {"a": "2"}});
    assert_eq!(
        complaints(resource("", "configmaps"), &new, Some(&old)),
        ["data: Forbidden: field is immutable when `immutable` is set"]
    );
}

#[test]
fn unknown_and_duplicate_fields_are_found() {
    let body = r#"{"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replcas": 1,
        "replicas": 1, "replicas": 2, "selector": {}, "template": {"spec": {"containers": [
        {"name": "a"}, {"name": "b", "imagee": "x"}]}}}}"#;
    let object: Value = serde_json::from_str(body).unwrap();
    let resource = resource("apps", "deployments");
    let found = strict::findings(resource, &object, body.as_bytes()).unwrap();
    assert_eq!(
        found.messages,
        [
            "duplicate field \"spec.replicas\"",
            "unknown field \"spec.replcas\"",
            "unknown field \"spec.template.spec.containers[1].imagee\"",
        ]
    );
    let mut pruned = object.clone();
    found.prune(&mut pruned);
    assert_eq!(
        strict::findings(resource, &pruned, b"{}").unwrap(),
        strict::Findings::default()
    );
    assert_eq!(pruned["spec"]["replicas"], 2);
    let found = strict::findings(resource, &object, b"{}").unwrap();
    assert_eq!(
        strict::refusal(resource, &found).to_string(),
        "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: \
         unknown field \"spec.replcas\", unknown field \
         \"spec.template.spec.containers[1].imagee\""
    );
}

#[test]
fn a_wrong_type_names_the_field() {
    let mut object = deployment();
    object["spec"]["replicas"] = json!("three");
    let error = strict::findings(resource("apps", "deployments"), &object, b"{}").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("spec.replicas: invalid type: string"),
        "{error}"
    );
}
