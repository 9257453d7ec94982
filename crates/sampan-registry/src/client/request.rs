//! Requests to servers that are no registries, such as those that are told how a pipeline went.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::Url;

use super::Client;
use super::authorization::authority;
use super::certificates::Certificates;
use super::config::Proxies;
use super::error::ClientError;

/// A request that is sent once: who answers may have acted on it.
#[derive(Clone, Default)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The address.
    pub url: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// Name and password.
    pub login: Option<(String, String)>,
    /// Whether the certificate of the server is not looked at.
    pub unverified: bool,
}

impl std::fmt::Debug for Request {
    /// Headers, body and address may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// An answer, whatever it says.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers by their names in small letters; those that are no text are left out.
    pub headers: BTreeMap<String, String>,
    /// The body, as much of it as was wanted.
    pub body: Bytes,
}

impl Client {
    /// How servers of this name are spoken to with TLS, also by other protocols than HTTP.
    ///
    /// # Errors
    /// When the certificates that are configured cannot be used.
    pub fn tls(&self, host: &str) -> Result<rustls::ClientConfig, ClientError> {
        let mut config = Certificates::find(self.settings(), host).client_config(host)?;
        // That is negotiated for HTTP only.
        config.alpn_protocols.clear();
        Ok(config)
    }

    /// A client that speaks TLS with this host whatever its certificate is.
    #[must_use]
    pub fn without_verifying(&self, host: &str) -> Self {
        let mut settings = self.settings().clone();
        settings.unverified.push(host.to_owned());
        Self::new(settings)
    }

    /// Whether a host, with port if it has one, speaks TLS at all.
    pub async fn speaks_tls(&self, host: &str) -> bool {
        let question = Request {
            method: "GET".to_owned(),
            url: format!("https://{host}/v2/"),
            unverified: true,
            ..Request::default()
        };
        match self.request(&question, 0).await {
            Ok(_) => true,
            Err(error) => {
                tracing::debug!(host, %error, "the registry does not speak TLS");
                false
            }
        }
    }

    /// Sends a request to a server, with nothing but what it holds, and reads up to `limit` bytes of the answer. Redirects
    /// are answers.
    ///
    /// # Errors
    /// When the address or a header is none, or the server cannot be reached.
    pub async fn request(&self, request: &Request, limit: usize) -> Result<Answer, ClientError> {
        let address = || ClientError::Address {
            // What follows the host may be secret.
            address: shortened(&request.url),
        };
        let url: Url = request.url.parse().map_err(|_| address())?;
        if !Proxies::can_be(&url) {
            return Err(address());
        }
        let host = authority(&url);
        let malformed = |what| ClientError::Request {
            host: host.clone(),
            what,
        };
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| malformed("a method that is none"))?;
        let headers = headers(request).ok_or_else(|| malformed("a header that is none"))?;
        let client = if request.unverified {
            self.without_verifying(&host)
        } else {
            self.clone()
        };
        let http = client.connector.http(&host, url.scheme() == "http")?;
        let idle = self.settings().idle_timeout;
        let stalled = |_| ClientError::Stalled {
            host: host.clone(),
            idle,
        };
        let sent = http
            .request(method, url)
            .headers(headers)
            .body(request.body.clone())
            .send();
        let mut response = tokio::time::timeout(idle, sent)
            .await
            .map_err(stalled)?
            // The address may hold a secret, as those of chats do.
            .map_err(|source| ClientError::transport(&host, source.without_url()))?;
        let mut body = Vec::new();
        while body.len() < limit {
            let chunk = tokio::time::timeout(idle, response.chunk())
                .await
                .map_err(stalled)?
                .map_err(|source| ClientError::transport(&host, source.without_url()))?;
            let Some(chunk) = chunk else { break };
            body.extend_from_slice(&chunk);
        }
        body.truncate(limit);
        let texts = response.headers().iter();
        let texts = texts.filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        Ok(Answer {
            status: response.status().as_u16(),
            headers: texts.collect(),
            body: body.into(),
        })
    }
}

fn headers(request: &Request) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name: HeaderName = name.parse().ok()?;
        headers.append(name, value.parse().ok()?);
    }
    if let Some((name, password)) = &request.login {
        let pair = STANDARD.encode(format!("{name}:{password}"));
        let mut value: HeaderValue = format!("Basic {pair}").parse().ok()?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Some(headers)
}

/// An address up to its host.
fn shortened(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "…".to_owned();
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}/…")
}
