//! The way to a bucket: what the configuration says, and nowhere else.

use std::path::Path;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{HttpClient, HttpConnector};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use sampan_model::Hint;

use super::keys::{Keys, KeysError};
use crate::client::ClientError;
use crate::client::certificates::{self, Certificates};
use crate::config::S3;

/// How long the bucket's machine may take to accept a connection.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How long a connection is kept that nobody uses.
const IDLE_TIME: Duration = Duration::from_secs(20);
/// How often a request is repeated at most, if there is the time.
const RETRIES: usize = 10;

/// Why there is no way to a bucket.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// There are no keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// There are no certificates to trust.
    #[error("cannot prepare connections")]
    Tls(#[source] Box<ClientError>),
    /// The HTTP library refuses.
    #[error("cannot prepare connections")]
    Http(#[source] reqwest::Error),
    /// The library refuses what is configured.
    #[error("cannot use what `storage.s3` says")]
    Setup(#[source] Box<object_store::Error>),
}

impl Hint for ConnectError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Keys(error) => error.hint(),
            Self::Tls(error) => error.hint(),
            Self::Http(_) | Self::Setup(_) => None,
        }
    }
}

/// The name of a bucket for people.
pub(super) fn place(config: &S3) -> String {
    let S3 { bucket, prefix, .. } = config;
    let slash = if prefix.is_empty() { "" } else { "/" };
    let endpoint = config.endpoint.as_ref().map_or_else(
        || format!("AWS in {}", config.region),
        |url| url.origin().ascii_serialization(),
    );
    format!("the bucket `{bucket}{slash}{prefix}` at {endpoint}")
}

/// The client of the bucket. Everything is said to it, so that it looks for nothing in the environment or elsewhere.
pub(super) fn connect(config: &S3, data: &Path) -> Result<AmazonS3, ConnectError> {
    let keys = Keys::read(&data.join(&config.credentials), &config.profile)?;
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&config.bucket)
        .with_region(&config.region)
        .with_access_key_id(&keys.id)
        .with_secret_access_key(keys.secret.reveal())
        .with_client_options(ClientOptions::new().with_allow_http(config.allow_http))
        .with_http_connector(Connector(http(config, data)?))
        .with_retry(RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(5),
                base: 2.,
            },
            max_retries: RETRIES,
            retry_timeout: config.patience,
        });
    if let Some(token) = &keys.token {
        builder = builder.with_token(token.reveal());
    }
    let path_style = config.path_style.unwrap_or(config.endpoint.is_some());
    builder = builder.with_virtual_hosted_style_request(!path_style);
    if let Some(endpoint) = &config.endpoint {
        let origin = endpoint.origin().ascii_serialization();
        builder = builder.with_endpoint(match origin.split_once("://") {
            Some((scheme, host)) if !path_style => format!("{scheme}://{}.{host}", config.bucket),
            _ => origin,
        });
    }
    builder
        .build()
        .map_err(|error| ConnectError::Setup(Box::new(error)))
}

/// Connections to nothing but the bucket's own address: no proxy, no redirects.
fn http(config: &S3, data: &Path) -> Result<reqwest::Client, ConnectError> {
    let plain = config
        .endpoint
        .as_ref()
        .is_some_and(|url| url.scheme() == "http");
    let tls = if plain {
        certificates::no_tls(&config.bucket)
    } else {
        let authority = config.certificate_authority.as_ref();
        let authorities = authority.map(|path| data.join(path)).into_iter().collect();
        Certificates::of(authorities).client_config(&config.bucket)
    };
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls.map_err(|error| ConnectError::Tls(Box::new(error)))?)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIME.min(config.patience))
        .read_timeout(config.patience)
        .pool_idle_timeout(IDLE_TIME)
        .build()
        .map_err(ConnectError::Http)
}

/// Gives the library our own client, with our trust and deadlines.
#[derive(Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}
