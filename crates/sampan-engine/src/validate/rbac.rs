//! The rules of roles and of who has them.

use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};

use super::causes::{Causes, Path};
use super::{names, selector};

const GROUP: &str = "rbac.authorization.k8s.io";

/// Checks a role.
pub(super) fn role(new: &Role, _: Option<&Role>, causes: &mut Causes) {
    rules(new.rules.as_deref().unwrap_or_default(), true, causes);
}

/// Checks a role of the cluster.
pub(super) fn cluster_role(new: &ClusterRole, _: Option<&ClusterRole>, causes: &mut Causes) {
    rules(new.rules.as_deref().unwrap_or_default(), false, causes);
    let Some(aggregation) = &new.aggregation_rule else {
        return;
    };
    let path = Path::new("aggregationRule").child("clusterRoleSelectors");
    let selectors = aggregation.cluster_role_selectors.as_deref();
    let selectors = selectors.unwrap_or_default();
    if selectors.is_empty() {
        causes.required(
            &path,
            "at least one clusterRoleSelector required if aggregationRule is non-nil",
        );
    }
    for (index, one) in selectors.iter().enumerate() {
        selector::check(one, &path.index(index), causes);
    }
}

fn rules(rules: &[PolicyRule], namespaced: bool, causes: &mut Causes) {
    for (index, rule) in rules.iter().enumerate() {
        let path = Path::new("rules").index(index);
        if rule.verbs.is_empty() {
            causes.required(
                &path.child("verbs"),
                "verbs must contain at least one value",
            );
        }
        let is_empty = |list: &Option<Vec<String>>| list.as_ref().is_none_or(Vec::is_empty);
        if !is_empty(&rule.non_resource_urls) {
            let path = path.child("nonResourceURLs");
            let urls = rule.non_resource_urls.as_ref();
            if namespaced {
                let detail = "namespaced rules cannot apply to non-resource URLs";
                causes.invalid(&path, &urls, detail);
            }
            let others = [&rule.api_groups, &rule.resources, &rule.resource_names];
            if !others.into_iter().all(is_empty) {
                let detail = "rules cannot apply to both regular resources and non-resource URLs";
                causes.invalid(&path, &urls, detail);
            }
            continue;
        }
        if is_empty(&rule.api_groups) {
            let detail = "resource rules must supply at least one api group";
            causes.required(&path.child("apiGroups"), detail);
        }
        if is_empty(&rule.resources) {
            let detail = "resource rules must supply at least one resource";
            causes.required(&path.child("resources"), detail);
        }
    }
}

/// Checks who has a role in a namespace.
pub(super) fn role_binding(new: &RoleBinding, old: Option<&RoleBinding>, causes: &mut Causes) {
    role_ref(&new.role_ref, &["ClusterRole", "Role"], causes);
    subjects(new.subjects.as_deref().unwrap_or_default(), true, causes);
    if let Some(old) = old {
        same_role(&new.role_ref, &old.role_ref, causes);
    }
}

/// Checks who has a role in the whole cluster.
pub(super) fn cluster_role_binding(
    new: &ClusterRoleBinding,
    old: Option<&ClusterRoleBinding>,
    causes: &mut Causes,
) {
    role_ref(&new.role_ref, &["ClusterRole"], causes);
    subjects(new.subjects.as_deref().unwrap_or_default(), false, causes);
    if let Some(old) = old {
        same_role(&new.role_ref, &old.role_ref, causes);
    }
}

fn role_ref(role: &RoleRef, kinds: &[&str], causes: &mut Causes) {
    let path = Path::new("roleRef");
    causes.one_of(&path.child("apiGroup"), Some(&role.api_group), &[GROUP]);
    causes.one_of(&path.child("kind"), Some(&role.kind), kinds);
    let path = path.child("name");
    if role.name.is_empty() {
        causes.required(&path, "");
    } else {
        causes.complaints(&path, &role.name, names::path_segment(&role.name));
    }
}

fn same_role(new: &RoleRef, old: &RoleRef, causes: &mut Causes) {
    if new != old {
        causes.invalid(&Path::new("roleRef"), new, "cannot change roleRef");
    }
}

fn subjects(subjects: &[Subject], namespaced: bool, causes: &mut Causes) {
    for (index, subject) in subjects.iter().enumerate() {
        let path = Path::new("subjects").index(index);
        if subject.name.is_empty() {
            causes.required(&path.child("name"), "");
        }
        let group = subject.api_group.as_deref();
        let kind = subject.kind.as_str();
        match kind {
            "ServiceAccount" => {
                if !subject.name.is_empty() {
                    let complaints = names::dns_subdomain(&subject.name);
                    causes.complaints(&path.child("name"), &subject.name, complaints);
                }
                causes.one_of(&path.child("apiGroup"), group, &[""]);
                let namespace = subject.namespace.as_deref().unwrap_or_default();
                if !namespaced && namespace.is_empty() {
                    causes.required(&path.child("namespace"), "");
                }
            }
            "User" | "Group" => causes.one_of(&path.child("apiGroup"), group, &[GROUP]),
            _ => causes.one_of(
                &path.child("kind"),
                Some(kind),
                &["Group", "ServiceAccount", "User"],
            ),
        }
    }
}
