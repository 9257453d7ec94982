//! Questions about who somebody is and what they may do.

use axum::response::Response;
use http::StatusCode;
use k8s_openapi::api::authentication::v1::TokenReviewSpec;
use k8s_openapi::api::authorization::v1::{
    NonResourceAttributes, ResourceAttributes, SubjectAccessReviewSpec,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Api, Call, answer, body};
use crate::access::{Action, Bearer, Rights, User};
use crate::error::Error;
use crate::keys::signer::ISSUER;

/// Answers a question.
pub(crate) async fn create(api: &Api, call: &Call, bytes: &[u8]) -> Result<Response, Error> {
    let decoded = body::decode(&call.target, &call.query, &call.headers, bytes)?;
    let mut review = decoded.object;
    review["kind"] = call.target.resource.kind.into();
    review["apiVersion"] = call.target.resource.api_version().into();
    review["status"] = status(api, call, &review["spec"]).await?;
    let response = answer::json(StatusCode::CREATED, &review);
    Ok(answer::warn(response, &decoded.warnings))
}

async fn status(api: &Api, call: &Call, spec: &Value) -> Result<Value, Error> {
    match call.target.resource.kind {
        "SelfSubjectReview" => Ok(json!({"userInfo": call.user.info()})),
        "SelfSubjectRulesReview" => rules(api, call, spec).await,
        "TokenReview" => token(api, read(spec)?).await,
        kind => {
            let mut asked: SubjectAccessReviewSpec = read(spec)?;
            let user = if kind == "SelfSubjectAccessReview" {
                call.user.clone()
            } else {
                let groups = asked.groups.take().unwrap_or_default();
                User::named(&asked.user.take().unwrap_or_default(), groups)
            };
            access(api, call, &user, &asked).await
        }
    }
}

fn read<T: DeserializeOwned>(spec: &Value) -> Result<T, Error> {
    T::deserialize(spec)
        .map_err(|error| Error::BadRequest(format!("cannot read the spec of the review: {error}")))
}

/// All that the user may do in a namespace.
async fn rules(api: &Api, call: &Call, spec: &Value) -> Result<Value, Error> {
    let namespace = spec["namespace"].as_str().unwrap_or_default();
    let rights = Rights::of(&call.user, Some(namespace), api.objects()).await?;
    let (mut objects, mut paths) = (Vec::new(), Vec::new());
    for rule in rights.rules {
        if rule.non_resource_urls.is_some() {
            paths.push(json!({"verbs": rule.verbs, "nonResourceURLs": rule.non_resource_urls}));
        } else {
            let mut shown = json!({"verbs": rule.verbs, "apiGroups": rule.api_groups, "resources": rule.resources});
            if let Some(names) = rule.resource_names {
                shown["resourceNames"] = names.into();
            }
            objects.push(shown);
        }
    }
    Ok(json!({"resourceRules": objects, "nonResourceRules": paths, "incomplete": false}))
}

/// Whose token it is.
async fn token(api: &Api, asked: TokenReviewSpec) -> Result<Value, Error> {
    let token = asked.token.unwrap_or_default();
    let wanted = match asked.audiences.filter(|audiences| !audiences.is_empty()) {
        Some(audiences) => audiences,
        None => vec![ISSUER.to_owned()],
    };
    let bearer = Bearer::of(&token, api.keys(), api.objects()).await?;
    let Some(bearer) = bearer else {
        return Ok(json!({"user": {}, "error": "the token does not count"}));
    };
    let shared = wanted.into_iter();
    let shared: Vec<String> = shared
        .filter(|audience| bearer.audiences.contains(audience))
        .collect();
    if shared.is_empty() {
        return Ok(json!({"user": {}, "error": "the token was issued for others"}));
    }
    Ok(json!({"authenticated": true, "user": bearer.user.info(), "audiences": shared}))
}

/// Whether a user may do something.
async fn access(
    api: &Api,
    call: &Call,
    user: &User,
    asked: &SubjectAccessReviewSpec,
) -> Result<Value, Error> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let allowed = match (&asked.resource_attributes, &asked.non_resource_attributes) {
        (Some(objects), None) => {
            let namespace = text(&objects.namespace);
            // Local reviews are about the namespace that they are made in.
            let own = call.target.namespace.clone();
            let namespace = own.or(Some(namespace).filter(|name| !name.is_empty()));
            let rights = Rights::of(user, namespace.as_deref(), api.objects()).await?;
            allows_objects(&rights, objects)
        }
        (None, Some(NonResourceAttributes { path, verb })) => {
            let rights = Rights::of(user, None, api.objects()).await?;
            rights.allow(&Action::Path {
                verb: &text(verb),
                path: &text(path),
            })
        }
        _ => {
            return Err(Error::BadRequest(
                "exactly one of nonResourceAttributes or resourceAttributes must be specified"
                    .to_owned(),
            ));
        }
    };
    Ok(json!({"allowed": allowed}))
}

fn allows_objects(rights: &Rights, asked: &ResourceAttributes) -> bool {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut resource = text(&asked.resource);
    if let Some(part) = asked.subresource.as_deref().filter(|part| !part.is_empty()) {
        resource = format!("{resource}/{part}");
    }
    rights.allow(&Action::Objects {
        verb: &text(&asked.verb),
        group: &text(&asked.group),
        resource: &resource,
        name: &text(&asked.name),
    })
}
