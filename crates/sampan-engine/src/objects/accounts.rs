//! What a pod gets of its service account when it is made: a volume with a token, the certificate to trust and the name of
//! the namespace, where client libraries look for them.

use k8s_openapi::api::core::v1::ServiceAccount;
use serde_json::{Value, json};

use super::{Objects, prepare};
use crate::error::Error;
use crate::kubelet::tokens::MOUNTED_SECONDS;

/// Where client libraries look for the credentials of their pod.
const FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// The beginning of the names of such volumes.
const VOLUME: &str = "kube-api-access-";

impl Objects {
    /// Gives the containers of a new pod the credentials of its account, unless the pod or the account refuses them.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn mount_account(
        &self,
        namespace: Option<&str>,
        pod: &mut Value,
    ) -> Result<(), Error> {
        let spec = &pod["spec"];
        let own = spec["automountServiceAccountToken"].as_bool();
        if own == Some(false) || !spec.is_object() {
            return Ok(());
        }
        if own.is_none() {
            let name = spec["serviceAccountName"].as_str().unwrap_or("default");
            // One that is yet to be made is waited for when the pod is started.
            let account: Option<ServiceAccount> = self.get(namespace, name).await?;
            if account.and_then(|account| account.automount_service_account_token) == Some(false) {
                return Ok(());
            }
        }
        mount(&mut pod["spec"]);
        Ok(())
    }
}

/// Adds the volume to those containers that have nothing at its place.
fn mount(spec: &mut Value) {
    let volumes = spec["volumes"].as_array();
    let there = volumes.into_iter().flatten().find_map(|volume| {
        let name = volume["name"].as_str()?;
        (name.starts_with(VOLUME) && volume["projected"].is_object()).then(|| name.to_owned())
    });
    let is_there = there.is_some();
    let name = there.unwrap_or_else(|| prepare::generate_name(VOLUME));
    let mut used = false;
    for list in ["containers", "initContainers"] {
        let containers = spec[list].as_array_mut();
        for container in containers.into_iter().flatten() {
            used |= mount_in(container, &name);
        }
    }
    if used && !is_there {
        let volume = json!({"name": name, "projected": {"defaultMode": 0o644, "sources": [
            {"serviceAccountToken": {"expirationSeconds": MOUNTED_SECONDS, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [
                {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}},
            ]}},
        ]}});
        push(&mut spec["volumes"], volume);
    }
}

/// Mounts the volume in a container; tells whether that was needed.
fn mount_in(container: &mut Value, name: &str) -> bool {
    let mounts = container["volumeMounts"].as_array();
    let mut mounts = mounts.into_iter().flatten();
    let taken = mounts.any(|mount| {
        let path = mount["mountPath"].as_str().unwrap_or_default();
        path.trim_end_matches('/') == FOLDER
    });
    if taken || !container.is_object() {
        return false;
    }
    let mount = json!({"name": name, "mountPath": FOLDER, "readOnly": true});
    push(&mut container["volumeMounts"], mount);
    true
}

fn push(list: &mut Value, item: Value) {
    match list {
        Value::Array(items) => items.push(item),
        other => *other = json!([item]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_get_the_volume_where_nothing_else_is() {
        let other = json!({"name": "own", "mountPath": format!("{FOLDER}/")});
        let mut spec = json!({
            "containers": [{"name": "a"}, {"name": "b", "volumeMounts": [other]}],
            "initContainers": [{"name": "c", "volumeMounts": [{"name": "own", "mountPath": "/x"}]}],
        });
        mount(&mut spec);
        let name = spec["volumes"][0]["name"].as_str().unwrap().to_owned();
        assert!(name.starts_with(VOLUME), "{name}");
        let of = |list: &str, index: usize| spec[list][index]["volumeMounts"].clone();
        let own = json!({"name": name, "mountPath": FOLDER, "readOnly": true});
        assert_eq!(of("containers", 0), json!([own]));
        assert_eq!(of("containers", 1), json!([other]));
        assert_eq!(of("initContainers", 0)[1], own);
        // A pod that was written out and is made again has it already.
        let before = spec.clone();
        mount(&mut spec);
        assert_eq!(spec, before);
        let mut without = json!({"containers": [{"name": "b", "volumeMounts": [other]}]});
        mount(&mut without);
        assert_eq!(without["volumes"], Value::Null);
    }
}
