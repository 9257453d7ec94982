//! Everything that makes objects come true: controllers, routing facts, pods.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sampan_container::Runtime;
use sampan_container::network::Bridge;
use sampan_model::Causes;
use sampan_model::routing::Routing;
use sampan_oci::{ContentStore, Snapshots};
use sampan_supervise::{Backoff, Shutdown, Tasks};
use tokio::sync::watch;

use crate::controllers::autoscaler::Autoscalers;
use crate::controllers::context::{Context, Node};
use crate::controllers::events::{self, Recorder};
use crate::controllers::runner;
use crate::controllers::{self, node, routes};
use crate::deps::Drain;
use crate::keys::signer::Signer;
use crate::kubelet::{Kubelet, Tools};
use crate::objects::Objects;
use crate::usage::Usage;

/// How long tasks may take to end at the shutdown.
const FINISH_LIMIT: Duration = Duration::from_secs(10);

/// What the workloads need.
pub struct Workloads {
    /// The objects.
    pub objects: Objects,
    /// What signs the tokens of service accounts.
    pub signer: Arc<Signer>,
    /// The data directory.
    pub data: PathBuf,
    /// The name of the node.
    pub node_name: String,
    /// Images.
    pub content: ContentStore,
    /// Their unpacked layers.
    pub snapshots: Snapshots,
    /// Containers.
    pub runtime: Runtime,
    /// The network of pods.
    pub bridge: Bridge,
    /// Waits for requests in flight.
    pub drain: Arc<dyn Drain>,
    /// Where routing snapshots are published.
    pub routing: watch::Sender<Arc<Routing>>,
}

impl Workloads {
    /// Runs until the shutdown; containers are left running then.
    pub async fn run(self, shutdown: Shutdown) {
        let tasks = Tasks::new();
        let outside = node::outside_address();
        let inside = IpAddr::V4(self.bridge.gateway());
        let (recorder, happenings) = Recorder::new();
        let context = Context {
            objects: self.objects.clone(),
            events: recorder,
            node: Arc::new(Node {
                name: self.node_name.clone(),
                address: outside.unwrap_or(inside),
                data: self.data,
            }),
        };
        let events = events::run(happenings, self.objects, self.node_name, shutdown.clone());
        tasks.spawn("events", events);
        register(&context, &shutdown).await;

        let usage = Usage::new(self.runtime.clone());
        let kubelet = Arc::new(Kubelet {
            context: context.clone(),
            tools: Tools {
                content: self.content,
                snapshots: self.snapshots,
                runtime: self.runtime,
                bridge: self.bridge,
                signer: self.signer,
                drain: self.drain,
                routing: self.routing.subscribe(),
            },
        });
        let routes = routes::Routes {
            context: context.clone(),
            node_addresses: vec![IpAddr::from([0, 0, 0, 0])],
            publish: self.routing,
        };
        let objects = context.objects.clone();
        tasks.spawn("routing", runner::run(routes, objects, shutdown.clone()));
        controllers::start(&context, &tasks, &shutdown);
        let autoscalers = Autoscalers::new(context.clone(), usage);
        let objects = context.objects.clone();
        let autoscaling = runner::run(autoscalers, objects, shutdown.clone());
        tasks.spawn("autoscalers", autoscaling);
        kubelet.run(tasks.clone(), shutdown).await;
        if !tasks.finish(FINISH_LIMIT).await {
            tracing::warn!(running = tasks.running(), "some tasks did not end in time");
        }
    }
}

/// Writes the node object, however long the store takes to let us.
async fn register(context: &Context, shutdown: &Shutdown) {
    let mut delays = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
    while let Err(error) = node::register(context).await {
        tracing::error!(error = %Causes(&error), "cannot register the node");
        tokio::select! {
            () = shutdown.triggered() => return,
            () = tokio::time::sleep(delays.next_delay()) => {}
        }
    }
}
