//! The defaults of autoscalers, network policies, roles, priority classes and limits.

use serde_json::{Map, Value, json};

use super::fill::{canonical_quantities, child, each, present, set, text};

/// An autoscaler of `autoscaling/v2`.
pub(super) fn autoscaler(object: &mut Map<String, Value>) {
    child(object, "spec", |spec| {
        set(spec, "minReplicas", 1);
        let target = json!({"type": "Utilization", "averageUtilization": 80});
        let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": target}});
        set(spec, "metrics", json!([metric]));
        present(spec, "behavior", |behavior| {
            direction(
                behavior,
                "scaleUp",
                json!([
                    {"type": "Pods", "value": 4, "periodSeconds": 15},
                    {"type": "Percent", "value": 100, "periodSeconds": 15},
                ]),
            );
            direction(
                behavior,
                "scaleDown",
                json!([
                    {"type": "Percent", "value": 100, "periodSeconds": 15},
                ]),
            );
        });
    });
    child(object, "status", |status| set(status, "desiredReplicas", 0));
}

fn direction(behavior: &mut Map<String, Value>, name: &str, policies: Value) {
    child(behavior, name, |rules| {
        if name == "scaleUp" {
            set(rules, "stabilizationWindowSeconds", 0);
        }
        set(rules, "selectPolicy", "Max");
        set(rules, "policies", policies);
    });
}

/// A network policy.
pub(super) fn network_policy(object: &mut Map<String, Value>) {
    child(object, "spec", |spec| {
        child(spec, "podSelector", |_| ());
        let has_egress = spec
            .get("egress")
            .and_then(Value::as_array)
            .is_some_and(|rules| !rules.is_empty());
        let kinds = if has_egress {
            json!(["Ingress", "Egress"])
        } else {
            json!(["Ingress"])
        };
        set(spec, "policyTypes", kinds);
        for direction in ["ingress", "egress"] {
            each(spec, direction, |rule| {
                each(rule, "ports", |port| set(port, "protocol", "TCP"));
            });
        }
    });
}

/// Who has a role.
pub(super) fn binding(object: &mut Map<String, Value>) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    present(object, "roleRef", |role| {
        if text(role, "apiGroup").is_empty() {
            role.insert("apiGroup".to_owned(), GROUP.into());
        }
    });
    each(object, "subjects", |subject| {
        if matches!(text(subject, "kind"), "User" | "Group") && text(subject, "apiGroup").is_empty()
        {
            subject.insert("apiGroup".to_owned(), GROUP.into());
        }
    });
}

/// A quota.
pub(super) fn quota(object: &mut Map<String, Value>) {
    child(object, "spec", |spec| canonical_quantities(spec, "hard"));
    child(object, "status", |_| ());
}

/// Limits: what a container may have at most is what it has, and that is what it asks for.
pub(super) fn limit_range(object: &mut Map<String, Value>) {
    child(object, "spec", |spec| {
        each(spec, "limits", |limit| {
            let amounts = [
                "max",
                "min",
                "default",
                "defaultRequest",
                "maxLimitRequestRatio",
            ];
            for amounts in amounts {
                canonical_quantities(limit, amounts);
            }
            if text(limit, "type") == "Container" {
                for (target, sources) in [
                    ("default", &["max"][..]),
                    ("defaultRequest", &["default", "min"][..]),
                ] {
                    for source in sources {
                        fill_from(limit, target, source);
                    }
                }
            }
        });
    });
}

fn fill_from(limit: &mut Map<String, Value>, target: &str, source: &str) {
    let Some(Value::Object(amounts)) = limit.get(source).cloned() else {
        return;
    };
    child(limit, target, |own| {
        for (name, amount) in amounts {
            set(own, &name, amount);
        }
    });
}
