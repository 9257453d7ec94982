//! Publishes the routing snapshot whenever it changes.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use sampan_model::routing::Routing;
use tokio::sync::watch;

use super::context::Context;
use super::queue::Key;
use super::runner::Reconciler;
use crate::error::Error;
use crate::objects::Change;
use crate::routing::{self, Facts};

/// The controller; it has one key, for everything.
pub(crate) struct Routes {
    /// What to read from.
    pub(crate) context: Context,
    /// Addresses on which node ports are served.
    pub(crate) node_addresses: Vec<IpAddr>,
    /// Where snapshots go.
    pub(crate) publish: watch::Sender<Arc<Routing>>,
}

impl Reconciler for Routes {
    const NAME: &'static str = "routing";

    fn concerned(&self, change: &Change) -> Vec<Key> {
        let matters = matches!(change.kind, "Pod" | "Service" | "EndpointSlice" | "Ingress");
        if matters {
            vec![Key::new("", "")]
        } else {
            Vec::new()
        }
    }

    async fn all(&self) -> Result<Vec<Key>, Error> {
        Ok(vec![Key::new("", "")])
    }

    async fn reconcile(&self, _: &Key) -> Result<Option<Timestamp>, Error> {
        let objects = &self.context.objects;
        let facts = Facts {
            services: objects.list(None).await?,
            pods: objects.list(None).await?,
            slices: objects.list(None).await?,
            ingresses: objects.list(None).await?,
            node_addresses: self.node_addresses.clone(),
        };
        let fresh = routing::snapshot(&facts);
        self.publish.send_if_modified(|have| {
            let changed = **have != fresh;
            if changed {
                *have = Arc::new(fresh);
            }
            changed
        });
        Ok(None)
    }
}
