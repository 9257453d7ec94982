//! Uploads: bytes on their way to be a blob.
//!
//! An upload is a file in `registry/uploads` whose name binds it to its repository, and a hash that grows with it. The
//! hash is lost when the server ends; the file is not, so a client that comes back goes on where it stood. One request
//! at a time may write.

mod sink;
mod spool;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use sampan_oci::Digest;
use sampan_oci::digest::Algorithm;
use sampan_oci::store::StoreError;
use sampan_supervise::clock;
use tokio::sync::{OwnedMutexGuard, watch};
use uuid::Uuid;

pub(crate) use self::sink::Sink;
pub(crate) use self::spool::{Mark, Spool};

use crate::error::Error;
use crate::storage::{Budget, blocking};
use crate::wire::name::RepositoryName;

/// How long a request waits for one before it on the same upload, which may have lost its client.
const PATIENCE: Duration = Duration::from_secs(2);

/// All uploads of a registry; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Uploads {
    directory: Arc<Path>,
    sessions: Arc<Mutex<HashMap<Uuid, Arc<Session>>>>,
    budget: Budget,
}

/// One upload.
#[derive(Debug)]
pub(crate) struct Session {
    id: Uuid,
    repository: RepositoryName,
    spool: Arc<tokio::sync::Mutex<Spool>>,
    /// How many bytes have come, also while a request is writing.
    length_bytes: watch::Receiver<u64>,
}

/// The file of an upload that nothing was written to for long.
#[derive(Debug, Clone)]
pub(crate) struct StaleUpload {
    path: PathBuf,
    /// How many bytes have come.
    pub(crate) size_bytes: u64,
    /// When the last ones came.
    pub(crate) since: Timestamp,
}

/// An upload that nobody else can write to. Its file is closed when it is let go, whatever ends the request.
#[derive(Debug)]
pub(crate) struct Held(OwnedMutexGuard<Spool>);

impl Uploads {
    /// Uploads in `data/registry/uploads`.
    pub(crate) fn open(data: &Path, budget: Budget) -> Result<Self, StoreError> {
        let directory = data.join("registry").join("uploads");
        fs::create_dir_all(&directory)
            .map_err(|source| StoreError::io("make", &directory, source))?;
        Ok(Self {
            directory: directory.into(),
            sessions: Arc::default(),
            budget,
        })
    }

    /// Begins an upload.
    pub(crate) async fn start(
        &self,
        repository: &RepositoryName,
        algorithm: Algorithm,
    ) -> Result<Arc<Session>, Error> {
        let id = Uuid::new_v4();
        let path = self.path(repository, id);
        let spool = blocking(move || Spool::create(path, algorithm)).await?;
        Ok(self.remember(id, repository, spool))
    }

