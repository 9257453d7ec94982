//! Which nodes a pod may be on: node selectors and required node affinities. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, NodeSelectorRequirement, NodeSelectorTerm, PodSpec};

/// Whether a node is one of those that a pod asks for.
pub(crate) fn accepts(spec: &PodSpec, node: &Node) -> bool {
    let labels = node.metadata.labels.clone().unwrap_or_default();
    let mut asked = spec.node_selector.iter().flatten();
    if !asked.all(|(key, value)| labels.get(key) == Some(value)) {
        return false;
    }
    let affinity = spec.affinity.as_ref();
    let affinity = affinity.and_then(|affinity| affinity.node_affinity.as_ref());
    let required = affinity.and_then(|affinity| {
        affinity
            .required_during_scheduling_ignored_during_execution
            .as_ref()
    });
    // One of the terms is enough.
    required.is_none_or(|required| {
        let terms = &required.node_selector_terms;
        terms.iter().any(|term| term_holds(term, node, &labels))
    })
}

fn term_holds(term: &NodeSelectorTerm, node: &Node, labels: &BTreeMap<String, String>) -> bool {
    let expressions = term.match_expressions.as_deref().unwrap_or_default();
    let fields = term.match_fields.as_deref().unwrap_or_default();
    // A term that asks for nothing selects nothing.
    if expressions.is_empty() && fields.is_empty() {
        return false;
    }
    let name = node.metadata.name.as_ref();
    expressions
        .iter()
        .all(|asked| holds(asked, labels.get(&asked.key)))
        && fields
            .iter()
            .all(|asked| holds(asked, name.filter(|_| asked.key == "metadata.name")))
}

fn holds(asked: &NodeSelectorRequirement, value: Option<&String>) -> bool {
    let values = asked.values.as_deref().unwrap_or_default();
    let number = |text: &String| text.parse::<i64>().ok();
    let compare = |is: fn(&i64, &i64) -> bool| {
        let bound = values.first().and_then(number);
        let value = value.and_then(number);
        value
            .zip(bound)
            .is_some_and(|(value, bound)| is(&value, &bound))
    };
    match asked.operator.as_str() {
        "In" => value.is_some_and(|value| values.contains(value)),
        "NotIn" => value.is_none_or(|value| !values.contains(value)),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => compare(i64::gt),
        "Lt" => compare(i64::lt),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn accepted(terms: &Value) -> bool {
        let node: Node = serde_json::from_value(json!({
            "metadata": {"name": "boat", "labels": {"disk": "fast", "cores": "8"}},
        }))
        .unwrap();
        let spec: PodSpec =
            serde_json::from_value(json!({"containers": [], "affinity": {"nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms},
            }}}))
            .unwrap();
        accepts(&spec, &node)
    }

    #[test]
    fn required_affinities_decide() {
        let one = |key: &str, operator: &str, values: Value| json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]});
        for (terms, wanted) in [
            (json!([one("disk", "In", json!(["slow", "fast"]))]), true),
            (json!([one("disk", "In", json!(["slow"]))]), false),
            (json!([one("disk", "NotIn", json!(["slow"]))]), true),
            (json!([one("room", "NotIn", json!(["slow"]))]), true),
            (json!([one("room", "Exists", json!([]))]), false),
            (json!([one("room", "DoesNotExist", json!([]))]), true),
            (json!([one("cores", "Gt", json!(["7"]))]), true),
            (json!([one("cores", "Lt", json!(["8"]))]), false),
            (json!([one("disk", "Lt", json!(["8"]))]), false),
            (
                json!([
                    one("disk", "In", json!(["slow"])),
                    one("cores", "Exists", json!([]))
                ]),
                true,
            ),
            (
                json!([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["boat"]}]}]),
                true,
            ),
            (
                json!([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["other"]}]}]),
                false,
            ),
            (json!([{}]), false),
            (json!([]), false),
        ] {
            assert_eq!(accepted(&terms), wanted, "{terms}");
        }
    }
}
