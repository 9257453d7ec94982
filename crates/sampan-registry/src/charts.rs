//! The chart repository: charts as `ChartMuseum` serves them, on top of repositories.
//!
//! A chart is one thing, however it came: an OCI artifact in the repository `<shelf>/<chart name>`, as `helm push` writes it. So
//! what is uploaded here can be pulled with `helm pull oci://…`, and what was pushed there stands in the `index.yaml`. The
//! index is made from the ledger and from what the charts say about themselves; there is no other state.

mod artifact;
mod entry;
mod error;
mod form;
mod listing;
mod metadata;
mod package;
mod provenance;
mod shelf;
mod version;
mod yaml;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use sampan_oci::reference;
use sampan_store::registry::Refusal;
use sampan_supervise::clock;
use tokio::sync::{Semaphore, SemaphorePermit};

pub(crate) use self::entry::Entry;
pub use self::error::ChartError;
pub(crate) use self::error::ChartFault;
pub(crate) use self::form::{boundary, parts};
pub(crate) use self::listing::Listing;

use self::metadata::Metadata;
use self::provenance::Provenance;
use self::shelf::Shelf;
use crate::auth::{Action, Denied, Grant};
use crate::error::Error;
use crate::registry::{NewManifest, Registry};
use crate::storage::blocking;
use crate::wire::name::{ManifestName, RepositoryName};

/// How many shelves are kept ready.
const SHELF_LIMIT: usize = 64;
/// How many uploads are held in memory at a time, and how long the next one waits.
const UPLOADS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(30);

/// All charts of a registry; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Charts {
    registry: Registry,
    shelves: Arc<Mutex<HashMap<RepositoryName, Arc<Shelf>>>>,
    uploads: Arc<Semaphore>,
}

/// What is uploaded: a packed chart, its provenance, or both.
#[derive(Debug, Default)]
pub(crate) struct Upload {
    /// The packed chart.
    pub(crate) package: Option<Bytes>,
    /// What lets its users verify it.
    pub(crate) provenance: Option<Bytes>,
    /// Whether it may replace what is there.
    pub(crate) replaces: bool,
}

impl Charts {
    /// The charts of a registry.
    pub(crate) fn new(registry: Registry) -> Self {
        Self {
            registry,
            shelves: Arc::default(),
            uploads: Arc::new(Semaphore::new(UPLOADS)),
        }
    }

    /// The charts of a shelf that the caller may pull.
    pub(crate) async fn listing(
        &self,
        name: &RepositoryName,
        grant: &Grant,
    ) -> Result<Arc<Listing>, Error> {
        let known = self.lock().get(name).cloned();
        let current = Shelf::current(&self.registry, name, known.as_ref()).await?;
        if known.is_none_or(|known| !Arc::ptr_eq(&known, &current)) {
            let mut shelves = self.lock();
            if shelves.len() >= SHELF_LIMIT && !shelves.contains_key(name) {
                shelves.clear();
            }
            shelves.insert(name.clone(), Arc::clone(&current));
        }
        Ok(current.listing(|repository| grant.allows(Action::Pull, repository.as_str())))
    }

