//! Sending one event to one receiver.

use std::path::Path;
use std::sync::Arc;

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use reqwest::Response;
use ring::hmac;
use sampan_model::{Causes, shortened};
use sampan_store::registry::Event;

use super::EventsError;
use super::envelope::Source;
use super::receiver::{Attempt, OUTCOME_LIMIT_CHARACTERS};
use super::webhook::Webhook;
use crate::client::ClientError;
use crate::client::certificates::{self, Certificates};

const SIGNATURE: &str = "X-Sampan-Signature";
/// How much of what a receiver says is looked at.
const ANSWER_LIMIT_BYTES: usize = 4 << 10;

/// Sends to one webhook.
#[derive(Debug)]
pub(super) struct Sender {
    http: reqwest::Client,
    pub(super) webhook: Webhook,
    key: Option<hmac::Key>,
    source: Arc<Source>,
}

impl Sender {
    pub(super) fn new(
        webhook: Webhook,
        source: Arc<Source>,
        data: &Path,
    ) -> Result<Self, EventsError> {
        let http = connection(&webhook, data).map_err(|source| EventsError::Connection {
            webhook: webhook.name.clone(),
            source: Box::new(source),
        })?;
        let key = webhook.secret.as_ref().map(|secret| {
            let secret = secret.reveal().as_bytes();
            hmac::Key::new(hmac::HMAC_SHA256, secret)
        });
        Ok(Self {
            http,
            webhook,
            key,
            source,
        })
    }

    /// Sends an event once.
    pub(super) async fn send(&self, event: &Event) -> Attempt {
        let body = match self.webhook.format.body(event, &self.source) {
            Ok(body) => body,
            Err(error) => return failed(&format!("cannot write the event as JSON: {error}")),
        };
        let mut request = self
            .http
            .post(self.webhook.url.clone())
            .headers(self.webhook.headers.clone())
            .header(
                CONTENT_TYPE,
                HeaderValue::from_static(self.webhook.format.media_type()),
            );
        if let Some(key) = &self.key {
            let signature = hex::encode(hmac::sign(key, &body));
            request = request.header(SIGNATURE, format!("sha256={signature}"));
        }
        let exchange = async {
            let response = request.body(body).send().await?;
            Ok::<_, reqwest::Error>(answered(response).await)
        };
        match tokio::time::timeout(self.webhook.timeout, exchange).await {
            Ok(Ok(attempt)) => attempt,
            // The address may hold a secret.
            Ok(Err(error)) => failed(&Causes(&error.without_url()).to_string()),
            Err(_) => failed(&format!("no answer within {:?}", self.webhook.timeout)),
        }
    }
}

/// A connection to nothing but the webhook's own address: no proxy, no redirects.
fn connection(webhook: &Webhook, data: &Path) -> Result<reqwest::Client, ClientError> {
    let host = webhook.url.host_str().unwrap_or_default();
    let tls = if webhook.url.scheme() == "http" {
        certificates::no_tls(host)?
    } else {
        let authority = webhook.certificate_authority.as_ref();
        let authorities = authority.map(|path| data.join(path)).into_iter().collect();
        Certificates::of(authorities).client_config(host)?
    };
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(1)
        .connect_timeout(webhook.timeout)
        .user_agent(concat!("sampan/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|source| ClientError::Setup {
            host: host.to_owned(),
            source: source.into(),
        })
}

async fn answered(response: Response) -> Attempt {
    let status = response.status();
    let mut outcome = format!("answered {status}");
    if status.is_redirection() {
        outcome.push_str(", which is not followed");
    }
    // What a receiver says that has taken the event is of no interest, and may come slowly.
    if !status.is_success() {
        let said = first_line(response).await;
        if !said.is_empty() {
            outcome = format!("{outcome}: {said}");
        }
    }
    Attempt {
        status: Some(status),
        outcome: shortened(&outcome, OUTCOME_LIMIT_CHARACTERS),
        is_general: false,
    }
}

fn failed(outcome: &str) -> Attempt {
    Attempt {
        status: None,
        outcome: shortened(outcome, OUTCOME_LIMIT_CHARACTERS),
        is_general: false,
    }
}

/// The first line of an answer that says something.
async fn first_line(mut response: Response) -> String {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() >= ANSWER_LIMIT_BYTES {
            break;
        }
    }
    let text = String::from_utf8_lossy(&body);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    line.unwrap_or_default().replace(char::is_control, " ")
}
