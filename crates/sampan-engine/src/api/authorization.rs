//! Who asks, and whether they may.

use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};
use k8s_openapi::api::rbac::v1::PolicyRule;

use super::{Api, Call};
use crate::access::{Action, Bearer, Rights, User};
use crate::error::Error;
use crate::resources::Subresource;

/// The beginning of the headers by which somebody asks as somebody else.
const AS: &str = "impersonate-";

/// Who sends a request.
///
/// # Errors
/// [`Error::Unauthorized`], or [`Error::Denied`] to somebody who asks as somebody else and may not.
pub(super) async fn user(api: &Api, headers: &HeaderMap) -> Result<User, Error> {
    let token = text(headers, AUTHORIZATION.as_str())
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or(Error::Unauthorized)?;
    let bearer = Bearer::of(token.trim(), api.keys(), api.objects()).await?;
    let bearer = bearer.filter(Bearer::is_for_api);
    let user = bearer.ok_or(Error::Unauthorized)?.user;
    impersonated(api, user, headers).await
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The user that somebody wants to be taken for.
async fn impersonated(api: &Api, user: User, headers: &HeaderMap) -> Result<User, Error> {
    let names = headers.keys().map(http::HeaderName::as_str);
    let asked: Vec<&str> = names.filter_map(|name| name.strip_prefix(AS)).collect();
    if asked.is_empty() {
        return Ok(user);
    }
    let known = |what: &&str| matches!(*what, "user" | "group");
    if let Some(other) = asked.iter().find(|what| !known(what)) {
        return Err(Error::BadRequest(format!(
            "impersonating users by `{AS}{other}` is not supported"
        )));
    }
    let name = text(headers, "impersonate-user").unwrap_or_default();
    if name.is_empty() {
        return Err(Error::BadRequest(
            "requested groups without impersonating a user".to_owned(),
        ));
    }
    let groups = headers.get_all("impersonate-group").iter();
    let groups: Vec<String> = groups
        .filter_map(|group| group.to_str().ok())
        .map(str::to_owned)
        .collect();
    let wanted = User::named(name, groups.clone());
    let (namespace, resource, name) = match wanted.account() {
        Some((namespace, name)) => (Some(namespace), "serviceaccounts", name),
        None => (None, "users", name),
    };
    may_be(api, &user, namespace, (resource, name)).await?;
    for group in &groups {
        may_be(api, &user, None, ("groups", group)).await?;
    }
    Ok(wanted)
}

async fn may_be(
    api: &Api,
    user: &User,
    namespace: Option<&str>,
    (resource, name): (&str, &str),
) -> Result<(), Error> {
    let action = Action::Objects {
        verb: "impersonate",
        group: "",
        resource,
        name,
    };
    if Rights::of(user, namespace, api.objects())
        .await?
        .allow(&action)
    {
        return Ok(());
    }
    Err(Error::Denied {
        resource: None,
        name: String::new(),
        message: sentence(user, &action, namespace),
    })
}

/// Refuses a request for something else than objects to those who may not.
pub(super) async fn check_path(
    api: &Api,
    user: &User,
    method: &Method,
    path: &str,
) -> Result<(), Error> {
    let verb = method.as_str().to_lowercase();
    let action = Action::Path { verb: &verb, path };
    if Rights::of(user, None, api.objects()).await?.allow(&action) {
        return Ok(());
    }
    Err(Error::Denied {
        resource: None,
        name: String::new(),
        message: sentence(user, &action, None),
    })
}

/// Refuses a request for objects to those who may not.
pub(super) async fn check(api: &Api, call: &Call, method: &Method) -> Result<(), Error> {
    check_verb(api, call, verb(call, method)).await
}

/// Refuses to do something with what a request names.
pub(super) async fn check_verb(api: &Api, call: &Call, verb: &str) -> Result<(), Error> {
    if call.user.is_master() {
        return Ok(());
    }
    let target = &call.target;
    let part = target.subresource.map(Subresource::path);
    let resource = match part {
        Some(part) => format!("{}/{part}", target.resource.plural),
        None => target.resource.plural.to_owned(),
    };
    let named = call.query.named();
    let name = target.name.as_deref().or(named.as_deref());
    let action = Action::Objects {
        verb,
        group: target.resource.group,
        resource: &resource,
        name: name.unwrap_or_default(),
    };
    let rights = Rights::of(&call.user, namespace(call), api.objects()).await?;
    if rights.allow(&action) {
        return Ok(());
    }
    Err(Error::Denied {
        resource: Some(target.resource),
        name: target.name.clone().unwrap_or_default(),
        message: sentence(&call.user, &action, namespace(call)),
    })
}

/// The rules of the user of a request, where it goes to.
pub(super) async fn own_rules(api: &Api, call: &Call) -> Result<Vec<PolicyRule>, Error> {
    let rights = Rights::of(&call.user, namespace(call), api.objects()).await?;
    Ok(rights.rules)
}

/// The namespace whose bindings count; a namespace itself belongs to them, too.
fn namespace(call: &Call) -> Option<&str> {
    let target = &call.target;
    match target.resource.kind {
        "Namespace" if target.resource.group.is_empty() => target.name.as_deref(),
        _ => target.namespace.as_deref(),
    }
}

/// The word for what is done. Whoever gets into a pod changes it, whatever the method is.
fn verb(call: &Call, method: &Method) -> &'static str {
    let is_one = call.target.name.is_some();
    match (call.target.subresource, method) {
        (Some(Subresource::Exec | Subresource::Attach | Subresource::PortForward), _)
        | (_, &Method::POST) => "create",
        (_, &Method::PUT) => "update",
        (_, &Method::PATCH) => "patch",
        (_, &Method::DELETE) if is_one => "delete",
        (_, &Method::DELETE) => "deletecollection",
        _ if call.query.is_watch() => "watch",
        _ if is_one => "get",
        _ => "list",
    }
}

/// What somebody may not do.
fn sentence(user: &User, action: &Action<'_>, namespace: Option<&str>) -> String {
    let who = &user.name;
    match action {
        Action::Path { verb, path } => format!("User \"{who}\" cannot {verb} path \"{path}\""),
        Action::Objects {
            verb,
            group,
            resource,
            ..
        } => {
            let place = match namespace {
                Some(namespace) => format!("in the namespace \"{namespace}\""),
                None => "at the cluster scope".to_owned(),
            };
            format!(
                "User \"{who}\" cannot {verb} resource \"{resource}\" in API group \"{group}\" {place}"
            )
        }
    }
}
