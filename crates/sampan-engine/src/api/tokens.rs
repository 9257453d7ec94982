//! Tokens of service accounts, issued to those who ask for them.

use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Pod, Secret, ServiceAccount};
use sampan_supervise::clock;
use serde::Deserialize as _;
use serde_json::json;

use super::{Api, Call, answer, body};
use crate::error::{Cause, CauseReason, Error};
use crate::keys::signer::{About, ISSUER, Named};
use crate::objects::Object;
use crate::resources::{self, Resource};

/// How long a token counts when nobody says so.
const USUAL_SECONDS: i64 = 60 * 60;
const LEAST_SECONDS: i64 = 10 * 60;
const MOST_SECONDS: i64 = 1 << 32;

/// Issues a token of the account that the path names.
pub(crate) async fn create(api: &Api, call: &Call, bytes: &[u8]) -> Result<Response, Error> {
    let asked = body::parse(&call.headers, bytes)?;
    // Clients leave the status out, or send it half empty.
    let asked = TokenRequestSpec::deserialize(&asked["spec"])
        .map_err(|error| Error::BadRequest(format!("cannot read the TokenRequest: {error}")))?;
    let name = call.name()?;
    let seconds = asked.expiration_seconds.unwrap_or(USUAL_SECONDS);
    check_lifetime(call, name, seconds)?;
    let namespace = call.target.namespace.as_deref();
    let account: Option<ServiceAccount> = api.objects().get(namespace, name).await?;
    let account = account.ok_or_else(|| Error::NotFound {
        resource: call.target.resource,
        name: name.to_owned(),
    })?;
    let mut about = About {
        namespace: namespace.unwrap_or_default().to_owned(),
        serviceaccount: named(&account),
        pod: None,
        secret: None,
    };
    if let Some(bound) = &asked.bound_object_ref {
        bind(api, call, &mut about, bound).await?;
    }
    let mut audiences = asked.audiences.clone();
    if audiences.is_empty() {
        audiences = vec![ISSUER.to_owned()];
    }
    let signer = &api.keys().signer;
    let issued = signer
        .issue(about, audiences.clone(), seconds, clock::now())
        .map_err(|_| Error::Internal("a token cannot be signed".to_owned()))?;
    let time = |moment: Timestamp| moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let answer = json!({
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": time(issued.at)},
        "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": asked.bound_object_ref},
        "status": {"token": issued.token, "expirationTimestamp": time(issued.expires)},
    });
    Ok(answer::json(StatusCode::CREATED, &answer))
}

fn check_lifetime(call: &Call, name: &str, seconds: i64) -> Result<(), Error> {
    let complaint = if seconds < LEAST_SECONDS {
        "may not specify a duration less than 10 minutes"
    } else if seconds > MOST_SECONDS {
        "may not specify a duration larger than 2^32 seconds"
    } else {
        return Ok(());
    };
    Err(invalid(
        call,
        name,
        "spec.expirationSeconds",
        format!("Invalid value: {seconds}: {complaint}"),
    ))
}

fn invalid(call: &Call, name: &str, field: &str, message: String) -> Error {
    Error::Invalid {
        resource: call.target.resource,
        name: name.to_owned(),
        causes: vec![Cause {
            reason: CauseReason::Invalid,
            field: field.to_owned(),
            message,
        }],
    }
}

/// Binds a token to an object, without which it does not count.
async fn bind(
    api: &Api,
    call: &Call,
    about: &mut About,
    bound: &BoundObjectReference,
) -> Result<(), Error> {
    let name = bound.name.as_deref().unwrap_or_default();
    match bound.kind.as_deref() {
        Some("Pod") => {
            let pod: Pod = bound_to(api, call, name).await?;
            let account = pod.spec.as_ref();
            let account = account.and_then(|spec| spec.service_account_name.as_deref());
            if account != Some(about.serviceaccount.name.as_str()) {
                return Err(Error::BadRequest(format!(
                    "cannot bind token for serviceaccount \"{}\" to pod running with different serviceaccount name.",
                    about.serviceaccount.name
                )));
            }
            about.pod = Some(same(&pod, bound, "pods")?);
        }
        Some("Secret") => {
            let secret: Secret = bound_to(api, call, name).await?;
            about.secret = Some(same(&secret, bound, "secrets")?);
        }
        other => {
            let kind = other.unwrap_or_default();
            return Err(Error::BadRequest(format!(
                "cannot bind token to object of type \"{kind}\": it is one of Pod, Secret"
            )));
        }
    }
    Ok(())
}

async fn bound_to<K: Object>(api: &Api, call: &Call, name: &str) -> Result<K, Error> {
    let namespace = call.target.namespace.as_deref();
    let found = api.objects().get::<K>(namespace, name).await?;
    let resource = resources::of::<K>().ok_or(Error::NoSuchResource)?;
    found.ok_or_else(|| Error::NotFound {
        resource,
        name: name.to_owned(),
    })
}

/// The object, if it is the one that is meant.
fn same<K: Object>(object: &K, bound: &BoundObjectReference, plural: &str) -> Result<Named, Error> {
    let named = named(object);
    let resource: &'static Resource =
        resources::find("", "v1", plural).ok_or(Error::NoSuchResource)?;
    match bound.uid.as_deref().filter(|uid| !uid.is_empty()) {
        Some(uid) if uid != named.uid => Err(Error::Conflict {
            resource,
            name: named.name,
            message: format!(
                "the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been deleted and then recreated"
            ),
        }),
        _ => Ok(named),
    }
}

fn named<K: Object>(object: &K) -> Named {
    let metadata = object.metadata();
    Named {
        name: metadata.name.clone().unwrap_or_default(),
        uid: metadata.uid.clone().unwrap_or_default(),
    }
}
