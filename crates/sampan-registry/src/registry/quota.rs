//! The room that a project has, looked at before anything is written. The ledger decides once more with the write itself.

use sampan_oci::Digest;
use sampan_store::registry::{Refusal, project_of};

use super::Registry;
use crate::error::Error;
use crate::wire::name::RepositoryName;

/// How much more a project may hold.
pub(super) struct Room {
    /// How large new content may be.
    pub(super) bytes: u64,
    quota_bytes: u64,
    project: String,
}

impl Room {
    /// Why so much more is too much.
    pub(super) fn refusal(self, size_bytes: u64) -> Error {
        let used_bytes = self.quota_bytes.saturating_sub(self.bytes);
        Error::Refused(Refusal::QuotaExceeded {
            project: self.project,
            limit_bytes: self.quota_bytes,
            wanted_bytes: used_bytes.saturating_add(size_bytes),
        })
    }
}

impl Registry {
    /// How large new content of a repository may be, where its project has a quota.
    pub(super) async fn room(
        &self,
        repository: &RepositoryName,
        digest: Option<&Digest>,
    ) -> Result<Option<Room>, Error> {
        let Some(quota_bytes) = self.rules(repository).quota_bytes else {
            return Ok(None);
        };
        let digest = digest.map(ToString::to_string);
        let bytes = self
            .ledger
            .room(repository.as_str(), digest.as_deref(), quota_bytes)
            .await?;
        Ok(Some(Room {
            bytes,
            quota_bytes,
            project: project_of(repository.as_str()).to_owned(),
        }))
    }

    /// Refuses what the ledger would refuse, before it is written.
    pub(crate) async fn check_room(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        size_bytes: u64,
    ) -> Result<(), Error> {
        match self.room(repository, Some(digest)).await? {
            Some(room) if size_bytes > room.bytes => Err(room.refusal(size_bytes)),
            _ => Ok(()),
        }
    }
}
