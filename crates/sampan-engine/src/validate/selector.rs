//! The rules of label selectors.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use super::causes::{Causes, Path};
use super::{metadata, names, pod};
use crate::controllers::selector::matches;

/// Checks the selector and the template of a workload whose pods are always restarted.
pub(super) fn selected(
    selector: &LabelSelector,
    template: &PodTemplateSpec,
    path: &Path,
    causes: &mut Causes,
) {
    let template_path = path.child("template");
    fits(selector, template, path, causes);
    pod::template(template, &template_path, causes);
    pod::always_restarted(template.spec.as_ref(), &template_path.child("spec"), causes);
}

/// Checks that a selector is not empty and selects the pods of the template.
pub(super) fn fits(
    selector: &LabelSelector,
    template: &PodTemplateSpec,
    path: &Path,
    causes: &mut Causes,
) {
    let selector_path = path.child("selector");
    let labels = selector.match_labels.as_ref();
    let expressions = selector.match_expressions.as_deref().unwrap_or_default();
    if labels.is_none_or(BTreeMap::is_empty) && expressions.is_empty() {
        let detail = "empty selector is invalid for deployment";
        if selector == &LabelSelector::default() {
            causes.required(&selector_path, "");
        } else {
            causes.invalid(&selector_path, selector, detail);
        }
        return;
    }
    check(selector, &selector_path, causes);
    let empty = BTreeMap::new();
    let of_template = template
        .metadata
        .as_ref()
        .and_then(|meta| meta.labels.as_ref());
    let of_template = of_template.unwrap_or(&empty);
    if !matches(selector, Some(of_template)) {
        causes.invalid(
            &path.child("template").child("metadata").child("labels"),
            of_template,
            "`selector` does not match template `labels`",
        );
    }
}

/// Checks a selector by itself.
pub(super) fn check(selector: &LabelSelector, path: &Path, causes: &mut Causes) {
    let labels = selector.match_labels.as_ref();
    metadata::labels(labels, &path.child("matchLabels"), causes);
    let expressions = selector.match_expressions.as_deref().unwrap_or_default();
    requirements(expressions, &path.child("matchExpressions"), causes);
}

fn requirements(expressions: &[LabelSelectorRequirement], path: &Path, causes: &mut Causes) {
    for (index, expression) in expressions.iter().enumerate() {
        let path = path.index(index);
        let values = expression
            .values
            .as_ref()
            .is_some_and(|values| !values.is_empty());
        match expression.operator.as_str() {
            "In" | "NotIn" if !values => causes.required(
                &path.child("values"),
                "must be specified when `operator` is 'In' or 'NotIn'",
            ),
            "Exists" | "DoesNotExist" if values => causes.forbidden(
                &path.child("values"),
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            ),
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            operator => causes.invalid(
                &path.child("operator"),
                operator,
                "not a valid selector operator",
            ),
        }
        let key = &expression.key;
        causes.complaints(&path.child("key"), key, names::qualified_name(key));
    }
}
