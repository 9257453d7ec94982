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
/// What the name of a folder begins with until it is complete.
const UNFINISHED: &str = ".new-";
/// The longest name that a directory can have.
const LONGEST_NAME: usize = 255;

/// The folder of a claim: its name tells people which one it is, as far as it fits, and always ends with the uid.
pub(crate) fn folder(data: &Path, claim: &ObjectMeta) -> PathBuf {
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    let uid = part(&claim.uid);
    let mut name = format!("{}_{}", part(&claim.namespace), part(&claim.name));
    let room = LONGEST_NAME.saturating_sub(UNFINISHED.len() + 1 + uid.len());
    name.truncate(name.floor_char_boundary(room));
    folders(data).join(format!("{name}_{uid}"))
}

fn folders(data: &Path) -> PathBuf {
    data.join("volumes")
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
        self.sweep().await?;
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
        let volume = format!("pvc-{}", claim.metadata.uid.as_deref().unwrap_or_default());
        // First it is made sure that the claim does not go before its folder.
        if reserve(&mut claim, &volume) {
            claim = self.0.objects.update(&claim).await?;
        }
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
        let spec = claim.spec.clone().unwrap_or_default();
        let modes = spec.access_modes;
        let capacity = spec.resources.and_then(|resources| resources.requests);
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

    /// Removes what a kill has left of folders. One that is complete but belongs to no claim is left to people:
    /// it may hold what somebody will look for.
    async fn sweep(&self) -> Result<(), Error> {
        let folders = folders(&self.0.node.data);
        // First the folders, then the claims: what is made meanwhile cannot seem to belong to nobody.
        let found = blocking(move || entries(&folders)).await;
        let found = found.map_err(|error| {
            Error::Internal(format!("cannot look at the folders of claims: {error}"))
        })?;
        let claims = self.0.objects.list::<PersistentVolumeClaim>(None).await?;
        let known = |path: &Path| {
            claims
                .iter()
                .any(|claim| folder(&self.0.node.data, &claim.metadata) == *path)
        };
        let lost: Vec<PathBuf> = found.into_iter().filter(|path| !known(path)).collect();
        let swept = blocking(move || {
            for path in lost {
                // Only what is empty can be removed so.
                match std::fs::remove_dir(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => tracing::warn!(
                        path = %path.display(),
                        "a folder belongs to no claim; remove it if nobody needs what is in it"
                    ),
                    _ => {}
                }
            }
            Ok(())
        })
        .await;
        swept.map_err(|error| {
            Error::Internal(format!("cannot sweep the folders of claims: {error}"))
        })
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

/// Names the volume of a claim and keeps the claim until its folder is gone; tells whether that was new.
fn reserve(claim: &mut PersistentVolumeClaim, volume: &str) -> bool {
    let before = claim.clone();
    let finalizers = claim.metadata.finalizers.get_or_insert_default();
    if !finalizers.iter().any(|finalizer| finalizer == PROTECTION) {
        finalizers.push(PROTECTION.to_owned());
    }
    let spec = claim.spec.get_or_insert_default();
    if spec.volume_name.as_deref().unwrap_or_default().is_empty() {
        spec.volume_name = Some(volume.to_owned());
    }
    *claim != before
}

/// Makes a folder that has its name only when it is complete.
async fn make_folder(path: PathBuf) -> io::Result<()> {
    use std::fs::{DirBuilder, File, Permissions, rename, set_permissions};
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    blocking(move || {
        if path.is_dir() {
            return Ok(());
        }
        let parent = path.parent().unwrap_or(Path::new("/"));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let unfinished = parent.join(format!("{UNFINISHED}{name}"));
        match DirBuilder::new().create(&unfinished) {
            // A kill has left it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
        // Containers run as many users; the folder above keeps others of the machine out.
        set_permissions(&unfinished, Permissions::from_mode(0o777))?;
        File::open(&unfinished)?.sync_all()?;
        rename(&unfinished, &path)?;
        File::open(parent)?.sync_all()
    })
    .await
}

/// What is in a directory; nothing when it is not there.
fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    match std::fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        found => found?.map(|entry| Ok(entry?.path())).collect(),
    }
}

async fn remove_folder(path: PathBuf) -> io::Result<()> {
    blocking(move || match std::fs::remove_dir_all(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_names_still_make_a_folder() {
        let directory = tempfile::tempdir().unwrap();
        let claim = |name: &str| ObjectMeta {
            namespace: Some("n".repeat(63)),
            name: Some(name.to_owned()),
            uid: Some(uuid::Uuid::new_v4().to_string()),
            ..ObjectMeta::default()
        };
        let (long, short) = (claim(&"x".repeat(253)), claim("data"));
        let name = folder(directory.path(), &long);
        let name = name.file_name().unwrap().to_string_lossy();
        assert!(name.len() + UNFINISHED.len() <= LONGEST_NAME);
        assert!(name.ends_with(long.uid.as_deref().unwrap()));
        let name = folder(directory.path(), &short);
        assert!(name.to_string_lossy().contains("nnn_data_"));
    }

    #[tokio::test]
    async fn a_folder_that_a_kill_left_unfinished_is_finished() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("volumes/a");
        std::fs::create_dir_all(directory.path().join("volumes/.new-a")).unwrap();
        make_folder(path.clone()).await.unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o777);
        assert_eq!(entries(path.parent().unwrap()).unwrap(), [path]);
    }
}
