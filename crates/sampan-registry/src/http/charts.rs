//! `/charts/…`: the API of `ChartMuseum`.

use bytes::Bytes;
use http::header::{
    ALLOW, CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, WWW_AUTHENTICATE,
};
use http::{HeaderValue, Method, Response, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};
use sampan_model::Causes;
use sampan_store::registry::Refusal;
use serde_json::json;

use super::body::Body;
use super::call::Call;
use super::payload::Payload;
use super::{blobs, failure, render};
use crate::auth::Denied;
use crate::charts::{self, ChartError, Charts, Listing, Upload};
use crate::error::Error;
use crate::wire::chart_path::{ChartResource, ChartRoute};

const JSON: &str = "application/json; charset=utf-8";
const INDEX: HeaderValue = HeaderValue::from_static("application/x-yaml");
const PACKAGE: HeaderValue = HeaderValue::from_static("application/x-tar");
const PROVENANCE: HeaderValue = HeaderValue::from_static("application/pgp-signature");
/// Where a browser or another simple client is told to ask for a password.
const CHALLENGE: HeaderValue =
    HeaderValue::from_static("Basic realm=\"sampan-registry\", charset=\"UTF-8\"");

/// Answers a request about charts.
pub(super) async fn answer(
    call: &Call<'_>,
    charts: &Charts,
    route: &ChartRoute,
    payload: &mut Payload<'_>,
) -> Result<Response<Body>, Error> {
    match (&route.resource, &call.method) {
        (ChartResource::Charts, &Method::POST) => upload(call, charts, route, payload).await,
        (ChartResource::Provenance, _) => provenance(call, charts, route, payload).await,
        (resource, method) => {
            let listing = charts.listing(&route.shelf, &call.grant).await?;
            let value = match resource {
                ChartResource::Index => return Ok(index(call, &listing)),
                ChartResource::File(file) => return self::file(call, &listing, file).await,
                ChartResource::Chart(name) => listing.versions(name)?,
                ChartResource::Version(name, version) if method == Method::DELETE => {
                    charts
                        .delete(listing.find(name, version)?, &call.grant)
                        .await?;
                    json!({ "deleted": true })
                }
                ChartResource::Version(name, version) => listing.version(name, version)?,
                ChartResource::Charts | ChartResource::Provenance => page(call, &listing)?,
            };
            Ok(render::json(JSON, &value))
        }
    }
}

/// The answer to a request about charts that failed.
pub(super) fn failure(error: &Error) -> Response<Body> {
    let (status, message) = match error {
        Error::Chart(ChartError::Package(cause)) => (
            StatusCode::BAD_REQUEST,
            format!("{error}: {}", Causes(&**cause)),
        ),
        Error::Refused(Refusal::QuotaExceeded { .. }) => {
            (StatusCode::INSUFFICIENT_STORAGE, error.to_string())
        }
        _ => (failure::status(error), error.to_string()),
    };
    let mut response = render::json(JSON, &json!({ "error": message }));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    match error {
        Error::Method { allowed, .. } => {
            headers.insert(ALLOW, HeaderValue::from_static(allowed));
        }
        // Clients of chart repositories know no tokens that have to be fetched.
        Error::Denied(Denied {
            challenge: Some(_), ..
        }) => {
            headers.insert(WWW_AUTHENTICATE, CHALLENGE);
        }
        _ => {}
    }
    response
}

fn index(call: &Call<'_>, listing: &Listing) -> Response<Body> {
    let index = listing.index();
    let digest = index.digest.to_string();
    let mut response = if has_index(call, &digest, listing.changed_at) {
        render::empty(StatusCode::NOT_MODIFIED)
    } else {
        Response::new(Body::bytes(index.text.clone()))
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, INDEX);
    headers.insert(ETAG, render::header(&format!("\"{digest}\"")));
    let changed = DateTimePrinter::new().timestamp_to_rfc9110_string(&listing.changed_at);
    if let Ok(changed) = changed {
        headers.insert(LAST_MODIFIED, render::header(&changed));
    }
    response
}

/// Whether the client has this index already (RFC 9110, section 13.1). A date counts only without a tag.
fn has_index(call: &Call<'_>, digest: &str, changed_at: Timestamp) -> bool {
    if call.headers.contains_key(IF_NONE_MATCH) {
        return render::unchanged(&call.headers, digest);
    }
    let since = call.header(&IF_MODIFIED_SINCE);
    let since = since.and_then(|since| DateTimeParser::new().parse_timestamp(since).ok());
    since.is_some_and(|since| changed_at.as_second() <= since.as_second())
}

async fn file(call: &Call<'_>, listing: &Listing, file: &str) -> Result<Response<Body>, Error> {
    let found = listing.file(file)?;
    let digest = found.digest.to_string();
    let mut response = blobs::answer(call, &found.entry.repository, &digest).await?;
    let media_type = if found.is_provenance {
        PROVENANCE
    } else {
        PACKAGE
    };
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    Ok(response)
}

fn page(call: &Call<'_>, listing: &Listing) -> Result<serde_json::Value, Error> {
    let number = |name: &'static str, least: usize| {
        let Some(text) = call.query.get(name) else {
            return Ok(None);
        };
        let number = text.parse().ok().filter(|number| *number >= least);
        number.map(Some).ok_or_else(|| Error::Parameter {
            name,
            value: text.to_owned(),
        })
    };
    let (offset, limit) = (number("offset", 0)?, number("limit", 1)?);
    Ok(listing.page(offset.unwrap_or_default(), limit.unwrap_or(usize::MAX)))
}

/// A packed chart as it is, or a form with a chart, its provenance, or both.
async fn upload(
    call: &Call<'_>,
    charts: &Charts,
    route: &ChartRoute,
    payload: &mut Payload<'_>,
) -> Result<Response<Body>, Error> {
    let _room = charts.room().await?;
    let body = body(call, payload).await?;
    let content_type = call.header(&CONTENT_TYPE).unwrap_or_default();
    let upload = if let Some(boundary) = charts::boundary(content_type) {
        let parts = charts::parts(&body, boundary).ok_or(ChartError::Form)?;
        let field = |name: &str| {
            let mut parts = parts.iter();
            parts
                .find(|part| part.name == name)
                .map(|part| part.content.clone())
        };
        Upload {
            package: field("chart"),
            provenance: field("prov"),
            ..Upload::default()
        }
    } else {
        Upload {
            package: Some(body),
            ..Upload::default()
        }
    };
    take(call, charts, route, upload).await
}

async fn provenance(
    call: &Call<'_>,
    charts: &Charts,
    route: &ChartRoute,
    payload: &mut Payload<'_>,
) -> Result<Response<Body>, Error> {
    let _room = charts.room().await?;
    let upload = Upload {
        provenance: Some(body(call, payload).await?),
        ..Upload::default()
    };
    take(call, charts, route, upload).await
}

async fn take(
    call: &Call<'_>,
    charts: &Charts,
    route: &ChartRoute,
    mut upload: Upload,
) -> Result<Response<Body>, Error> {
    upload.replaces = call.query.all("force").next().is_some();
    charts.upload(&route.shelf, upload, &call.grant).await?;
    let mut response = render::json(JSON, &json!({ "saved": true }));
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

async fn body(call: &Call<'_>, payload: &mut Payload<'_>) -> Result<Bytes, Error> {
    let limit_bytes = call.config.limits.chart_bytes;
    let body = payload.collect(limit_bytes).await?;
    Ok(body.ok_or(ChartError::TooLarge { limit_bytes })?)
}
