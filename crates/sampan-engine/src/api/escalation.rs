//! Nobody gives themselves or others rights that they do not have: what may be written into roles and bindings.

use k8s_openapi::api::rbac::v1::{PolicyRule, RoleRef};
use serde::Deserialize as _;
use serde_json::Value;

use super::{Api, Call, authorization};
use crate::access::{Action, covers, everything, rules_of_role};
use crate::error::Error;

const GROUP: &str = "rbac.authorization.k8s.io";

/// Looks at what somebody writes.
#[derive(Debug)]
pub(super) enum Guard {
    /// Anything may be written.
    Free,
    /// Roles with nothing but these rules.
    Rules(Vec<PolicyRule>),
    /// Bindings to this role only.
    Role(Box<RoleRef>),
}

impl Guard {
    /// The guard of a request that writes an object, which is given where it is known.
    ///
    /// # Errors
    /// [`Error::Denied`] for bindings to roles with more rights.
    pub(super) async fn of(api: &Api, call: &Call, object: Option<&Value>) -> Result<Self, Error> {
        let resource = call.target.resource;
        if resource.group != GROUP || call.user.is_master() {
            return Ok(Self::Free);
        }
        if matches!(resource.kind, "Role" | "ClusterRole") {
            return match authorization::check_verb(api, call, "escalate").await {
                Ok(()) => Ok(Self::Free),
                Err(Error::Denied { .. }) => {
                    Ok(Self::Rules(authorization::own_rules(api, call).await?))
                }
                Err(error) => Err(error),
            };
        }
        let role = match object.and_then(role_of) {
            Some(role) => Some(role),
            // The role of a binding that is there cannot be changed.
            None => current_role(api, call).await?,
        };
        let Some(role) = role else {
            return Ok(Self::Rules(Vec::new()));
        };
        if !may_bind(api, call, &role).await? {
            let namespace = call.target.namespace.as_deref();
            let wanted = rules_of_role(&role, namespace, api.objects()).await?;
            let own = authorization::own_rules(api, call).await?;
            if !wanted.iter().all(|rule| covers(&own, rule)) {
                return Err(denied(call));
            }
        }
        Ok(Self::Role(Box::new(role)))
    }

    /// Looks at an object as it is to be stored.
    ///
    /// # Errors
    /// [`Error::Denied`] when it gives rights that its writer does not have.
    pub(super) fn check(&self, call: &Call, object: &Value) -> Result<(), Error> {
        let is_fine = match self {
            Self::Free => true,
            Self::Rules(own) => {
                let rules = Vec::<PolicyRule>::deserialize(&object["rules"]);
                let rules = rules.unwrap_or_default();
                // What is collected from others later on could be anything.
                let collects = object["aggregationRule"].is_object();
                let all = everything();
                let wanted = rules.iter().chain(all.iter().filter(|_| collects));
                role_of(object).is_none() && wanted.clone().all(|rule| covers(own, rule))
            }
            Self::Role(role) => role_of(object).is_some_and(|other| other == **role),
        };
        is_fine.then_some(()).ok_or_else(|| denied(call))
    }
}

fn role_of(object: &Value) -> Option<RoleRef> {
    RoleRef::deserialize(&object["roleRef"]).ok()
}

async fn current_role(api: &Api, call: &Call) -> Result<Option<RoleRef>, Error> {
    let Some(name) = &call.target.name else {
        return Ok(None);
    };
    let namespace = call.target.namespace.as_deref();
    let found = api
        .objects()
        .get_value(call.target.resource, namespace, name);
    match found.await {
        Ok(binding) => Ok(role_of(&binding)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the writer of a binding may give the role away without having its rights.
async fn may_bind(api: &Api, call: &Call, role: &RoleRef) -> Result<bool, Error> {
    let resource = if role.kind == "Role" {
        "roles"
    } else {
        "clusterroles"
    };
    let rights = authorization::own_rules(api, call).await?;
    let action = Action::Objects {
        verb: "bind",
        group: GROUP,
        resource,
        name: &role.name,
    };
    Ok(rights.iter().any(|rule| action.is_allowed_by(rule)))
}

fn denied(call: &Call) -> Error {
    Error::Denied {
        resource: Some(call.target.resource),
        name: call.target.name.clone().unwrap_or_default(),
        message: format!(
            "user \"{}\" is attempting to grant RBAC permissions not currently held",
            call.user.name
        ),
    }
}
