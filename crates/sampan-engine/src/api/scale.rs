//! The number of replicas of a workload, as `autoscaling/v1` Scale.

use axum::response::Response;
use http::StatusCode;
use sampan_supervise::clock;
use serde_json::{Map, Value, json};

use super::{Api, Call, answer, body};
use crate::error::{Cause, CauseReason, Error};
use crate::patch::{self, PatchOptions, PatchType};
use crate::schema;

/// Answers a GET.
pub(crate) async fn get(api: &Api, call: &Call) -> Result<Response, Error> {
    let namespace = call.target.namespace.as_deref();
    let object = api
        .objects()
        .get_value(call.target.resource, namespace, call.name()?)
        .await?;
    Ok(answer::json(StatusCode::OK, &of(&object)))
}

/// Answers a PUT.
pub(crate) async fn replace(api: &Api, call: &Call, bytes: &[u8]) -> Result<Response, Error> {
    let wanted = body::parse(&call.headers, bytes)?;
    body::check_place(&call.target, &wanted)?;
    update(api, call, |_| Ok(wanted.clone())).await
}

/// Answers a PATCH.
pub(crate) async fn patch(
    api: &Api,
    call: &Call,
    bytes: &[u8],
    patch_type: PatchType,
) -> Result<Response, Error> {
    let name = call.name()?;
    let time = clock::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let options = PatchOptions {
        manager: call.manager(),
        force: call.query.is_forced(),
        subresource: None,
        time: &time,
    };
    update(api, call, |scale| {
        patch::apply(
            schema::of("autoscaling", "Scale"),
            Some(scale),
            bytes,
            patch_type,
            &options,
        )
        .map_err(|error| error.into_api(call.target.resource, name))
    })
    .await
}

async fn update(
    api: &Api,
    call: &Call,
    change: impl Fn(&Value) -> Result<Value, Error> + Send + Sync,
) -> Result<Response, Error> {
    let target = &call.target;
    let updated = api
        .objects()
        .update_value(
            target.resource,
            target.namespace.as_deref(),
            call.name()?,
            &call.write_options()?,
            |current| {
                let scale = change(&of(current))?;
                let mut wanted = current.clone();
                wanted["spec"]["replicas"] = replicas(call, &scale)?.into();
                wanted["metadata"]["resourceVersion"] =
                    scale["metadata"]["resourceVersion"].clone();
                Ok(wanted)
            },
        )
        .await?;
    Ok(answer::json(StatusCode::OK, &of(&updated)))
}

fn replicas(call: &Call, scale: &Value) -> Result<i64, Error> {
    let replicas = match scale.pointer("/spec/replicas") {
        None | Some(Value::Null) => Some(0),
        Some(value) => value.as_i64(),
    };
    let Some(replicas) = replicas.filter(|replicas| i32::try_from(*replicas).is_ok()) else {
        return Err(Error::BadRequest(
            "Scale in version \"v1\" cannot be handled as a Scale: spec.replicas must be a number"
                .to_owned(),
        ));
    };
    if replicas < 0 {
        return Err(Error::Invalid {
            resource: call.target.resource,
            name: call.target.name.clone().unwrap_or_default(),
            causes: vec![Cause {
                reason: CauseReason::Invalid,
                field: "spec.replicas".to_owned(),
                message: format!("Invalid value: {replicas}: must be greater than or equal to 0"),
            }],
        });
    }
    Ok(replicas)
}

/// The Scale of a workload.
fn of(object: &Value) -> Value {
    let mut metadata = Map::new();
    for field in [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "creationTimestamp",
    ] {
        if let Some(value) = object.pointer(&format!("/metadata/{field}")) {
            metadata.insert(field.to_owned(), value.clone());
        }
    }
    let number = |path| object.pointer(path).and_then(Value::as_i64).unwrap_or(0);
    let mut status = json!({"replicas": number("/status/replicas")});
    if let Some(selector) = object.pointer("/spec/selector") {
        status["selector"] = selector_text(selector).into();
    }
    json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": {"replicas": number("/spec/replicas")},
        "status": status,
    })
}

/// A label selector as a query writes it.
fn selector_text(selector: &Value) -> String {
    let labels = selector.get("matchLabels").and_then(Value::as_object);
    let mut rules: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    for expression in expressions.into_iter().flatten() {
        let text = |field: &str| expression[field].as_str().unwrap_or_default();
        let values: Vec<&str> = expression["values"]
            .as_array()
            .map(|values| values.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let (key, values) = (text("key"), values.join(","));
        rules.push(match text("operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    rules.join(",")
}
