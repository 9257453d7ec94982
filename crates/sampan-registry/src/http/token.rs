//! `/v2/token`.

use std::time::Duration;

use http::header::CACHE_CONTROL;
use http::{HeaderValue, Method, Request, Response};

use super::body::Body;
use super::payload::Payload;
use super::render;
use crate::auth::{Authenticator, RequestFacts, TokenRequest};
use crate::error::Error;

/// The longest form that is read.
const FORM_BYTES: u64 = 64 << 10;

/// How long it may take: nobody knows yet who sends it.
const FORM_TIME: Duration = Duration::from_secs(30);

/// Issues a token.
pub(super) async fn issue(
    authenticator: &Authenticator,
    head: &Request<()>,
    payload: &mut Payload<'_>,
) -> Result<Response<Body>, Error> {
    let request = if *head.method() == Method::POST {
        let form = tokio::time::timeout(FORM_TIME, payload.collect(FORM_BYTES));
        let form = form.await.map_err(|_| Error::BodyTimeout {
            seconds: FORM_TIME.as_secs(),
        })??;
        TokenRequest::from_form(&form.unwrap_or_default())?
    } else {
        TokenRequest::from_query(head.uri().query().unwrap_or_default())
    };
    let answer = authenticator
        .token(&RequestFacts::of(head), &request)
        .await?;
    let mut response = render::json("application/json", &answer);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
