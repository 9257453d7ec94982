//! Which container of a pod a request means.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use sampan_container::ContainerId;

use crate::error::Error;

/// What the container ids of a status begin with.
const SCHEME: &str = "sampan://";

/// A container of a pod, by its name in the pod.
pub(super) struct Target<'a> {
    pod: &'a Pod,
    name: String,
}

impl<'a> Target<'a> {
    /// The named container, or the only one.
    pub(super) fn find(pod: &'a Pod, name: Option<&str>) -> Result<Self, Error> {
        let spec = pod.spec.as_ref();
        let containers: Vec<&str> = spec
            .iter()
            .flat_map(|spec| &spec.containers)
            .map(|container| container.name.as_str())
            .collect();
        let inits: Vec<&str> = spec
            .iter()
            .flat_map(|spec| spec.init_containers.iter().flatten())
            .map(|container| container.name.as_str())
            .collect();
        let pod_name = pod.metadata.name.as_deref().unwrap_or_default();
        let name = match name {
            Some(name) if containers.contains(&name) || inits.contains(&name) => name,
            Some(name) => {
                return Err(Error::BadRequest(format!(
                    "container {name} is not valid for pod {pod_name}"
                )));
            }
            None => match containers[..] {
                [only] => only,
                _ => return Err(Error::BadRequest(ambiguous(pod_name, &containers, &inits))),
            },
        };
        Ok(Self {
            pod,
            name: name.to_owned(),
        })
    }

    fn status(&self) -> Option<&'a ContainerStatus> {
        let status = self.pod.status.as_ref()?;
        let all = status
            .container_statuses
            .iter()
            .chain(&status.init_container_statuses);
        all.flatten().find(|status| status.name == self.name)
    }

    /// The container that runs or ran last, whose log can be read.
    pub(super) fn logged(&self) -> Result<ContainerId, Error> {
        let id = self
            .status()
            .and_then(|status| status.container_id.as_deref());
        parsed(id).ok_or_else(|| {
            let reason = self
                .status()
                .and_then(|status| status.state.as_ref()?.waiting.as_ref()?.reason.clone())
                .unwrap_or_else(|| "ContainerCreating".to_owned());
            Error::BadRequest(format!(
                "container {:?} in pod {:?} is waiting to start: {reason}",
                self.name,
                self.pod_name()
            ))
        })
    }

    /// The container that ran before the present one.
    pub(super) fn previous(&self) -> Result<ContainerId, Error> {
        let ended = self
            .status()
            .and_then(|status| status.last_state.as_ref()?.terminated.as_ref());
        parsed(ended.and_then(|ended| ended.container_id.as_deref())).ok_or_else(|| {
            Error::BadRequest(format!(
                "previous terminated container {:?} in pod {:?} not found",
                self.name,
                self.pod_name()
            ))
        })
    }

    /// The container, which must be running.
    pub(super) fn running(&self) -> Result<ContainerId, Error> {
        let status = self.status();
        let running = status
            .filter(|status| {
                status
                    .state
                    .as_ref()
                    .is_some_and(|state| state.running.is_some())
            })
            .and_then(|status| status.container_id.as_deref());
        parsed(running)
            .ok_or_else(|| Error::BadRequest(format!("container not found ({:?})", self.name)))
    }

    fn pod_name(&self) -> &str {
        self.pod.metadata.name.as_deref().unwrap_or_default()
    }
}

/// The containers of a pod that run.
pub(super) fn running(pod: &Pod) -> Vec<ContainerId> {
    let status = pod.status.as_ref();
    let all = status.into_iter().flat_map(|status| {
        let own = status.container_statuses.iter().flatten();
        own.chain(status.init_container_statuses.iter().flatten())
    });
    all.filter(|status| {
        status
            .state
            .as_ref()
            .is_some_and(|state| state.running.is_some())
    })
    .filter_map(|status| parsed(status.container_id.as_deref()))
    .collect()
}

fn parsed(id: Option<&str>) -> Option<ContainerId> {
    id?.strip_prefix(SCHEME)?.parse().ok()
}

fn ambiguous(pod: &str, containers: &[&str], inits: &[&str]) -> String {
    let mut text = format!(
        "a container name must be specified for pod {pod}, choose one of: [{}]",
        containers.join(" ")
    );
    if !inits.is_empty() {
        text = format!(
            "{text} or one of the init containers: [{}]",
            inits.join(" ")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(containers: &[&str]) -> Option<String> {
        let list =
            |names: &[&str]| -> Vec<_> { names.iter().map(|name| json!({"name": name})).collect() };
        let spec = json!({"containers": list(containers), "initContainers": list(&["first"])});
        let pod =
            serde_json::from_value(json!({"metadata": {"name": "web"}, "spec": spec})).unwrap();
        Target::find(&pod, None).ok().map(|target| target.name)
    }

    #[test]
    fn the_only_container_is_meant_whatever_ran_before_it() {
        assert_eq!(named(&["web"]).as_deref(), Some("web"));
        assert_eq!(named(&["web", "proxy"]), None);
    }
}
