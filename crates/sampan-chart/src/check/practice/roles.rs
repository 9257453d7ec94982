//! Who may do what.

use sampan_model::yaml::Node;

use super::warning;
use crate::check::object::Object;
use crate::check::rule::{Judge, Rule, Sink};

const ROLES: &[&str] = &["Role", "ClusterRole"];
const BINDINGS: &[&str] = &["RoleBinding", "ClusterRoleBinding"];

pub(super) fn rules() -> Vec<Rule> {
    vec![
        warning(
            "role-wildcard",
            Judge::Kinds(ROLES, wildcard),
            [
                "a role names what it is about",
                "`*` means everything there is, and everything that there will be.",
                "name the groups, resources and verbs",
            ],
        ),
        warning(
            "role-cluster-admin",
            Judge::Kinds(BINDINGS, cluster_admin),
            [
                "nobody is made administrator of the whole cluster",
                "Whoever gets hold of the account owns the cluster.",
                "write a role with what the account does, and bind that",
            ],
        ),
        warning(
            "role-exec",
            Judge::Kinds(ROLES, exec),
            [
                "a role does not let run commands in pods",
                "Who may run commands in a pod has all that the pod has: its files, secrets and token.",
                "remove `pods/exec` and `pods/attach`",
            ],
        ),
        warning(
            "role-secrets",
            Judge::Kinds(ROLES, secrets),
            [
                "a role does not open all secrets",
                "Among the secrets of a namespace are the tokens of other accounts.",
                "name the secrets with `resourceNames`, and leave `list` and `watch` out",
            ],
        )
        .when_asked_for(),
        warning(
            "role-create-pods",
            Judge::Kinds(ROLES, create_pods),
            [
                "a role does not let make pods",
                "Who may make pods, or workloads that make them, may run anything with any secret and any account of the namespace.",
                "leave `create`, `update` and `patch` to the program that needs them, and give it a namespace of its own",
            ],
        )
        .when_asked_for(),
        warning(
            "role-escalation",
            Judge::Kinds(ROLES, escalation),
            [
                "a role does not let take rights that it does not give",
                "Who may impersonate others, bind any role, or write rights into roles that it does not have itself, has all rights.",
                "remove the verbs `impersonate`, `bind` and `escalate`, or name what they are for with `resourceNames`",
            ],
        ),
    ]
}

fn rules_of(object: &Object) -> &[Node] {
    object.at(&["rules"]).map_or(&[], Node::items)
}

/// The item of a rule's list that has this value.
fn item<'a>(rule: &'a Node, list: &str, value: &str) -> Option<&'a Node> {
    rule.get(list)?
        .items()
        .iter()
        .find(|item| item.as_str() == Some(value))
}

fn wildcard(object: &Object, sink: &mut Sink<'_>) {
    for rule in rules_of(object) {
        for (list, what) in [
            ("apiGroups", "groups"),
            ("resources", "resources"),
            ("verbs", "verbs"),
        ] {
            if let Some(node) = item(rule, list, "*") {
                sink.report(node, format!("the role is about all {what}"));
            }
        }
    }
}

fn cluster_admin(object: &Object, sink: &mut Sink<'_>) {
    if let Some(name) = object
        .at(&["roleRef", "name"])
        .filter(|name| name.as_str() == Some("cluster-admin"))
    {
        sink.report(name, "the binding makes somebody administrator");
    }
}

/// Whether a rule allows some of these verbs on a resource; resources with names given are few.
fn allows<'a>(rule: &'a Node, resources: &[&str], verbs: &[&str]) -> Option<&'a Node> {
    let resource = resources
        .iter()
        .find_map(|resource| item(rule, "resources", resource))?;
    let named = rule
        .at(&["resourceNames"])
        .is_some_and(|names| !names.items().is_empty());
    let verb = verbs.iter().any(|verb| item(rule, "verbs", verb).is_some());
    (verb && !named).then_some(resource)
}

fn exec(object: &Object, sink: &mut Sink<'_>) {
    for rule in rules_of(object) {
        if let Some(node) = allows(rule, &["pods/exec", "pods/attach"], &["create", "get", "*"]) {
            sink.report(node, "the role lets run commands in pods");
        }
    }
}

fn secrets(object: &Object, sink: &mut Sink<'_>) {
    for rule in rules_of(object) {
        if let Some(node) = allows(rule, &["secrets"], &["get", "list", "watch", "*"]) {
            sink.report(node, "the role opens all secrets");
        }
    }
}

/// What makes pods, with the pods themselves.
const MAKERS: &[&str] = &[
    "pods",
    "deployments",
    "statefulsets",
    "daemonsets",
    "replicasets",
    "replicationcontrollers",
    "jobs",
    "cronjobs",
];

fn create_pods(object: &Object, sink: &mut Sink<'_>) {
    for rule in rules_of(object) {
        let verbs = ["create", "update", "patch", "*"];
        if let Some(node) = allows(rule, MAKERS, &verbs) {
            let what = node.scalar().unwrap_or_default();
            sink.report(node, format!("the role lets make {what}"));
        }
    }
}

/// Verbs by which rights are taken, with the resources that they are about.
const TAKING: &[(&str, &[&str])] = &[
    ("impersonate", &["users", "groups", "serviceaccounts", "*"]),
    ("bind", &["roles", "clusterroles", "*"]),
    ("escalate", &["roles", "clusterroles", "*"]),
];

fn escalation(object: &Object, sink: &mut Sink<'_>) {
    for rule in rules_of(object) {
        for (verb, resources) in TAKING {
            // A verb that is `*` is what `role-wildcard` tells of.
            if allows(rule, resources, &[verb]).is_some()
                && let Some(node) = item(rule, "verbs", verb)
            {
                sink.report(node, format!("the verb `{verb}` opens all rights"));
            }
        }
    }
}
