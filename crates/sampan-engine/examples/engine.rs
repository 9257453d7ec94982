//! The smallest program around the engine: `engine DATA` serves the Kubernetes API and runs pods, with no
//! gateway; the kubeconfig is written to `DATA/kubeconfig`. The tests use it, also as the supervisor of
//! containers.

use std::ffi::OsString;
use std::future::Future;
use std::net::IpAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use sampan_container::network::Bridge;
use sampan_container::{Runtime, RuntimeConfig};
use sampan_engine::engine::{self, Config, Deps, Drain};
use sampan_model::routing::Routing;
use sampan_oci::{ContentStore, Snapshots};
use sampan_store::Store;
use sampan_supervise::Shutdown;
use tokio::sync::watch;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if arguments.first().is_some_and(|word| word == "shim") {
        arguments.remove(0);
        return sampan_container::shim::main(&arguments);
    }
    let outcome = match arguments.first() {
        Some(data) => tokio::runtime::Runtime::new()
            .map_err(Failure::from)
            .and_then(|runtime| runtime.block_on(run(PathBuf::from(data)))),
        None => Err("usage: engine DATA".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error, "the engine has failed");
            ExitCode::FAILURE
        }
    }
}

/// Nobody routes requests here, so nothing is ever in flight.
struct NoRequests;

impl Drain for NoRequests {
    fn wait_idle(&self, _: IpAddr, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }
}

async fn run(data: PathBuf) -> Result<(), Failure> {
    std::fs::create_dir_all(&data)?;
    let config = Config {
        data: data.clone(),
        listen: "127.0.0.1:0".parse()?,
        node_name: "node".to_owned(),
    };
    let deps = Deps {
        store: Store::open(&data.join("meta.db")).await?,
        content: ContentStore::open(&data)?,
        snapshots: Snapshots::open(&data)?,
        runtime: Runtime::new(RuntimeConfig {
            data: data.clone(),
            shim: std::env::current_exe()?,
        }),
        bridge: Bridge::ensure(&data)?,
        drain: Arc::new(NoRequests),
        routing: watch::Sender::new(Arc::new(Routing::default())),
    };
    let engine = engine::build(config, deps).await?;
    let next = data.join("kubeconfig.new");
    std::fs::write(&next, engine.kubeconfig())?;
    std::fs::rename(&next, data.join("kubeconfig"))?;
    let shutdown = Shutdown::new();
    let signal = shutdown.clone();
    tokio::select! {
        () = engine.run(shutdown) => {}
        result = tokio::signal::ctrl_c() => {
            result?;
            signal.trigger();
        }
    }
    Ok(())
}
