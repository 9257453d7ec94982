//! The rules that hold for a user: those of the roles that bindings give them.

use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::rules::Action;
use super::user::User;
use crate::controllers::selector;
use crate::error::Error;
use crate::objects::Objects;

/// What a user may do in a namespace, or (without one) in the whole cluster.
#[derive(Debug)]
pub(crate) struct Rights {
    is_master: bool,
    /// The rules of all roles that the user has there.
    pub(crate) rules: Vec<PolicyRule>,
}

impl Rights {
    /// Reads the rights of a user.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn of(
        user: &User,
        namespace: Option<&str>,
        objects: &Objects,
    ) -> Result<Self, Error> {
        let mut rights = Self {
            is_master: user.is_master(),
            rules: Vec::new(),
        };
        if rights.is_master {
            rights.rules = everything();
            return Ok(rights);
        }
        for binding in objects.list::<ClusterRoleBinding>(None).await? {
            if is_of(user, binding.subjects.as_deref(), None) {
                let rules = rules_of_role(&binding.role_ref, None, objects).await?;
                rights.rules.extend(rules);
            }
        }
        if namespace.is_some() {
            for binding in objects.list::<RoleBinding>(namespace).await? {
                if is_of(user, binding.subjects.as_deref(), namespace) {
                    let rules = rules_of_role(&binding.role_ref, namespace, objects).await?;
                    rights.rules.extend(rules);
                }
            }
        }
        Ok(rights)
    }

    /// Whether something is allowed.
    pub(crate) fn allow(&self, action: &Action<'_>) -> bool {
        self.is_master || self.rules.iter().any(|rule| action.is_allowed_by(rule))
    }
}

/// The rules by which everything is allowed.
pub(crate) fn everything() -> Vec<PolicyRule> {
    let all = || Some(vec!["*".to_owned()]);
    let verbs = || vec!["*".to_owned()];
    vec![
        PolicyRule {
            api_groups: all(),
            resources: all(),
            verbs: verbs(),
            ..PolicyRule::default()
        },
        PolicyRule {
            non_resource_urls: all(),
            verbs: verbs(),
            ..PolicyRule::default()
        },
    ]
}

/// Whether a user is among the subjects of a binding, which is in a namespace or not.
fn is_of(user: &User, subjects: Option<&[Subject]>, namespace: Option<&str>) -> bool {
    let subjects = subjects.unwrap_or_default().iter();
    let mut subjects = subjects.map(|subject| match subject.kind.as_str() {
        "User" => subject.name == user.name,
        "Group" => user.groups.contains(&subject.name),
        "ServiceAccount" => {
            let own = subject.namespace.as_deref().filter(|own| !own.is_empty());
            let account = own.or(namespace).map(|of| (of, subject.name.as_str()));
            account.is_some() && user.account() == account
        }
        _ => false,
    });
    subjects.any(|is| is)
}

/// The rules of a role; none when it is not there.
///
/// # Errors
/// When the store fails.
pub(crate) async fn rules_of_role(
    role: &RoleRef,
    namespace: Option<&str>,
    objects: &Objects,
) -> Result<Vec<PolicyRule>, Error> {
    if role.kind == "Role" {
        let found: Option<Role> = objects.get(namespace, &role.name).await?;
        return Ok(found.and_then(|role| role.rules).unwrap_or_default());
    }
    let found: Option<ClusterRole> = objects.get(None, &role.name).await?;
    let Some(found) = found else {
        return Ok(Vec::new());
    };
    match found.aggregation_rule {
        None => Ok(found.rules.unwrap_or_default()),
        Some(aggregation) => {
            let selectors = aggregation.cluster_role_selectors.unwrap_or_default();
            aggregated(&selectors, &role.name, objects).await
        }
    }
}

/// The rules of all roles that some selectors select; those of them that select others in turn stand for these.
async fn aggregated(
    selectors: &[LabelSelector],
    own: &str,
    objects: &Objects,
) -> Result<Vec<PolicyRule>, Error> {
    let all = objects.list::<ClusterRole>(None).await?;
    let mut chosen = vec![own.to_owned()];
    let mut selectors = selectors.to_vec();
    let mut rules = Vec::new();
    while let Some(selector) = selectors.pop() {
        for role in &all {
            let name = role.metadata.name.clone().unwrap_or_default();
            if chosen.contains(&name)
                || !selector::matches(&selector, role.metadata.labels.as_ref())
            {
                continue;
            }
            chosen.push(name);
            match &role.aggregation_rule {
                None => rules.extend(role.rules.iter().flatten().cloned()),
                Some(further) => {
                    selectors.extend(further.cluster_role_selectors.iter().flatten().cloned());
                }
            }
        }
    }
    Ok(rules)
}
