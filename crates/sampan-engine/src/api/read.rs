//! GET: one object, a list, a watch.

use axum::response::Response;
use http::StatusCode;

use super::{Api, Call, answer, scale, watch};
use crate::error::Error;
use crate::resources::Subresource;

/// Answers a GET.
pub(crate) async fn get(api: &Api, call: Call) -> Result<Response, Error> {
    match call.target.subresource {
        None | Some(Subresource::Status) => {}
        Some(Subresource::Scale) => return scale::get(api, &call).await,
        Some(_) => return Err(Error::MethodNotAllowed),
    }
    let Some(name) = &call.target.name else {
        return if call.query.is_watch() {
            watch::start(api, call).await
        } else {
            list(api, &call).await
        };
    };
    let namespace = call.target.namespace.as_deref();
    let object = api
        .objects()
        .get_value(call.target.resource, namespace, name)
        .await?;
    Ok(answer::object(&call, StatusCode::OK, object))
}

async fn list(api: &Api, call: &Call) -> Result<Response, Error> {
    let request = call
        .query
        .list(call.target.resource, call.target.namespace.clone())?;
    check_revision(api, call).await?;
    let is_continued = request.continue_token.is_some();
    match api
        .objects()
        .list_values(call.target.resource, &request)
        .await
    {
        Err(Error::Expired(_)) if is_continued => Err(Error::Expired(
            "The provided continue parameter is too old to display a consistent list result. \
             You must start a new list without the continue parameter."
                .to_owned(),
        )),
        outcome => Ok(answer::list(call, outcome?)),
    }
}

/// Refuses a revision that does not exist yet: that of another, or an older, installation.
pub(crate) async fn check_revision(api: &Api, call: &Call) -> Result<(), Error> {
    let Some(asked) = call.query.revision()? else {
        return Ok(());
    };
    let newest = api.objects().revision().await?;
    if asked > newest {
        return Err(Error::FutureRevision {
            asked: asked.0,
            newest: newest.0,
        });
    }
    Ok(())
}
