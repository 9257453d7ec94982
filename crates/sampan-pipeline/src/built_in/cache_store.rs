//! What runs keep for later ones, in the folder of continuous integration of the installation.
//!
//! ```text
//! cache/PROJECT/lock            held while something is kept or taken away
//! cache/PROJECT/SCOPE/ID.tar    an archive
//! cache/PROJECT/SCOPE/ID.json   what it is: key, paths, size; an archive without it does not count
//! ```
//!
//! A scope is a branch or a pull request, so that what a pull request keeps does not reach the others. The archive is
//! renamed to its name when it is whole, and described after that: a kill leaves at most an archive that the next run
//! removes. The time of a description is when it was used last; what was used longest ago goes when a project has more
//! than it may.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ring::digest::{SHA256, digest};
use sampan_oci::durable;
use serde::{Deserialize, Serialize};

use super::archive::{self, Member, Packed};
use super::files::Root;

/// How much a project may keep.
const LIMIT_BYTES: u64 = 10 << 30;

/// What is known of an archive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The key under which it was kept.
    pub(super) key: String,
    /// What tells archives of the same key apart: the paths that are in it.
    pub(super) version: String,
    /// When it was kept, in milliseconds since 1970.
    pub(super) created: i64,
    /// The size of the archive.
    pub(super) size_bytes: u64,
    #[serde(skip)]
    path: PathBuf,
}

/// What the runs of a project keep.
pub(super) struct CacheStore {
    folder: PathBuf,
    limit_bytes: u64,
}

impl CacheStore {
    pub(super) fn new(data_folder: &Path, project: &str) -> Self {
        Self {
            folder: data_folder.join("cache").join(hashed(project)),
            limit_bytes: LIMIT_BYTES,
        }
    }

    /// What is kept under a key; without one, the newest whose key begins with it, if that is asked for. Scopes are looked
    /// at one after the other.
    pub(super) fn find(
        &self,
        scopes: &[String],
        key: &str,
        version: &str,
        takes_beginnings: bool,
    ) -> io::Result<Option<Kept>> {
        for scope in scopes {
            let kept = self.of_scope(scope)?;
            let mut kept = kept.into_iter().filter(|kept| kept.version == version);
            let mut newest: Option<Kept> = None;
            let exact = kept.find(|kept| {
                let is_newer = newest
                    .as_ref()
                    .is_none_or(|newest| newest.created < kept.created);
                if takes_beginnings && kept.key.starts_with(key) && is_newer {
                    newest = Some(kept.clone());
                }
                kept.key == key
            });
            if let Some(found) = exact.or(newest) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Puts what is kept below a folder of the root.
    pub(super) fn restore(
        kept: &Kept,
        root: &Root,
        is_ended: &dyn Fn() -> bool,
    ) -> io::Result<u64> {
        let file = File::open(kept.path.with_extension("tar"))?;
        let count = archive::unpack(root, "", file, is_ended)?;
        // It was used now. A description that cannot be touched only goes earlier.
        let description = File::options().append(true).open(&kept.path);
        if let Err(error) = description.and_then(|file| file.set_modified(now())) {
            tracing::debug!(%error, path = %kept.path.display(), "cannot mark a cache as used");
        }
        Ok(count)
    }

    /// Keeps members under a key. What is there already stays, unless it is to be replaced; `None` then.
    pub(super) fn keep(
        &self,
        scope: &str,
        kept: Kept,
        root: &Root,
        members: &[Member],
        (replaces, is_ended): (bool, &dyn Fn() -> bool),
    ) -> io::Result<Option<Packed>> {
        let folder = self.folder.join(hashed(scope));
        fs::create_dir_all(&folder)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.folder.join("lock"))?;
        lock.lock()?;
        let path = folder.join(format!(
            "{}.json",
            hashed(&format!("{}\n{}", kept.version, kept.key))
        ));
        if path.exists() && !replaces {
            return Ok(None);
        }
        Self::sweep(&folder)?;
        let packed = archive::pack(root, members, &path.with_extension("tar"), is_ended)?;
        let kept = Kept {
            size_bytes: packed.size_bytes,
            ..kept
        };
        let text = serde_json::to_vec(&kept).map_err(io::Error::other)?;
        durable::write(&path, &text)?;
        self.shrink(&path)?;
        Ok(Some(packed))
    }

    /// The versions of what is kept under a key.
    pub(super) fn versions(&self, scope: &str, key: &str) -> io::Result<Vec<String>> {
        let kept = self
            .of_scope(scope)?
            .into_iter()
            .filter(|kept| kept.key == key);
        Ok(kept.map(|kept| kept.version).collect())
    }

    fn of_scope(&self, scope: &str) -> io::Result<Vec<Kept>> {
        descriptions(&self.folder.join(hashed(scope)))
    }

    /// Removes archives of a folder without a description: who wrote them was killed.
    fn sweep(folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let is_archive = path
                .extension()
                .is_some_and(|extension| extension == "tar" || extension == "partial");
            if is_archive && !path.with_extension("json").exists() {
                remove(&path)?;
            }
        }
        Ok(())
    }