    /// Waits until there is room for an upload, which lasts as long as the permit.
    pub(crate) async fn room(&self) -> Result<SemaphorePermit<'_>, ChartError> {
        let permit = tokio::time::timeout(PATIENCE, self.uploads.acquire()).await;
        permit.ok().and_then(Result::ok).ok_or(ChartError::Busy)
    }

    /// Takes what is uploaded to a shelf.
    pub(crate) async fn upload(
        &self,
        to: &RepositoryName,
        upload: Upload,
        grant: &Grant,
    ) -> Result<(), Error> {
        let provenance = match &upload.provenance {
            Some(bytes) => Some(Provenance::read(bytes).ok_or(ChartError::Provenance)?),
            None => None,
        };
        match (upload.package, upload.provenance, provenance) {
            (Some(package), bytes, speaks_of) => {
                let read = package.clone();
                let metadata = blocking(move || package::read(&read)).await;
                let metadata = metadata.map_err(|error| ChartError::Package(error.into()))?;
                let is_other = |found: &Provenance| {
                    found.name != metadata.name || found.version != metadata.version
                };
                if speaks_of.is_some_and(|found| is_other(&found)) {
                    return Err(ChartError::OtherProvenance.into());
                }
                self.add(to, metadata, (package, bytes), upload.replaces, grant)
                    .await
            }
            (None, Some(bytes), Some(speaks_of)) => {
                let listing = self.listing(to, grant).await?;
                let entry = listing.find(&speaks_of.name, &speaks_of.version)?;
                self.add_provenance(entry, bytes, upload.replaces, grant)
                    .await
            }
            _ => Err(ChartError::Empty.into()),
        }
    }

    /// Removes a version of a chart: its manifest, with all the tags that it has.
    pub(crate) async fn delete(&self, entry: &Entry, grant: &Grant) -> Result<(), Error> {
        permit(grant, Action::Delete, &entry.repository)?;
        let name = ManifestName::Digest(entry.digest);
        let actor = grant.actor.to_string();
        self.registry
            .delete_manifest(&entry.repository, &name, &actor)
            .await
    }

    async fn add(
        &self,
        to: &RepositoryName,
        metadata: Metadata,
        (package, provenance): (Bytes, Option<Bytes>),
        replaces: bool,
        grant: &Grant,
    ) -> Result<(), Error> {
        let (repository, tag) = place(to, &metadata)?;
        permit(grant, Action::Push, &repository)?;
        self.registry.check_writable(repository.as_str())?;
        let name = ManifestName::Tag(tag);
        if !replaces {
            match self.registry.manifest(&repository, &name).await {
                Err(Error::ManifestUnknown { .. }) => {}
                Err(error) => return Err(error),
                Ok(_) => return Err(ChartError::Exists.into()),
            }
        }
        let mut parts = vec![
            (artifact::CONFIG, Bytes::from(metadata.to_config())),
            (artifact::PACKAGE, package),
        ];
        parts.extend(provenance.map(|bytes| (artifact::PROVENANCE, bytes)));
        let mut descriptors = Vec::new();
        for (media_type, bytes) in parts {
            let size_bytes = bytes.len() as u64;
            let digest = self.registry.push_blob(&repository, bytes).await?;
            descriptors.push(artifact::descriptor(media_type, &digest, size_bytes));
        }
        let layers = descriptors.split_off(1);
        let manifest = artifact::manifest(&metadata, descriptors, layers, clock::now());
        self.push(repository, vec![name], manifest, replaces, grant)
            .await
    }

    async fn add_provenance(
        &self,
        entry: &Entry,
        provenance: Bytes,
        replaces: bool,
        grant: &Grant,
    ) -> Result<(), Error> {
        let repository = entry.repository.clone();
        permit(grant, Action::Push, &repository)?;
        self.registry.check_writable(repository.as_str())?;
        if entry.provenance.is_some() && !replaces {
            return Err(ChartError::Exists.into());
        }
        let manifest = artifact::read(&self.registry, &entry.digest).await?;
        let manifest = manifest.ok_or(ChartError::Gone)?;
        let size_bytes = provenance.len() as u64;
        let digest = self.registry.push_blob(&repository, provenance).await?;
        let layer = artifact::descriptor(artifact::PROVENANCE, &digest, size_bytes);
        let manifest = artifact::with_provenance(&manifest, layer).ok_or(ChartError::Gone)?;
        let tags = entry.tags.iter().cloned().map(ManifestName::Tag).collect();
        self.push(repository, tags, manifest, true, grant).await
    }

    async fn push(
        &self,
        repository: RepositoryName,
        names: Vec<ManifestName>,
        bytes: Bytes,
        replaces: bool,
        grant: &Grant,
    ) -> Result<(), Error> {
        let mut names = names.into_iter();
        let name = names.next().ok_or(ChartError::Gone)?;
        let new = NewManifest {
            repository,
            name,
            tags: names.map(|name| name.to_string()).collect(),
            content_type: Some(artifact::MANIFEST.to_owned()),
            bytes,
            replaces,
            is_whole: true,
            actor: grant.actor.to_string(),
        };
        match self.registry.push_manifest(new).await {
            // Somebody else was faster.
            Err(Error::Refused(Refusal::TagImmutable { .. })) if !replaces => {
                Err(ChartError::Exists.into())
            }
            pushed => pushed.map(drop),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RepositoryName, Arc<Shelf>>> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a chart belongs: the repository, and the tag, in which `_` stands for `+` as Helm has it.
fn place(
    shelf: &RepositoryName,
    metadata: &Metadata,
) -> Result<(RepositoryName, String), ChartError> {
    let repository = format!("{shelf}/{}", metadata.name).parse();
    let repository = repository.map_err(|_| ChartError::Name {
        name: metadata.name.clone(),
    })?;
    let tag = metadata.version.replace('+', "_");
    if reference::is_tag(&tag) {
        return Ok((repository, tag));
    }
    Err(ChartError::Version {
        version: metadata.version.clone(),
    })
}

/// Makes sure that the caller may do that, now that it is known to what.
fn permit(grant: &Grant, action: Action, repository: &RepositoryName) -> Result<(), Error> {
    if grant.allows(action, repository.as_str()) {
        return Ok(());
    }
    Err(Error::Denied(Denied {
        status: StatusCode::FORBIDDEN,
        challenge: None,
        message: format!("{} may not do that to `{repository}`", grant.actor),
    }))
}
