//! What the gateway answers itself when it cannot pass a request on.

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use sampan_model::routing::PoolId;

use super::body::ResponseBody;

/// Why a request was not answered by an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The request itself is wrong; says how.
    Malformed(&'static str),
    /// No route is for this host and path.
    NoRoute { host: String, path: String },
    /// The service has no ready endpoint.
    NoEndpoint(PoolId),
    /// No endpoint took a connection.
    Unreachable,
    /// No endpoint took a connection in time.
    UnreachableInTime,
    /// The endpoint broke the exchange off, or does not speak HTTP.
    Broken,
    /// The endpoint did not begin its response in time.
    TooSlow,
    /// The client did not send its body in time.
    ClientTooSlow,
    /// The client broke off while sending its body.
    ClientBroken,
}

impl Refusal {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::ClientBroken => StatusCode::BAD_REQUEST,
            Self::NoRoute { .. } => StatusCode::NOT_FOUND,
            Self::NoEndpoint(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unreachable | Self::Broken => StatusCode::BAD_GATEWAY,
            Self::UnreachableInTime | Self::TooSlow => StatusCode::GATEWAY_TIMEOUT,
            Self::ClientTooSlow => StatusCode::REQUEST_TIMEOUT,
        }
    }

    fn explanation(&self) -> String {
        match self {
            Self::Malformed(reason) => format!("The request cannot be passed on: {reason}."),
            Self::NoRoute { host, path } if host.is_empty() => {
                format!("Nothing is published at the path `{path}` for requests without a host.")
            }
            Self::NoRoute { host, path } => format!(
                "Nothing is published at `{host}{path}`. Check the host name and the path, and that the app is deployed."
            ),
            Self::NoEndpoint(pool) => format!(
                "The service `{}/{}` has no ready endpoint at the moment. It may be starting; try again shortly.",
                pool.namespace, pool.service
            ),
            Self::Unreachable => "The service's endpoints refuse connections.".into(),
            Self::UnreachableInTime => "The service's endpoints cannot be reached in time.".into(),
            Self::Broken => "The service broke off before it had answered.".into(),
            Self::TooSlow => "The service did not answer in time.".into(),
            Self::ClientTooSlow => "The request's body did not arrive in time.".into(),
            Self::ClientBroken => "The request's body is incomplete.".into(),
        }
    }

    /// A short page in plain text that says what is the matter.
    pub(crate) fn page(&self) -> Response<ResponseBody> {
        let status = self.status();
        let text = format!("{status}\n\n{}\n", self.explanation());
        let mut response = Response::new(ResponseBody::Page(Full::new(Bytes::from(text))));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
