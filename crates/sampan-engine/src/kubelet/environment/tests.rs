//! Environments of small pods.

use super::*;
use k8s_openapi::ByteString;
use serde_json::json;

fn sources() -> Sources {
    let mut sources = Sources::default();
    let map = json!({"metadata": {"name": "settings"}, "data": {"COLOR": "red", "SIZE": "9"}});
    sources
        .config_maps
        .insert("settings".to_owned(), serde_json::from_value(map).unwrap());
    let data = [("password".to_owned(), ByteString(b"hush".to_vec()))].into();
    let secret = Secret {
        data: Some(data),
        ..Secret::default()
    };
    sources.secrets.insert("login".to_owned(), secret);
    let service = json!({"metadata": {"name": "my-db", "namespace": "shop"},
        "spec": {"clusterIP": "10.200.128.4", "ports": [{"name": "sql", "port": 5432}]}});
    sources
        .services
        .push(serde_json::from_value(service).unwrap());
    sources
}

fn build_for(container: &serde_json::Value) -> Result<BTreeMap<String, String>, EnvironmentError> {
    let pod = json!({"metadata": {"name": "web-0", "namespace": "shop"}, "spec": {"containers": [container]}});
    let pod: Pod = serde_json::from_value(pod).unwrap();
    let container = pod.spec.as_ref().unwrap().containers[0].clone();
    let image = ["PATH=/bin".to_owned(), "HOME=/".to_owned()];
    build(
        &pod,
        &container,
        &image,
        &sources(),
        &Surroundings::default(),
    )
}

#[test]
fn variables_come_from_everywhere_and_later_ones_win() {
    let variables = build_for(&json!({"name": "web",
        "envFrom": [{"configMapRef": {"name": "settings"}}, {"prefix": "S_", "secretRef": {"name": "login"}},
            {"configMapRef": {"name": "nobody", "optional": true}}],
        "env": [{"name": "SIZE", "value": "10"}, {"name": "HOME", "value": "/root"},
            {"name": "TITLE", "value": "$(COLOR)-$(SIZE)-$(LATER)-$(MY_DB_SERVICE_PORT)"},
            {"name": "LATER", "value": "x"},
            {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}},
            {"name": "MAYBE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "no", "optional": true}}}]}))
    .unwrap();
    for (name, value) in [
        ("PATH", "/bin"),
        ("HOME", "/root"),
        ("COLOR", "red"),
        ("SIZE", "10"),
        ("S_password", "hush"),
        ("TITLE", "red-10-$(LATER)-5432"),
        ("POD", "web-0"),
        ("PASSWORD", "hush"),
        ("MY_DB_SERVICE_HOST", "10.200.128.4"),
        ("MY_DB_SERVICE_PORT_SQL", "5432"),
        ("MY_DB_PORT", "tcp://10.200.128.4:5432"),
        ("MY_DB_PORT_5432_TCP_ADDR", "10.200.128.4"),
    ] {
        assert_eq!(
            variables.get(name).map(String::as_str),
            Some(value),
            "{name}"
        );
    }
    assert_eq!(variables.get("MAYBE"), None);
}

#[test]
fn what_is_missing_is_named_as_kubernetes_names_it() {
    let error = build_for(&json!({"name": "web", "env": [
        {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "no"}}}]}));
    assert_eq!(
        error.unwrap_err().to_string(),
        "couldn't find key no in ConfigMap shop/settings"
    );
    let error = build_for(&json!({"name": "web", "envFrom": [{"secretRef": {"name": "nobody"}}]}));
    assert_eq!(
        error.unwrap_err().to_string(),
        "secret \"nobody\" not found"
    );
}
