//! The API server: the objects with their keepers, behind a TLS listener.
//!
//! It runs without any workload: a store, a folder for keys and an address are all it takes.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper_util::service::TowerToHyperService;
use sampan_container::Runtime;
use sampan_listen::{Certificates, Identity, KeysError, Listener, Settings, Tls};
use sampan_model::Hint;
use sampan_store::Store;
use sampan_supervise::{Shutdown, Tasks};
use serde_json::json;

use crate::access;
use crate::api::Api;
use crate::controllers::definitions;
use crate::error::Error as ApiError;
use crate::keys::Keys;
use crate::keys::signer::Signer;
use crate::objects::{Objects, ServiceNetwork, collect_garbage, expire_events, keep_namespaces};
use crate::resources;
use crate::streams::Streams;
use crate::usage::Usage;

/// The names of the API inside the cluster.
const NAMES: &[&str] = &[
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

/// How long the keepers may take to end after the shutdown.
const LAST_TASKS: Duration = Duration::from_secs(10);

/// Why the engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The keys cannot be used.
    #[error("cannot load the keys of the Kubernetes API")]
    Keys(#[from] KeysError),
    /// The address is taken or not allowed.
    #[error("cannot listen on `{address}` for the Kubernetes API")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The objects that must always be there could not be made.
    #[error("cannot prepare the objects of the Kubernetes API")]
    Bootstrap(#[source] ApiError),
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Keys(error) => error.hint(),
            Self::Bind { source, .. } => Some(match source.kind() {
                ErrorKind::AddrInUse => {
                    "stop the program that uses this port, or choose another one with --kube-listen"
                        .to_owned()
                }
                ErrorKind::PermissionDenied => {
                    "run as root, or choose a port above 1023 with --kube-listen".to_owned()
                }
                _ => "choose an address of this machine with --kube-listen".to_owned(),
            }),
            Self::Bootstrap(_) => None,
        }
    }
}

/// How the API server is set up.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The machine's name, for the certificate.
    pub node_name: String,
    /// The addresses that services may have.
    pub services: ServiceNetwork,
    /// Where pods reach this machine, when the listener is on all addresses.
    pub gateway: Ipv4Addr,
}

/// The API server, listening but not yet answering.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    objects: Objects,
    keys: Arc<Keys>,
    config: ServerConfig,
    runtime: Option<Runtime>,
}

impl Server {
    /// Loads the keys, binds the address and prepares the objects.
    ///
    /// # Errors
    /// When one of these fails; nothing is running then.
    pub async fn bind(data: &Path, store: &Store, config: ServerConfig) -> Result<Self, Error> {
        let keys = Arc::new(Keys::load(data)?);
        let bind = |source| Error::Bind {
            address: config.listen,
            source,
        };
        let listener = Listener::bind(config.listen).await.map_err(bind)?;
        let objects = Objects::new(store, config.services);
        let server = Self {
            listener,
            objects,
            keys,
            config,
            runtime: None,
        };
        server.bootstrap().await.map_err(Error::Bootstrap)?;
        Ok(server)
    }

