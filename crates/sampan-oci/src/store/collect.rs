//! Taking away what nobody names.
//!
//! A blob goes only while the index of names is locked, when no name leads to it, and when nobody has used it for a
//! while ([`ContentStore::keep`]): a name that appears later finds everything that it leads to, or is refused.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use oci_spec::image::Descriptor;

use super::{ContentStore, StoreError, graph, names};
use crate::digest::{Algorithm, Digest};
use crate::durable;

/// How many blobs are taken away before others may give names again.
const AT_ONCE: usize = 512;

/// Where a blob is for the moment of its removal; one at a time, under the lock.
const ASIDE: &str = ".removed";

/// A blob that was taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// Takes away blobs to which no name of the store leads.
#[derive(Debug)]
pub struct Collector {
    store: ContentStore,
    named: Option<Named>,
}

/// What all names lead to, as long as they are these.
#[derive(Debug)]
struct Named {
    entries: Vec<Descriptor>,
    digests: HashSet<Digest>,
}

impl Collector {
    pub(super) fn new(store: ContentStore) -> Self {
        Self { store, named: None }
    }

    /// Takes away those of `digests` to which no name leads and which nobody has used since `unused_since`; says which.
    ///
    /// # Errors
    /// When what a name leads to cannot be read (then nothing more is taken away), or a file cannot be removed.
    pub fn remove(
        &mut self,
        digests: &[Digest],
        unused_since: SystemTime,
    ) -> Result<Vec<Removed>, StoreError> {
        let mut removed = Vec::new();
        for part in digests.chunks(AT_ONCE) {
            removed.extend(self.remove_part(part, unused_since)?);
        }
        Ok(removed)
    }

    fn remove_part(
        &mut self,
        digests: &[Digest],
        unused_since: SystemTime,
    ) -> Result<Vec<Removed>, StoreError> {
        let store = self.store.clone();
        let _lock = names::lock(&store)?;
        let named = self.named()?;
        let mut removed = Vec::new();
        for digest in digests.iter().filter(|digest| !named.contains(*digest)) {
            let Some(metadata) = look_at(&store.blob_path(digest))? else {
                continue;
            };
            if unused(&metadata, unused_since) && take_away(&store, digest, unused_since)? {
                removed.push(Removed {
                    digest: *digest,
                    size_bytes: metadata.len(),
                });
            }
        }
        Ok(removed)
    }

    /// The blobs that nobody has used since `unused_since` and to which no name leads, in no order.
    ///
    /// The answer is of the moment: [`Self::remove`] looks again.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn unnamed(&mut self, unused_since: SystemTime) -> Result<Vec<Digest>, StoreError> {
        let store = self.store.clone();
        let mut found = Vec::new();
        for algorithm in Algorithm::all() {
            let folder = store.path().join("blobs").join(algorithm.name());
            let failed = |source| StoreError::io("list", &folder, source);
            for entry in fs::read_dir(&folder).map_err(failed)? {
                let name = entry.map_err(failed)?.file_name();
                let text = format!("{}:{}", algorithm.name(), name.to_string_lossy());
                // What is not called as a blob is none of ours.
                let Ok(digest) = text.parse::<Digest>() else {
                    continue;
                };
                let metadata = look_at(&store.blob_path(&digest))?;
                if metadata.is_some_and(|metadata| unused(&metadata, unused_since)) {
                    found.push(digest);
                }
            }
        }
        let named = {
            let _lock = names::lock(&store)?;
            self.named()?
        };
        found.retain(|digest| !named.contains(digest));
        Ok(found)
    }

    /// Makes the removals survive a power cut. Without it, some may come back, which harms nobody.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn sync(&self) -> Result<(), StoreError> {
        for algorithm in Algorithm::all() {
            let folder = self.store.path().join("blobs").join(algorithm.name());
            durable::sync_directory(&folder)
                .map_err(|source| StoreError::io("write", &folder, source))?;
        }
        Ok(())
    }

    /// Walks from the names again only when they have changed; who asks holds the lock.
    fn named(&mut self) -> Result<&HashSet<Digest>, StoreError> {
        let entries = names::entries(&self.store)?;
        let known = self.named.take().filter(|named| named.entries == entries);
        let named = match known {
            Some(named) => named,
            None => Named {
                digests: reachable_from(&self.store, &entries)?,
                entries,
            },
        };
        Ok(&self.named.insert(named).digests)
    }
}

fn reachable_from(
    store: &ContentStore,
    entries: &[Descriptor],
) -> Result<HashSet<Digest>, StoreError> {
    let mut digests = HashSet::new();
    for entry in entries {
        for part in graph::reachable(store, entry)? {
            digests.insert(Digest::of(&part)?);
        }
    }
    Ok(digests)
}

/// Takes the blob away, unless somebody began to use it just now.
///
/// It is put aside first: who marks it as used after that finds that it has gone, and who did before is seen here.
fn take_away(
    store: &ContentStore,
    digest: &Digest,
    unused_since: SystemTime,
) -> Result<bool, StoreError> {
    let path = store.blob_path(digest);
    let aside = store.path().join(ASIDE);
    fs::rename(&path, &aside).map_err(|source| StoreError::io("put aside", &path, source))?;
    let still_unused = look_at(&aside)?.is_none_or(|metadata| unused(&metadata, unused_since));
    if still_unused {
        fs::remove_file(&aside).map_err(|source| StoreError::io("remove", &aside, source))?;
    } else {
        fs::rename(&aside, &path).map_err(|source| StoreError::io("put back", &path, source))?;
    }
    Ok(still_unused)
}

fn look_at(path: &Path) -> Result<Option<Metadata>, StoreError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(Some(metadata)),
        Ok(_) => Ok(None),
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::io("look at", path, source)),
    }
}

/// A time that cannot be told counts as the present.
fn unused(metadata: &Metadata, since: SystemTime) -> bool {
    metadata.modified().is_ok_and(|modified| modified < since)
}
