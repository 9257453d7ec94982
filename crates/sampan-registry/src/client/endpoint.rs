//! Where registries are: addresses, and one HTTP client for each host.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Url;

use super::authorization::{Authorization, Credentials, authority};
use super::certificates::{self, Certificates};
use super::config::{Settings, is_loopback};
use super::error::ClientError;
use super::transport::Transport;

/// Docker's own registry answers under another name than images have.
const DOCKER_HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// Makes one HTTP client for each host, because certificates are configured by host.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    settings: Arc<Settings>,
    clients: Arc<Mutex<HashMap<String, reqwest::Client>>>,
}

/// A place where a registry's content is found: the registry itself or a mirror.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) transport: Transport,
    base: Url,
    /// Whether it stands in for another registry.
    pub(super) is_mirror: bool,
    /// Set when no connection came about, so that a mirror that is down is asked once.
    down: AtomicBool,
}

impl Connector {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self {
            settings,
            clients: Arc::default(),
        }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The HTTP client for `host`.
    pub(super) fn http(&self, host: &str, plain: bool) -> Result<reqwest::Client, ClientError> {
        let key = format!("{host} {plain}");
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let tls = if plain {
            certificates::no_tls(host)?
        } else {
            Certificates::find(&self.settings, host).client_config(host)?
        };
        let failed = |source: reqwest::Error| ClientError::Setup {
            host: host.to_owned(),
            source: source.into(),
        };
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            // Each blob has a connection of its own: one that breaks takes no other with it.
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.settings.connect_timeout)
            .user_agent(concat!("sampan/", env!("CARGO_PKG_VERSION")));
        builder = match self.settings.proxy(host, plain).map_err(failed)? {
            Some(proxy) => builder.proxy(proxy),
            None => builder.no_proxy(),
        };
        let client = builder.build().map_err(failed)?;
        clients.insert(key, client.clone());
        Ok(client)
    }

    /// The registry that images call `host`.
    pub(super) fn registry(&self, host: &str) -> Result<Endpoint, ClientError> {
        self.registry_as(host, Credentials::Files(self.settings.credentials.clone()))
    }

    /// The same, with these credentials.
    pub(super) fn registry_as(
        &self,
        host: &str,
        credentials: Credentials,
    ) -> Result<Endpoint, ClientError> {
        let known = self.settings.registries.is_plain(host);
        let plain = known
            || is_loopback(host) && !Certificates::find(&self.settings, host).are_configured();
        let address = if host == DOCKER_HUB.0 {
            DOCKER_HUB.1
        } else {
            host
        };
        let scheme = if plain { "http" } else { "https" };
        let base = format!("{scheme}://{address}/").parse::<Url>();
        let base = base.map_err(|source| ClientError::Setup {
            host: host.to_owned(),
            source: source.into(),
        })?;
        self.endpoint(host, base, credentials)
    }

    /// The registry that images call `host`, at the address `base`.
    pub(super) fn registry_at(
        &self,
        host: &str,
        base: Url,
        credentials: Credentials,
    ) -> Result<Endpoint, ClientError> {
        self.endpoint(host, base, credentials)
    }

    /// A mirror at the address `base`. There are others to ask, so it gets one try.
    pub(super) fn mirror(&self, base: &Url) -> Result<Endpoint, ClientError> {
        let credentials = Credentials::Files(self.settings.credentials.clone());
        let mut mirror = self.endpoint(&authority(base), base.clone(), credentials)?;
        mirror.transport.retry.attempts = 1;
        mirror.is_mirror = true;
        Ok(mirror)
    }

    fn endpoint(
        &self,
        host: &str,
        base: Url,
        credentials: Credentials,
    ) -> Result<Endpoint, ClientError> {
        let plain = base.scheme() == "http";
        let transport = Transport {
            host: host.to_owned(),
            home: base.clone(),
            http: self.http(host, plain)?,
            authorization: Authorization::new(host.to_owned(), plain, self.clone(), credentials),
            connector: self.clone(),
            retry: self.settings.retry,
            idle_timeout: self.settings.idle_timeout,
        };
        Ok(Endpoint {
            transport,
            base,
            is_mirror: false,
            down: AtomicBool::new(false),
        })
    }
}

impl Endpoint {
    /// The name of the repository here: mirrors may keep a registry below a path.
    pub(super) fn repository(&self, name: &str) -> String {
        match self.base.path().trim_matches('/') {
            "" => name.to_owned(),
            path => format!("{path}/{name}"),
        }
    }

    /// The address of a path below `/v2/`.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("/v2/{path}"));
        url
    }

    pub(super) fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed)
    }

    /// Marks it as down and says whether it was so before.
    pub(super) fn mark_down(&self) -> bool {
        self.down.swap(true, Ordering::Relaxed)
    }
}
