use serde_json::{Value, json};

use super::apply;
use crate::resources;

fn filled(group: &str, plural: &str, mut object: Value) -> Value {
    let resource = resources::find(group, "v1", plural).unwrap();
    apply(resource, &mut object);
    let once = object.clone();
    apply(resource, &mut object);
    assert_eq!(object, once, "filling in twice changes nothing");
    object
}

#[test]
fn a_deployment_gets_what_kubectl_shows() {
    let object = filled(
        "apps",
        "deployments",
        json!({"metadata": {"name": "web"}, "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
                {"name": "web", "image": "web", "ports": [{"containerPort": 80}],
                 "resources": {"limits": {"cpu": 0.5, "memory": "1024Mi"}},
                 "readinessProbe": {"httpGet": {"port": 80}}}
            ]}}
        }}),
    );
    assert_eq!(
        object["spec"],
        json!({
            "replicas": 1,
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}
            },
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "restartPolicy": "Always",
                    "dnsPolicy": "ClusterFirst",
                    "schedulerName": "default-scheduler",
                    "securityContext": {},
                    "terminationGracePeriodSeconds": 30,
                    "containers": [{
                        "name": "web",
                        "image": "web",
                        "imagePullPolicy": "Always",
                        "ports": [{"containerPort": 80, "protocol": "TCP"}],
                        "readinessProbe": {
                            "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
                            "timeoutSeconds": 1, "periodSeconds": 10,
                            "successThreshold": 1, "failureThreshold": 3
                        },
                        "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}},
                        "terminationMessagePath": "/dev/termination-log",
                        "terminationMessagePolicy": "File"
                    }]
                }
            }
        })
    );
}

#[test]
fn a_pod_gets_its_quality_of_service_and_requests() {
    let pod = |resources: Value| {
        let containers = json!([{"name": "a", "image": "a:1", "resources": resources}]);
        filled(
            "",
            "pods",
            json!({"metadata": {"name": "p"}, "spec": {"containers": containers}}),
        )
    };
    let limited = pod(json!({"limits": {"cpu": "1", "memory": "1Gi"}}));
    assert_eq!(limited["status"]["qosClass"], "Guaranteed");
    assert_eq!(
        limited["spec"]["containers"][0]["resources"]["requests"],
        json!({"cpu": "1", "memory": "1Gi"})
    );
    assert_eq!(pod(json!({}))["status"]["qosClass"], "BestEffort");
    assert_eq!(
        pod(json!({"requests": {"cpu": "1"}}))["status"]["qosClass"],
        "Burstable"
    );
    assert_eq!(limited["spec"]["serviceAccount"], "default");
}

#[test]
fn only_images_without_a_fixed_tag_are_always_pulled() {
    for (image, policy) in [
        ("web", "Always"),
        ("web:latest", "Always"),
        ("localhost:5000/web", "Always"),
        ("web:1", "IfNotPresent"),
        ("localhost:5000/web:1", "IfNotPresent"),
        ("web@sha256:00", "IfNotPresent"),
    ] {
        let containers = json!([{"name": "a", "image": image}]);
        let pod = filled("", "pods", json!({"spec": {"containers": containers}}));
        assert_eq!(
            pod["spec"]["containers"][0]["imagePullPolicy"], policy,
            "{image}"
        );
    }
}

#[test]
fn a_service_targets_its_own_port() {
    let service = filled(
        "",
        "services",
        json!({"metadata": {"name": "s"}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}}),
    );
    assert_eq!(
        service["spec"],
        json!({
            "type": "ClusterIP", "clusterIP": "None", "clusterIPs": ["None"],
            "sessionAffinity": "None", "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
            "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}]
        })
    );
}

#[test]
fn string_data_becomes_data() {
    let secret = filled(
        "",
        "secrets",
        json!({"metadata": {"name": "s"}, "data": {"a": "MQ=="}, "stringData": {"b": "2"}}),
    );
    assert_eq!(secret["data"], json!({"a": "MQ==", "b": "Mg=="}));
    assert_eq!(secret["type"], "Opaque");
    assert_eq!(secret.get("stringData"), None);
}
