//! Persistent volume claims: each is bound to a folder of the data directory, which goes with the claim only.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimStatus, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::context::Context;
use super::queue::Key;
use super::runner::Reconciler;
use super::{keys_of_all, pods};
use crate::error::Error;
use crate::objects::Change;

/// Keeps a claim until no pod uses it and its folder is gone.
const PROTECTION: &str = "kubernetes.io/pvc-protection";
const SOURCE: &str = "persistentvolume-controller";

/// The folder of a claim.
pub(crate) fn folder(data: &Path, claim: &ObjectMeta) -> PathBuf {
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    let name = format!(
        "{}_{}_{}",
        part(&claim.namespace),
        part(&claim.name),
        part(&claim.uid)
    );
    data.join("volumes").join(name)
}

/// The controller.
pub(crate) struct Claims(pub(crate) Context);

impl Reconciler for Claims {
    const NAME: &'static str = SOURCE;

    fn concerned(&self, change: &Change) -> Vec<Key> {
        match change.kind {
            "PersistentVolumeClaim" => vec![change.key()],
            // A pod that has ended may have been the last to use a claim that is to be deleted.
            "Pod" if change.ended => {
                vec![Key::new(change.namespace.clone().unwrap_or_default(), "")]
            }
            _ => Vec::new(),
        }
    }

    async fn all(&self) -> Result<Vec<Key>, Error> {
        keys_of_all::<PersistentVolumeClaim>(&self.0.objects).await
    }

    async fn reconcile(&self, key: &Key) -> Result<Option<Timestamp>, Error> {
        let objects = &self.0.objects;
        if key.name.is_empty() {
            for claim in objects
                .list::<PersistentVolumeClaim>(key.namespace())
                .await?
            {
                if claim.metadata.deletion_timestamp.is_some() {
                    self.release(claim).await?;
                }
            }
            return Ok(None);
        }
        match objects
            .get::<PersistentVolumeClaim>(key.namespace(), &key.name)
            .await?
        {
            None => {}
            Some(claim) if claim.metadata.deletion_timestamp.is_some() => {
                self.release(claim).await?;
            }
            Some(claim) => self.bind(claim).await?,
        }
        Ok(None)
    }
}

impl Claims {
    async fn bind(&self, mut claim: PersistentVolumeClaim) -> Result<(), Error> {
        let path = folder(&self.0.node.data, &claim.metadata);
        if let Err(error) = make_folder(path.clone()).await {
            let message = format!("cannot create `{}`: {error}", path.display());
            self.0
                .warning(SOURCE, &claim, "ProvisioningFailed", message);
            return Err(Error::Internal(format!(
                "cannot create the folder of a claim: {error}"
            )));
        }
        let phase = claim
            .status
            .as_ref()
            .and_then(|status| status.phase.as_deref());
        if phase == Some("Bound") {
            return Ok(());
        }
        let volume = format!("pvc-{}", claim.metadata.uid.as_deref().unwrap_or_default());
        let finalizers = claim.metadata.finalizers.get_or_insert_default();
        if !finalizers.iter().any(|finalizer| finalizer == PROTECTION) {
            finalizers.push(PROTECTION.to_owned());
        }
        let spec = claim.spec.get_or_insert_default();
        if spec.volume_name.as_deref().unwrap_or_default().is_empty() {
            spec.volume_name = Some(volume.clone());
        }
        let modes = spec.access_modes.clone();
        let capacity = spec
            .resources
            .clone()
            .and_then(|resources| resources.requests);
        let mut claim = self.0.objects.update(&claim).await?;
        claim.status = Some(PersistentVolumeClaimStatus {
            access_modes: modes,
            capacity,
            phase: Some("Bound".to_owned()),
            ..PersistentVolumeClaimStatus::default()
        });
        let claim = self.0.objects.update_status(&claim).await?;
        let message = format!("Successfully provisioned volume {volume}");
        self.0
            .normal(SOURCE, &claim, "ProvisioningSucceeded", message);
        Ok(())
    }

    /// Removes the folder of a claim that nobody uses any more, then lets the claim go.
    async fn release(&self, mut claim: PersistentVolumeClaim) -> Result<(), Error> {
        let objects = &self.0.objects;
        let ours = |finalizers: &Vec<String>| finalizers.iter().any(|name| name == PROTECTION);
        if !claim.metadata.finalizers.as_ref().is_some_and(ours) {
            return Ok(());
        }
        let name = claim.metadata.name.as_deref().unwrap_or_default();
        let users = objects
            .list::<Pod>(claim.metadata.namespace.as_deref())
            .await?;
        if users.iter().any(|pod| holds(pod, name)) {
            return Ok(());
        }
        let path = folder(&self.0.node.data, &claim.metadata);
        remove_folder(path).await.map_err(|error| {
            Error::Internal(format!("cannot remove the folder of a claim: {error}"))
        })?;
        if let Some(finalizers) = claim.metadata.finalizers.as_mut() {
            finalizers.retain(|name| name != PROTECTION);
        }
        objects.update(&claim).await.map(drop)
    }
}

/// Whether a pod keeps a claim: it may be running. One without a node waits until the claim is gone.
fn holds(pod: &Pod, claim: &str) -> bool {
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
    let placed = node.is_some_and(|node| !node.is_empty());
    placed && !pods::is_terminal(pod) && pods::claims(pod).any(|name| name == claim)
}

async fn make_folder(path: PathBuf) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    blocking(move || {
        if path.is_dir() {
            return Ok(());
        }
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path.parent().unwrap_or(Path::new("/")))?;
        std::fs::DirBuilder::new().create(&path)?;
        // Containers run as many users; the folder above keeps others of the machine out.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777))
    })
    .await
}

async fn remove_folder(path: PathBuf) -> io::Result<()> {
    blocking(move || match std::fs::remove_dir_all(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    })
    .await
}

async fn blocking(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}
