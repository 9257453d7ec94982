//! The labels by which the kubelet recognises its containers.

use std::collections::BTreeMap;

use sampan_container::ContainerStatus;

const NAMESPACE: &str = "io.kubernetes.pod.namespace";
const POD: &str = "io.kubernetes.pod.name";
const UID: &str = "io.kubernetes.pod.uid";
const CONTAINER: &str = "io.kubernetes.container.name";
const ATTEMPT: &str = "io.kubernetes.container.restartCount";

/// Whose container it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The pod's namespace.
    pub(crate) namespace: String,
    /// The pod's name.
    pub(crate) pod: String,
    /// The pod's uid.
    pub(crate) uid: String,
    /// The container's name in the pod.
    pub(crate) container: String,
    /// How often the container had been restarted before.
    pub(crate) attempt: i32,
}

impl Identity {
    /// The labels that say so.
    pub(crate) fn labels(&self) -> BTreeMap<String, String> {
        [
            (NAMESPACE, self.namespace.clone()),
            (POD, self.pod.clone()),
            (UID, self.uid.clone()),
            (CONTAINER, self.container.clone()),
            (ATTEMPT, self.attempt.to_string()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }

    /// Reads the labels of a container; `None` for one that belongs to no pod.
    pub(crate) fn of(container: &ContainerStatus) -> Option<Self> {
        let get = |key: &str| container.labels.get(key).cloned();
        Some(Self {
            namespace: get(NAMESPACE)?,
            pod: get(POD)?,
            uid: get(UID)?,
            container: get(CONTAINER)?,
            attempt: get(ATTEMPT)?.parse().ok()?,
        })
    }
}
