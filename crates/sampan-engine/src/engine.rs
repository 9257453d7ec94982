//! Wires the parts of the engine together and runs them.

use std::net::SocketAddr;

use sampan_supervise::Shutdown;

pub use crate::deps::{Config, Deps, Drain};
use crate::objects::{Objects, ServiceNetwork};
pub use crate::server::{Error, kubeconfig};
use crate::server::{Server, ServerConfig};
use crate::workloads::Workloads;

/// The engine, listening but not yet working.
pub struct Engine {
    server: Server,
    config: Config,
    deps: Deps,
}

/// Prepares the engine: its keys are loaded, its address is bound, the objects that must be there are.
///
/// # Errors
/// When one of these fails; nothing is running then.
pub async fn build(config: Config, deps: Deps) -> Result<Engine, Error> {
    let services = deps.bridge.services();
    let server_config = ServerConfig {
        listen: config.listen,
        node_name: config.node_name.clone(),
        services: ServiceNetwork {
            network: services.address(),
            prefix: services.prefix(),
            dns: deps.bridge.dns(),
        },
        gateway: deps.bridge.gateway(),
    };
    let server = Server::bind(&config.data, &deps.store, server_config)
        .await?
        .with_runtime(deps.runtime.clone());
    Ok(Engine {
        server,
        config,
        deps,
    })
}

impl Engine {
    /// Where the API listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The credentials of the administrator, as a kubeconfig file.
    #[must_use]
    pub fn kubeconfig(&self) -> String {
        self.server.kubeconfig()
    }

    /// The objects of the API.
    #[must_use]
    pub fn objects(&self) -> &Objects {
        self.server.objects()
    }

    /// Works until the shutdown. Pods go on running afterwards.
    pub async fn run(self, shutdown: Shutdown) {
        let workloads = Workloads {
            objects: self.server.objects().clone(),
            signer: self.server.signer(),
            data: self.config.data,
            node_name: self.config.node_name,
            content: self.deps.content,
            snapshots: self.deps.snapshots,
            runtime: self.deps.runtime,
            bridge: self.deps.bridge,
            drain: self.deps.drain,
            routing: self.deps.routing,
        };
        tokio::join!(self.server.run(shutdown.clone()), workloads.run(shutdown));
    }
}
