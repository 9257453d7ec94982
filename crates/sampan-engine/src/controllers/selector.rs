//! Label selectors, and who owns whom.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta, OwnerReference};
use std::collections::BTreeMap;

/// True when labels satisfy a selector; an empty selector matches everything.
pub(crate) fn matches(selector: &LabelSelector, labels: Option<&BTreeMap<String, String>>) -> bool {
    let get = |key: &str| labels.and_then(|labels| labels.get(key));
    let equal = selector
        .match_labels
        .iter()
        .flatten()
        .all(|(key, value)| get(key).is_some_and(|have| have == value));
    equal
        && selector
            .match_expressions
            .iter()
            .flatten()
            .all(|expression| {
                let value = get(&expression.key);
                let listed = |value: &String| {
                    expression
                        .values
                        .as_ref()
                        .is_some_and(|values| values.contains(value))
                };
                match expression.operator.as_str() {
                    "In" => value.is_some_and(listed),
                    "NotIn" => !value.is_some_and(listed),
                    "Exists" => value.is_some(),
                    "DoesNotExist" => value.is_none(),
                    _ => false,
                }
            })
}

/// True when labels hold every pair of a plain selector, as services have it; an empty one matches nothing.
pub(crate) fn matches_all(
    selector: &BTreeMap<String, String>,
    labels: Option<&BTreeMap<String, String>>,
) -> bool {
    !selector.is_empty()
        && labels.is_some_and(|labels| selector.iter().all(|(k, v)| labels.get(k) == Some(v)))
}

/// The owner that manages an object, if any.
pub(crate) fn controller(meta: &ObjectMeta) -> Option<&OwnerReference> {
    meta.owner_references
        .iter()
        .flatten()
        .find(|owner| owner.controller == Some(true))
}

/// True when the object with this uid manages `meta`.
pub(crate) fn is_controlled_by(meta: &ObjectMeta, uid: &str) -> bool {
    controller(meta).is_some_and(|owner| owner.uid == uid)
}

/// A reference that makes `owner` the manager of an object.
pub(crate) fn owned_by(api_version: &str, kind: &str, owner: &ObjectMeta) -> OwnerReference {
    OwnerReference {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        name: owner.name.clone().unwrap_or_default(),
        uid: owner.uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement;

    fn expression(operator: &str, values: &[&str]) -> LabelSelector {
        LabelSelector {
            match_expressions: Some(vec![LabelSelectorRequirement {
                key: "tier".to_owned(),
                operator: operator.to_owned(),
                values: Some(values.iter().map(|v| (*v).to_owned()).collect()),
            }]),
            ..LabelSelector::default()
        }
    }

    #[test]
    fn expressions_follow_the_four_operators() {
        let labels = BTreeMap::from([("tier".to_owned(), "web".to_owned())]);
        for (operator, values, with, without) in [
            ("In", &["web"][..], true, false),
            ("NotIn", &["web"][..], false, true),
            ("Exists", &[][..], true, false),
            ("DoesNotExist", &[][..], false, true),
        ] {
            let selector = expression(operator, values);
            assert_eq!(matches(&selector, Some(&labels)), with, "{operator}");
            assert_eq!(
                matches(&selector, None),
                without,
                "{operator} without the label"
            );
        }
    }

    #[test]
    fn a_service_without_selector_selects_nothing() {
        assert!(!matches_all(&BTreeMap::new(), Some(&BTreeMap::new())));
    }
}