    /// The upload that a path names.
    pub(crate) async fn find(
        &self,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<Arc<Session>, Error> {
        let unknown = || Error::UploadUnknown { id: id.to_owned() };
        let uuid = Uuid::from_str(id).map_err(|_| unknown())?;
        if let Some(session) = self.sessions().get(&uuid) {
            let ours = session.repository == *repository;
            return ours.then(|| Arc::clone(session)).ok_or_else(unknown);
        }
        let path = self.path(repository, uuid);
        let spool = blocking(move || Spool::resume(path)).await?;
        Ok(self.remember(uuid, repository, spool.ok_or_else(unknown)?))
    }

    /// Forgets an upload whose file has become a blob. Who waits for it learns that it has ended.
    pub(crate) fn forget(&self, session: &Session, mut held: Held) {
        held.end();
        self.sessions().remove(&session.id);
    }

    /// Removes the bytes of an upload and forgets it. Once begun, this goes on even if nobody waits for it.
    pub(crate) async fn discard(&self, session: &Session, held: Held) -> Result<(), StoreError> {
        let (uploads, id) = (self.clone(), session.id);
        blocking(move || uploads.remove(id, held)).await
    }

    /// The file goes first: whoever finds no session makes one from the file.
    fn remove(&self, id: Uuid, mut held: Held) -> Result<(), StoreError> {
        held.remove()?;
        self.sessions().remove(&id);
        Ok(())
    }

    /// Removes uploads that nothing was written to for so long, and returns how many.
    pub(crate) async fn sweep(&self, age: Duration) -> Result<usize, StoreError> {
        let mut removed = 0;
        for StaleUpload { path, .. } in self.stale(age).await? {
            let session = id_of(&path).and_then(|id| self.sessions().get(&id).cloned());
            match session {
                Some(session) => match session.try_hold() {
                    Some(held) => self.discard(&session, held).await?,
                    None => continue,
                },
                None => blocking(move || remove(&path)).await?,
            }
            removed += 1;
        }
        let uploads = self.clone();
        blocking(move || uploads.forget_lost()).await;
        Ok(removed)
    }

    /// Forgets uploads whose file has gone without them, for instance because it was swept while it was found.
    fn forget_lost(&self) {
        let sessions: Vec<_> = self.sessions().values().cloned().collect();
        for session in sessions {
            if let Some(mut held) = session.try_hold()
                && !held.is_in_place()
            {
                held.end();
                self.sessions().remove(&session.id);
            }
        }
    }

    /// A sink for the bytes of a request.
    pub(crate) fn sink(&self, held: Held) -> Sink {
        Sink::new(held, self.budget.clone())
    }

    /// The uploads that nothing was written to for so long.
    pub(crate) async fn stale(&self, age: Duration) -> Result<Vec<StaleUpload>, StoreError> {
        let Ok(before) = clock::now().checked_sub(age) else {
            return Ok(Vec::new());
        };
        let uploads = self.clone();
        blocking(move || uploads.older_than(before)).await
    }

    fn older_than(&self, before: Timestamp) -> Result<Vec<StaleUpload>, StoreError> {
        let failed = |source| StoreError::io("sweep", &self.directory, source);
        let mut stale = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let metadata = match entry.metadata() {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(error)),
            };
            let modified = metadata.modified().map_err(failed)?;
            // A time that nobody can tell is not long ago.
            if let Ok(since) = Timestamp::try_from(modified)
                && since < before
            {
                stale.push(StaleUpload {
                    path: entry.path(),
                    size_bytes: metadata.len(),
                    since,
                });
            }
        }
        Ok(stale)
    }

    fn remember(&self, id: Uuid, repository: &RepositoryName, spool: Spool) -> Arc<Session> {
        let length_bytes = spool.progress();
        let session = Arc::new(Session {
            id,
            repository: repository.clone(),
            spool: Arc::new(tokio::sync::Mutex::new(spool)),
            length_bytes,
        });
        // Two requests may have found the same file; the first wins.
        let mut sessions = self.sessions();
        Arc::clone(sessions.entry(id).or_insert(session))
    }

    /// The name of the file: whose upload it is cannot be told by the id alone.
    fn path(&self, repository: &RepositoryName, id: Uuid) -> PathBuf {
        let owner = Digest::of_bytes(repository.as_str().as_bytes());
        self.directory
            .join(format!("{}.{}", id.simple(), owner.short()))
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the file of an upload, if it is still there.
fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::io("remove", path, source))
        }
        _ => Ok(()),
    }
}

fn id_of(path: &Path) -> Option<Uuid> {
    let name = path.file_name()?.to_str()?;
    name.split('.').next()?.parse().ok()
}

impl StaleUpload {
    /// The name of its file.
    pub(crate) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

impl Session {
    /// The name of the upload within its repository.
    pub(crate) fn id(&self) -> String {
        self.id.to_string()
    }

    /// Where the blob shall go.
    pub(crate) fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// How many bytes have come.
    pub(crate) fn length_bytes(&self) -> u64 {
        *self.length_bytes.borrow()
    }

    /// The same for who waits for more of them.
    pub(crate) fn progress(&self) -> watch::Receiver<u64> {
        self.length_bytes.clone()
    }

    /// The path of the upload, without host and query.
    pub(crate) fn location(&self) -> String {
        format!("/v2/{}/blobs/uploads/{}", self.repository, self.id)
    }

    /// Keeps other requests from writing.
    pub(crate) async fn hold(&self) -> Result<Held, Error> {
        let held = Arc::clone(&self.spool).lock_owned();
        let held = tokio::time::timeout(PATIENCE, held).await;
        let held = held.map_err(|_| Error::UploadBusy)?;
        if held.has_ended() {
            return Err(Error::UploadUnknown { id: self.id() });
        }
        Ok(Held(held))
    }

    /// Waits for the request that writes, whose silence has a limit; nothing when the upload has ended.
    pub(crate) async fn outlast(&self) -> Option<Held> {
        let held = Arc::clone(&self.spool).lock_owned().await;
        (!held.has_ended()).then(|| Held(held))
    }

    /// Keeps other requests from writing, unless one of them is at it.
    fn try_hold(&self) -> Option<Held> {
        Arc::clone(&self.spool).try_lock_owned().ok().map(Held)
    }

    /// Waits for a request that is about to end, and leaves one that is not alone.
    pub(crate) async fn settle(&self) -> Result<(), Error> {
        match self.hold().await {
            Ok(_) | Err(Error::UploadBusy) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Deref for Held {
    type Target = Spool;

    fn deref(&self) -> &Spool {
        &self.0
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut Spool {
        &mut self.0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.close();
    }
}