    /// Serves the logs, commands, attachments and ports of the containers of this runtime, too.
    #[must_use]
    pub fn with_runtime(self, runtime: Runtime) -> Self {
        Self {
            runtime: Some(runtime),
            ..self
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// What signs the tokens of service accounts.
    #[must_use]
    pub fn signer(&self) -> Arc<Signer> {
        Arc::clone(&self.keys.signer)
    }

    /// The objects that it serves.
    #[must_use]
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The credentials of the administrator, as a kubeconfig file.
    #[must_use]
    pub fn kubeconfig(&self) -> String {
        render_kubeconfig(&self.keys, self.address())
    }

    /// Answers requests until the shutdown.
    pub async fn run(self, shutdown: Shutdown) {
        let tasks = Tasks::new();
        let authority = self.keys.authority.certificate().to_owned();
        tasks.spawn(
            "garbage",
            collect_garbage(self.objects.clone(), shutdown.clone()),
        );
        tasks.spawn(
            "namespaces",
            keep_namespaces(self.objects.clone(), authority, shutdown.clone()),
        );
        tasks.spawn(
            "events",
            expire_events(self.objects.clone(), shutdown.clone()),
        );
        let mut names: Vec<String> = NAMES.iter().map(ToString::to_string).collect();
        names.push(self.config.node_name);
        let identity = Identity {
            common_name: "sampan-engine",
            names,
            addresses: vec![
                IpAddr::V4(self.config.services.first()),
                IpAddr::V4(self.config.gateway),
            ],
        };
        let certificates = Certificates::issued(Arc::clone(&self.keys.authority), identity);
        let usage = self.runtime.clone().map(Usage::new);
        let streams = self
            .runtime
            .map(|runtime| Streams::new(runtime, tasks.clone(), shutdown.clone()));
        let address = self.listener.address();
        let api = Api::new(self.objects, self.keys, address, shutdown.clone());
        let api = match streams {
            Some(streams) => api.with_streams(streams),
            None => api,
        };
        let api = match usage {
            Some(usage) => api.measuring(usage),
            None => api,
        };
        let service = TowerToHyperService::new(api.router());
        let settings = Settings::new(Tls::Always(Arc::new(certificates)));
        self.listener.serve(service, settings, shutdown).await;
        if !tasks.finish(LAST_TASKS).await {
            tracing::warn!(
                left = tasks.running(),
                "some tasks of the API did not end in time"
            );
        }
    }

    /// Makes the objects that are always there.
    async fn bootstrap(&self) -> Result<(), ApiError> {
        definitions::load(&self.objects).await?;
        access::load(&self.objects).await?;
        self.objects
            .bootstrap_namespaces(self.keys.authority.certificate())
            .await?;
        let find =
            |group, plural| resources::find(group, "v1", plural).ok_or(ApiError::NoSuchResource);
        let namespace = Some("default");
        let address = self.address();
        let service = json!({
            "metadata": {"name": "kubernetes", "labels": {
                "component": "apiserver", "provider": "kubernetes",
            }},
            "spec": {
                "clusterIP": self.config.services.first().to_string(),
                "ports": [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": address.port()}],
            },
        });
        self.objects
            .create_missing(find("", "services")?, namespace, "kubernetes", service)
            .await?;
        let reached = match address.ip() {
            ip if ip.is_unspecified() => IpAddr::V4(self.config.gateway),
            ip => ip,
        };
        let endpoints = json!({
            "metadata": {"name": "kubernetes", "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
            "subsets": [{
                "addresses": [{"ip": reached}],
                "ports": [{"name": "https", "port": address.port(), "protocol": "TCP"}],
            }],
        });
        self.objects
            .create_or_update(find("", "endpoints")?, namespace, "kubernetes", endpoints)
            .await?;
        let slice = json!({
            "metadata": {"name": "kubernetes", "labels": {"kubernetes.io/service-name": "kubernetes"}},
            "addressType": if reached.is_ipv4() { "IPv4" } else { "IPv6" },
            "endpoints": [{"addresses": [reached], "conditions": {"ready": true}}],
            "ports": [{"name": "https", "port": address.port(), "protocol": "TCP"}],
        });
        self.objects
            .create_or_update(
                find("discovery.k8s.io", "endpointslices")?,
                namespace,
                "kubernetes",
                slice,
            )
            .await
    }
}

/// The credentials of the administrator of an installation whose API listens at `address`, possibly in another
/// process.
///
/// # Errors
/// When the keys cannot be used.
pub fn kubeconfig(data: &Path, address: SocketAddr) -> Result<String, Error> {
    Ok(render_kubeconfig(&Keys::load(data)?, address))
}

fn render_kubeconfig(keys: &Keys, address: SocketAddr) -> String {
    let host = match address.ip() {
        ip if ip.is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port()),
        _ => address,
    };
    let authority = BASE64_STANDARD.encode(keys.authority.certificate());
    let token = keys.token.reveal();
    format!(
        "apiVersion: v1
kind: Config
current-context: sampan
contexts:
- name: sampan
  context:
    cluster: sampan
    user: sampan
    namespace: default
clusters:
- name: sampan
  cluster:
    server: https://{host}
    certificate-authority-data: {authority}
users:
- name: sampan
  user:
    token: {token}
"
    )
}
