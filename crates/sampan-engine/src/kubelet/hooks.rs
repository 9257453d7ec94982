//! Lifecycle hooks: after a container has started, before it is stopped.

use std::net::IpAddr;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, LifecycleHandler};
use sampan_container::{ContainerId, Runtime};

use super::probes::check::{self, Action, Outcome};

/// Runs a hook; an error says why it failed. At most `limit` is spent on it.
pub(crate) async fn run(
    hook: &LifecycleHandler,
    container: &Container,
    address: IpAddr,
    (runtime, id): (&Runtime, &ContainerId),
    limit: Duration,
) -> Result<(), String> {
    let action = if let Some(exec) = &hook.exec {
        Action::exec(exec)
    } else if let Some(get) = &hook.http_get {
        Action::http(get, container, address)
    } else if let Some(sleep) = &hook.sleep {
        let wanted = Duration::from_secs(u64::try_from(sleep.seconds).unwrap_or(0));
        tokio::time::sleep(wanted.min(limit)).await;
        return Ok(());
    } else {
        return Err("the hook has no supported handler".to_owned());
    };
    match check::check(&action, runtime, id, limit).await {
        Outcome::Success => Ok(()),
        Outcome::Failure(message) => Err(message),
    }
}
