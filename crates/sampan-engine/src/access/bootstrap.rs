//! The roles that charts and programs expect in every cluster, and who has them from the start.
//!
//! Of the many roles of Kubernetes itself only those are here that users bind. What somebody has changed or taken away
//! stays changed; what is missing comes back at the next start.

use serde_json::{Value, json};

use crate::error::Error;
use crate::objects::Objects;
use crate::resources;

const GROUP: &str = "rbac.authorization.k8s.io";
const READ: &[&str] = &["get", "list", "watch"];
const WRITE: &[&str] = &["create", "delete", "deletecollection", "patch", "update"];

/// Makes the roles and bindings that are missing.
///
/// # Errors
/// When the store fails.
pub(crate) async fn load(objects: &Objects) -> Result<(), Error> {
    let find = |plural| resources::find(GROUP, "v1", plural).ok_or(Error::NoSuchResource);
    for (name, mut role) in roles() {
        role["metadata"]["name"] = name.into();
        objects
            .create_missing(find("clusterroles")?, None, name, marked(role))
            .await?;
    }
    for (name, role, groups) in BINDINGS {
        let subjects = groups
            .iter()
            .map(|group| json!({"apiGroup": GROUP, "kind": "Group", "name": group}));
        let binding = json!({
            "metadata": {"name": name},
            "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
            "subjects": subjects.collect::<Vec<_>>(),
        });
        objects
            .create_missing(find("clusterrolebindings")?, None, name, marked(binding))
            .await?;
    }
    Ok(())
}

/// Who has which role from the start: binding, role, groups.
const BINDINGS: &[(&str, &str, &[&str])] = &[
    ("cluster-admin", "cluster-admin", &["system:masters"]),
    (
        "system:basic-user",
        "system:basic-user",
        &["system:authenticated"],
    ),
    (
        "system:discovery",
        "system:discovery",
        &["system:authenticated"],
    ),
    (
        "system:service-account-issuer-discovery",
        "system:service-account-issuer-discovery",
        &["system:serviceaccounts"],
    ),
];

fn marked(mut object: Value) -> Value {
    object["metadata"]["labels"]["kubernetes.io/bootstrapping"] = "rbac-defaults".into();
    object
}

fn roles() -> Vec<(&'static str, Value)> {
    let mut roles = vec![
        (
            "cluster-admin",
            json!({"rules": [rule("*", &["*"], &["*"]), paths(&["*"], "*")]}),
        ),
        ("admin", aggregate("admin", None)),
        ("edit", aggregate("edit", Some("admin"))),
        ("view", aggregate("view", Some("edit"))),
        ("system:aggregate-to-view", part("view", &viewing())),
        ("system:aggregate-to-edit", part("edit", &editing())),
        ("system:aggregate-to-admin", part("admin", &administering())),
    ];
    roles.extend(system());
    roles
}

/// Roles for what every program may ask.
fn system() -> [(&'static str, Value); 5] {
    let reviews = ["subjectaccessreviews"];
    let own = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"];
    let discovery = [
        "/api",
        "/api/*",
        "/apis",
        "/apis/*",
        "/healthz",
        "/livez",
        "/openapi",
        "/openapi/*",
        "/readyz",
        "/version",
        "/version/",
    ];
    let issuer = [
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/",
        "/openid/v1/jwks",
        "/openid/v1/jwks/",
    ];
    [
        (
            "system:basic-user",
            json!({"rules": [
                rule("authorization.k8s.io", &own, &["create"]),
                rule("authentication.k8s.io", &["selfsubjectreviews"], &["create"]),
            ]}),
        ),
        (
            "system:discovery",
            json!({"rules": [paths(&discovery, "get")]}),
        ),
        (
            "system:service-account-issuer-discovery",
            json!({"rules": [paths(&issuer, "get")]}),
        ),
        (
            "system:auth-delegator",
            json!({"rules": [
                rule("authentication.k8s.io", &["tokenreviews"], &["create"]),
                rule("authorization.k8s.io", &reviews, &["create"]),
            ]}),
        ),
        (
            "system:aggregated-metrics-reader",
            part("view", &[rule("metrics.k8s.io", &["nodes", "pods"], READ)]),
        ),
    ]
}

/// A role that is made of all those with a label, and may be part of another one.
fn aggregate(of: &str, part_of: Option<&str>) -> Value {
    let mut role = json!({
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {label(of): "true"}}]},
        "rules": [],
    });
    if let Some(part_of) = part_of {
        role["metadata"]["labels"][label(part_of)] = "true".into();
    }
    role
}

