//! POST, PUT, PATCH and DELETE.

use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use sampan_supervise::clock;
use serde::Deserialize;
use serde_json::Value;

use super::escalation::Guard;
use super::{
    Api, Call, answer, authorization, body, eviction, ineffective, query, scale, status, tokens,
};
use crate::error::Error;
use crate::objects::{DeleteOptions, Deleted, Preconditions, WriteOptions};
use crate::patch::{self, PatchOptions, PatchType};
use crate::resources::Subresource;
use crate::schema;

/// Answers a POST to a list, or to an action of an object.
pub(crate) async fn create(api: &Api, call: Call, bytes: Bytes) -> Result<Response, Error> {
    match (&call.target.name, call.target.subresource) {
        (None, None) => {}
        (Some(_), Some(Subresource::Eviction)) => return eviction::evict(api, &call, &bytes).await,
        (Some(_), Some(Subresource::Token)) => return tokens::create(api, &call, &bytes).await,
        _ => return Err(Error::MethodNotAllowed),
    }
    let target = &call.target;
    if target.resource.namespaced() && target.namespace.is_none() {
        return Err(Error::BadRequest(
            "an empty namespace may not be set during creation".to_owned(),
        ));
    }
    let decoded = body::decode(target, &call.query, &call.headers, &bytes)?;
    let guard = Guard::of(api, &call, Some(&decoded.object)).await?;
    guard.check(&call, &decoded.object)?;
    let created = api
        .objects()
        .create_value(
            target.resource,
            target.namespace.as_deref(),
            decoded.object,
            &call.write_options()?,
        )
        .await?;
    let mut warnings = decoded.warnings;
    warnings.extend(ineffective::warnings(target.resource, &created));
    let response = answer::object(&call, StatusCode::CREATED, created);
    Ok(answer::warn(response, &warnings))
}

/// Answers a PUT.
pub(crate) async fn replace(api: &Api, call: Call, bytes: Bytes) -> Result<Response, Error> {
    let name = call.name()?;
    match call.target.subresource {
        None | Some(Subresource::Status | Subresource::Finalize) => {}
        Some(Subresource::Scale) => return scale::replace(api, &call, &bytes).await,
        Some(_) => return Err(Error::MethodNotAllowed),
    }
    let target = &call.target;
    let decoded = body::decode(target, &call.query, &call.headers, &bytes)?;
    let guard = Guard::of(api, &call, Some(&decoded.object)).await?;
    guard.check(&call, &decoded.object)?;
    let updated = api
        .objects()
        .update_value(
            target.resource,
            target.namespace.as_deref(),
            name,
            &call.write_options()?,
            |_| Ok(decoded.object.clone()),
        )
        .await?;
    let response = answer::object(&call, StatusCode::OK, updated);
    Ok(answer::warn(response, &decoded.warnings))
}

/// Answers a PATCH; a server-side apply creates what is not there.
pub(crate) async fn patch(api: &Api, call: Call, bytes: Bytes) -> Result<Response, Error> {
    let name = call.name()?;
    let patch_type = PatchType::from_content_type(body::media_type(&call.headers)).ok_or(
        Error::UnsupportedMediaType {
            accepted: PatchType::SUPPORTED,
        },
    )?;
    match call.target.subresource {
        None | Some(Subresource::Status) => {}
        Some(Subresource::Scale) => return scale::patch(api, &call, &bytes, patch_type).await,
        Some(_) => return Err(Error::MethodNotAllowed),
    }
    let target = &call.target;
    let applied = patch_type == PatchType::Apply;
    if applied
        && call
            .query
            .field_manager
            .as_deref()
            .is_none_or(str::is_empty)
    {
        return Err(Error::BadRequest(
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch"
                .to_owned(),
        ));
    }
    let options = WriteOptions {
        applied,
        ..call.write_options()?
    };
    let mut warnings = check_patch(&call, &bytes, patch_type)?;
    let guard = Guard::of(api, &call, None).await?;
    let updated = api
        .objects()
        .update_value(
            target.resource,
            target.namespace.as_deref(),
            name,
            &options,
            |current| {
                let object = patched(&call, Some(current), &bytes, patch_type)?;
                guard.check(&call, &object)?;
                Ok(object)
            },
        )
        .await;
    let (code, object) = match updated {
        Err(error) if error.is_not_found() && applied && target.subresource.is_none() => {
            authorization::check_verb(api, &call, "create").await?;
            let object = patched(&call, None, &bytes, patch_type)?;
            let guard = Guard::of(api, &call, Some(&object)).await?;
            guard.check(&call, &object)?;
            let namespace = target.namespace.as_deref();
            let created = api
                .objects()
                .create_value(target.resource, namespace, object, &options)
                .await?;
            warnings.extend(ineffective::warnings(target.resource, &created));
            (StatusCode::CREATED, created)
        }
        updated => (StatusCode::OK, updated?),
    };
    let response = answer::object(&call, code, object);
    Ok(answer::warn(response, &warnings))
}