    /// Removes what was used longest ago until the rest may stay. What was kept just now stays.
    fn shrink(&self, newest: &Path) -> io::Result<()> {
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                all.extend(descriptions(&entry.path())?);
            }
        }
        let mut size_bytes: u64 = all.iter().map(|kept| kept.size_bytes).sum();
        let used = |kept: &Kept| {
            fs::metadata(&kept.path)
                .and_then(|found| found.modified())
                .ok()
        };
        all.sort_by_key(used);
        for kept in all {
            if size_bytes <= self.limit_bytes {
                break;
            }
            if kept.path != newest {
                remove(&kept.path)?;
                remove(&kept.path.with_extension("tar"))?;
                size_bytes -= kept.size_bytes;
            }
        }
        Ok(())
    }
}

/// The time as file systems have it.
fn now() -> SystemTime {
    SystemTime::from(sampan_supervise::clock::now())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn descriptions(folder: &Path) -> io::Result<Vec<Kept>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let bytes = match fs::read(&path) {
            // Another run took it away meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            bytes => bytes?,
        };
        match serde_json::from_slice::<Kept>(&bytes) {
            Ok(kept) => found.push(Kept { path, ..kept }),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "this is no description of a cache");
            }
        }
    }
    Ok(found)
}

impl Kept {
    pub(super) fn new(key: &str, version: &str) -> Self {
        Self {
            key: key.to_owned(),
            version: version.to_owned(),
            created: sampan_supervise::clock::now().as_millisecond(),
            size_bytes: 0,
            path: PathBuf::new(),
        }
    }
}

/// A name for a file that follows from a text.
pub(super) fn hashed(text: &str) -> String {
    hex::encode(&digest(&SHA256, text.as_bytes()).as_ref()[..16])
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{CacheStore, Kept, Member, Root};

    fn member(path: &str) -> [Member; 1] {
        [Member {
            path: path.to_owned(),
            name: path.to_owned(),
            as_file: false,
        }]
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), vec![7; 1000]).unwrap();
        let root = Root::open(folder.path()).unwrap();
        let mut store = CacheStore::new(folder.path(), "project");
        let keep = |store: &CacheStore, key: &str| {
            let kept = Kept::new(key, "v");
            let packed = store
                .keep("main", kept, &root, &member("file"), (false, &|| false))
                .unwrap();
            packed.unwrap().size_bytes
        };
        let size_bytes = keep(&store, "a");
        keep(&store, "b");
        // Times of files may be coarse.
        let at = |key: &str, seconds: u64| {
            let kept = store
                .find(&["main".to_owned()], key, "v", false)
                .unwrap()
                .unwrap();
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            fs::File::options()
                .append(true)
                .open(&kept.path)
                .unwrap()
                .set_modified(time)
                .unwrap();
        };
        at("a", 2_000_000_000);
        at("b", 1_000_000_000);
        store.limit_bytes = 2 * size_bytes;
        keep(&store, "c");
        let has = |key: &str| {
            store
                .find(&["main".to_owned()], key, "v", false)
                .unwrap()
                .is_some()
        };
        assert_eq!([has("a"), has("b"), has("c")], [true, false, true]);
    }

    #[test]
    fn an_archive_without_a_description_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "x").unwrap();
        let root = Root::open(folder.path()).unwrap();
        let store = CacheStore::new(folder.path(), "project");
        let scopes = ["main".to_owned()];
        store
            .keep(
                "main",
                Kept::new("a", "v"),
                &root,
                &member("file"),
                (false, &|| false),
            )
            .unwrap();
        let kept = store.find(&scopes, "a", "v", false).unwrap().unwrap();
        fs::remove_file(&kept.path).unwrap();
        assert!(store.find(&scopes, "a", "v", false).unwrap().is_none());
        let archive = kept.path.with_extension("tar");
        assert!(archive.exists());
        store
            .keep(
                "main",
                Kept::new("b", "v"),
                &root,
                &member("file"),
                (false, &|| false),
            )
            .unwrap();
        assert!(!archive.exists());
        // What is ended in the middle leaves nothing.
        let ended = store.keep(
            "main",
            Kept::new("c", "v"),
            &root,
            &member("file"),
            (false, &|| true),
        );
        assert!(ended.is_err());
        assert!(store.find(&scopes, "c", "v", false).unwrap().is_none());
        assert_eq!(fs::read_dir(archive.parent().unwrap()).unwrap().count(), 2);
    }
}