fn part(of: &str, rules: &[Value]) -> Value {
    json!({"metadata": {"labels": {label(of): "true"}}, "rules": rules})
}

fn label(of: &str) -> String {
    format!("{GROUP}/aggregate-to-{of}")
}

fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> Value {
    json!({"apiGroups": [group], "resources": resources, "verbs": verbs})
}

fn paths(paths: &[&str], verb: &str) -> Value {
    json!({"nonResourceURLs": paths, "verbs": [verb]})
}

/// Workloads and what belongs to them, by group.
const WORKLOADS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "configmaps",
            "endpoints",
            "persistentvolumeclaims",
            "pods",
            "serviceaccounts",
            "services",
        ],
    ),
    (
        "apps",
        &[
            "daemonsets",
            "deployments",
            "deployments/scale",
            "replicasets",
            "replicasets/scale",
            "statefulsets",
            "statefulsets/scale",
        ],
    ),
    ("autoscaling", &["horizontalpodautoscalers"]),
    ("batch", &["cronjobs", "jobs"]),
    ("networking.k8s.io", &["ingresses", "networkpolicies"]),
    ("policy", &["poddisruptionbudgets"]),
];

/// What a namespace has, but for secrets and rights.
fn viewing() -> Vec<Value> {
    let mut rules: Vec<Value> = WORKLOADS
        .iter()
        .map(|(group, resources)| {
            let own = resources.iter().filter(|name| !name.contains('/'));
            let states = own
                .filter(|name| !matches!(**name, "configmaps" | "endpoints" | "serviceaccounts"))
                .map(|name| format!("{name}/status"));
            let all: Vec<String> = resources.iter().map(ToString::to_string).collect();
            let all: Vec<String> = all.into_iter().chain(states).collect();
            json!({"apiGroups": [group], "resources": all, "verbs": READ})
        })
        .collect();
    let more = [
        "events",
        "limitranges",
        "namespaces",
        "namespaces/status",
        "pods/log",
        "resourcequotas",
        "resourcequotas/status",
    ];
    rules.push(rule("", &more, READ));
    rules.push(rule("apps", &["controllerrevisions"], READ));
    rules.push(rule("discovery.k8s.io", &["endpointslices"], READ));
    rules.push(rule("events.k8s.io", &["events"], READ));
    rules
}

/// Changing it, and getting into pods.
fn editing() -> Vec<Value> {
    let mut rules: Vec<Value> = WORKLOADS
        .iter()
        .map(|(group, resources)| rule(group, resources, WRITE))
        .collect();
    let inside = ["pods/attach", "pods/exec", "pods/portforward"];
    let verbs: Vec<&str> = READ.iter().chain(WRITE).copied().collect();
    rules.push(rule("", &["secrets"], &verbs));
    rules.push(rule("", &inside, &verbs));
    let asked = ["pods/eviction", "serviceaccounts/token"];
    rules.push(rule("", &asked, &["create"]));
    rules.push(rule("", &["serviceaccounts"], &["impersonate"]));
    rules.push(rule("", &["events"], WRITE));
    rules.push(rule("coordination.k8s.io", &["leases"], &verbs));
    rules
}

/// Giving rights in it.
fn administering() -> Vec<Value> {
    let verbs: Vec<&str> = READ.iter().chain(WRITE).copied().collect();
    let review = ["localsubjectaccessreviews"];
    vec![
        rule(GROUP, &["rolebindings", "roles"], &verbs),
        rule("authorization.k8s.io", &review, &["create"]),
    ]
}