/// What an applied object must satisfy before it meets the current one.
fn check_patch(call: &Call, bytes: &[u8], patch_type: PatchType) -> Result<Vec<String>, Error> {
    if patch_type != PatchType::Apply {
        return Ok(Vec::new());
    }
    let object: Value = serde_saphyr::from_slice(bytes)
        .map_err(|error| Error::BadRequest(format!("error decoding YAML: {error}")))?;
    body::check_place(&call.target, &object)?;
    Ok(Vec::new())
}

/// The object that a patch asks for, checked like one that a client has sent.
fn patched(
    call: &Call,
    current: Option<&Value>,
    bytes: &[u8],
    patch_type: PatchType,
) -> Result<Value, Error> {
    let resource = call.target.resource;
    let name = call.name()?;
    let time = clock::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let options = PatchOptions {
        manager: call.manager(),
        force: call.query.is_forced(),
        subresource: call.target.subresource.map(Subresource::path),
        time: &time,
    };
    let rules = schema::of(resource.group, resource.kind);
    let mut object = patch::apply(rules, current, bytes, patch_type, &options)
        .map_err(|error| error.into_api(resource, name))?;
    body::check_place(&call.target, &object)?;
    // Nobody can own a field that does not exist.
    let validation = match patch_type {
        PatchType::Apply => query::FieldValidation::Strict,
        _ => call.query.field_validation()?,
    };
    body::check_fields(resource, &mut object, &[], validation)?;
    Ok(object)
}

/// The `DeleteOptions` of a body.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Options {
    grace_period_seconds: Option<i64>,
    propagation_policy: Option<String>,
    orphan_dependents: Option<bool>,
    preconditions: Option<Conditions>,
    dry_run: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Conditions {
    uid: Option<String>,
    resource_version: Option<String>,
}

/// The options of a deletion, from the body or else the query.
fn delete_options(call: &Call, bytes: &[u8]) -> Result<DeleteOptions, Error> {
    let options: Options = if bytes.is_empty() {
        Options::default()
    } else {
        serde_json::from_value(body::parse(&call.headers, bytes)?)
            .map_err(|error| Error::BadRequest(format!("cannot read the DeleteOptions: {error}")))?
    };
    convert(call, options)
}

pub(super) fn convert(call: &Call, options: Options) -> Result<DeleteOptions, Error> {
    let propagation = match (
        options.propagation_policy.as_deref(),
        options.orphan_dependents,
    ) {
        (Some(word), _) if !word.is_empty() => Some(query::propagation(word)?),
        (_, Some(true)) => Some(crate::objects::Propagation::Orphan),
        (_, Some(false)) => Some(crate::objects::Propagation::Background),
        _ => call.query.propagation()?,
    };
    let conditions = options.preconditions.unwrap_or_default();
    Ok(DeleteOptions {
        grace_seconds: options.grace_period_seconds.or(call.query.grace_seconds()?),
        propagation,
        preconditions: Preconditions {
            uid: conditions.uid,
            resource_version: conditions.resource_version,
        },
        dry_run: call.query.is_dry_run()? || options.dry_run.is_some_and(|modes| !modes.is_empty()),
    })
}

/// Answers a DELETE of an object or of a list.
pub(crate) async fn delete(api: &Api, call: Call, bytes: Bytes) -> Result<Response, Error> {
    if call.target.subresource.is_some() {
        return Err(Error::MethodNotAllowed);
    }
    let options = delete_options(&call, &bytes)?;
    let resource = call.target.resource;
    let namespace = call.target.namespace.as_deref();
    let Some(name) = &call.target.name else {
        if resource.kind == "Namespace" {
            return Err(Error::MethodNotAllowed);
        }
        let request = call.query.list(resource, call.target.namespace.clone())?;
        let items = api
            .objects()
            .delete_values(resource, &request, &options)
            .await?;
        let revision = api.objects().revision().await?;
        let list = crate::objects::List {
            items,
            revision,
            continue_token: None,
        };
        return Ok(answer::list(&call, list));
    };
    match api
        .objects()
        .delete_value(resource, namespace, name, &options)
        .await?
    {
        // Kubernetes answers with the object where it tells how the pod has ended.
        Deleted::Gone(object) if resource.kind == "Pod" => {
            Ok(answer::object(&call, StatusCode::OK, object))
        }
        Deleted::Gone(object) => {
            let mut details = status::object_details(resource, name);
            details.insert("uid".to_owned(), object["metadata"]["uid"].clone());
            let status = status::success(Some(details.into()));
            Ok(answer::json(StatusCode::OK, &status))
        }
        Deleted::Terminating(object) => Ok(answer::object(&call, StatusCode::OK, object)),
    }
}
