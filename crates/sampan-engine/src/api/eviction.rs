//! Evictions: deletions of pods that disruption budgets may refuse.

use axum::response::Response;
use http::StatusCode;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use serde::Deserialize;

use super::write::{Options, convert};
use super::{Api, Call, answer, body, status};
use crate::controllers::disruption::{balance, protecting};
use crate::controllers::pods;
use crate::error::Error;
use crate::objects::DeleteOptions;

/// Deletes a pod as its eviction asks.
pub(crate) async fn evict(api: &Api, call: &Call, bytes: &[u8]) -> Result<Response, Error> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Eviction {
        delete_options: Option<Options>,
    }
    let eviction: Eviction = serde_json::from_value(body::parse(&call.headers, bytes)?)
        .map_err(|error| Error::BadRequest(format!("cannot read the Eviction: {error}")))?;
    let options = convert(call, eviction.delete_options.unwrap_or_default())?;
    // One after another: each deletion is seen by the next one that counts.
    let _turn = api.evictions.lock().await;
    check(api, call).await?;
    delete(api, call, &options).await
}

async fn delete(api: &Api, call: &Call, options: &DeleteOptions) -> Result<Response, Error> {
    let namespace = call.target.namespace.as_deref();
    api.objects()
        .delete_value(call.target.resource, namespace, call.name()?, options)
        .await?;
    Ok(answer::json(StatusCode::CREATED, &status::success(None)))
}

/// Refuses an eviction that a budget does not allow now.
async fn check(api: &Api, call: &Call) -> Result<(), Error> {
    let namespace = call.target.namespace.as_deref();
    let found = api.objects().get::<Pod>(namespace, call.name()?).await?;
    // Whether it is there, the deletion finds out; who serves nobody disturbs nobody.
    let Some(pod) = found.filter(|pod| pods::is_active(pod) && pods::phase(pod) != "Pending")
    else {
        return Ok(());
    };
    let budgets = protecting(api.objects(), &pod).await?;
    let [budget] = budgets.as_slice() else {
        return match budgets.first() {
            None => Ok(()),
            Some(_) => Err(Error::Internal(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
                    .to_owned(),
            )),
        };
    };
    let balance = balance(api.objects(), budget).await?;
    let enough_without = balance.healthy >= balance.desired && balance.desired > 0;
    if !pods::is_ready(&pod) && (enough_without || always_allowed(budget)) {
        return Ok(());
    }
    if balance.allowed() > 0 {
        return Ok(());
    }
    Err(Error::TooManyRequests {
        message: format!(
            "Cannot evict pod as it would violate the pod's disruption budget. The disruption budget {} needs {} healthy pods and has {} currently",
            budget.metadata.name.as_deref().unwrap_or_default(),
            balance.desired,
            balance.healthy
        ),
    })
}

/// Whether pods that are not healthy may always go.
fn always_allowed(budget: &PodDisruptionBudget) -> bool {
    let spec = budget.spec.as_ref();
    spec.and_then(|spec| spec.unhealthy_pod_eviction_policy.as_deref()) == Some("AlwaysAllow")
}
