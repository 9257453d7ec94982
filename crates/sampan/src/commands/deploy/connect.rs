//! The store and the target that an order works with.

use sampan_deploy::Destination;
use sampan_deploy::checks::Way;
use sampan_deploy::target::Cluster;
use sampan_model::app::Target;
use sampan_store::Store;

use crate::context::Context;
use crate::failure::{Failure, OrFail as _};
use crate::server;

/// A target, connected.
#[derive(Debug)]
pub(crate) struct Connection {
    /// The target.
    pub(crate) cluster: Cluster,
    /// How checks reach the apps on it.
    pub(crate) way: Way,
    /// What it is, for people.
    pub(crate) name: String,
}

/// Opens the installation's database.
pub(crate) async fn store(context: &Context) -> Result<Store, Failure> {
    std::fs::create_dir_all(context.data()).or_fail(format!(
        "cannot make the data folder `{}`",
        context.data().display()
    ))?;
    Ok(Store::open(&context.data().join("meta.db")).await?)
}

/// Connects to the target of an order.
pub(crate) async fn connect(
    destination: &Destination,
    context: &Context,
) -> Result<Connection, Failure> {
    match &destination.target {
        Target::Engine => {
            let facts = server::required(context.data())?;
            let kubeconfig = sampan_engine::server::kubeconfig(context.data(), facts.kubernetes)?;
            let cluster = Cluster::from_kubeconfig(&kubeconfig).await?;
            Ok(Connection {
                cluster,
                way: Way::Gateway(facts.gateway()),
                name: "the engine of this installation".to_owned(),
            })
        }
        Target::Kubernetes { context: chosen } => {
            let cluster =
                Cluster::from_context(destination.kubeconfig.as_deref(), chosen.as_deref()).await?;
            let name = format!("Kubernetes at {}", cluster.address());
            Ok(Connection {
                cluster,
                way: Way::Cluster,
                name,
            })
        }
    }
}
