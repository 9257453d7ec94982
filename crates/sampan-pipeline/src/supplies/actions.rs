//! Actions and workflows of other repositories in the content store.
//!
//! The files of a repository at a version are kept as an image of one layer, so that all that holds for images holds for
//! them: they have a digest, travel in bundles, stay as long as somebody names them, and are unpacked without leaving
//! their folder. The same files have the same digest, whenever and by whomever they are put in.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use sampan_model::Hint;
use sampan_oci::archive::{Entry, Kind};
use sampan_oci::layer::{LayerError, LayerOptions, LayerWriter};
use sampan_oci::snapshot::SnapshotError;
use sampan_oci::store::StoreError;
use sampan_oci::{ContentStore, Descriptor, Digest, MediaType, Reference, Snapshots};
use serde_json::json;

/// Where actions stand among the names of the content store.
const REPOSITORY: &str = "sampan.local/actions";
/// How deep folders of a repository may nest.
const LIMIT_DEPTH: usize = 64;

/// Why an action cannot be kept or found.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// The name is none of an action.
    #[error("`{name}` is no action of a repository")]
    Name {
        /// The name.
        name: String,
    },
    /// A file cannot be read.
    #[error("cannot {operation} `{}`", path.display())]
    File {
        /// The operation, as a verb.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Folders nest deeper than in any repository.
    #[error("the folders of `{}` nest too deep", path.display())]
    Deep {
        /// The folder.
        path: PathBuf,
    },
    /// The files cannot be written into the store.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The files cannot be unpacked.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

impl Hint for ActionError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Name { .. } => Some("write `OWNER/REPOSITORY@VERSION`".to_owned()),
            Self::Layer(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Snapshot(error) => error.hint(),
            Self::File { .. } | Self::Deep { .. } => None,
        }
    }
}

/// The name in the content store for `OWNER/REPOSITORY[/PATH]@VERSION`.
///
/// # Errors
/// [`ActionError::Name`] when it is not of that form.
pub fn reference(name: &str) -> Result<Reference, ActionError> {
    let refused = || ActionError::Name {
        name: sampan_model::shortened(name, 80),
    };
    let whole = super::action_name(name).ok_or_else(refused)?;
    let (path, version) = whole.split_once('@').ok_or_else(refused)?;
    let path = path.to_ascii_lowercase();
    // Names that images cannot have, such as `release/v1`, keep what can be read and end with their hash.
    let tag = if sampan_oci::reference::is_tag(version) {
        version.to_owned()
    } else {
        named(version, |c| c.is_ascii_alphanumeric() || c == '.')
    };
    let repository = if sampan_oci::reference::is_repository(&path) {
        path
    } else {
        named(&path, |c| {
            c.is_ascii_lowercase() || c.is_ascii_digit() || c == '/'
        })
    };
    format!("{REPOSITORY}/{repository}:{tag}")
        .parse()
        .map_err(|_| refused())
}

/// What of a text can stand in a name, with the hash of all of it.
fn named(text: &str, fits: impl Fn(char) -> bool) -> String {
    let hash = hex::encode(&digest(&SHA256, text.as_bytes()).as_ref()[..8]);
    let kept: String = text.chars().filter(|c| fits(*c)).take(64).collect();
    let kept = kept.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if kept.is_empty() {
        format!("x{hash}")
    } else {
        format!("{kept}-{hash}")
    }
}

/// The action that is kept under a name; the one with `pinned` where there is one.
///
/// # Errors
/// [`ActionError`] when the name is none, or the store cannot be read.
pub fn find(
    store: &ContentStore,
    name: &str,
    pinned: Option<&Digest>,
) -> Result<Option<Descriptor>, ActionError> {
    let reference = reference(name)?;
    let reference = match pinned {
        Some(pinned) => reference.with_digest(*pinned),
        None => reference,
    };
    Ok(store.resolve(&reference)?)
}

/// Keeps the files of a folder under a name. What belongs to git is left out; times, owners and rights beyond "can be
/// executed" are no part of it.
///
/// # Errors
/// [`ActionError`] when the name is none, a file cannot be read, or the store is full.
pub fn put(store: &ContentStore, name: &str, folder: &Path) -> Result<Descriptor, ActionError> {
    let reference = reference(name)?;
    let mut writer = LayerWriter::new(store, LayerOptions::default())?;
    append(&mut writer, folder, &mut Vec::new())?;
    let layer = writer.finish()?;
    let config = json!({
        "architecture": "unknown",
        "os": "unknown",
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]},
    });
    let config = store.put_json(MediaType::ImageConfig, &config)?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::ImageManifest,
        "config": config,
        "layers": [layer.descriptor],
    });
    let descriptor = store.put_json(MediaType::ImageManifest, &manifest)?;
    store.tag(&reference, &descriptor)?;
    Ok(descriptor)
}

/// The folder with the files of an action; they are unpacked where they are not yet. Nothing may be written there.
///
/// # Errors
/// [`ActionError`] when a part is missing or damaged, or the disk is full.
pub fn unpack(
    store: &ContentStore,
    snapshots: &Snapshots,
    action: &Descriptor,
) -> Result<PathBuf, ActionError> {
    let image = store.image(action)?;
    let folders = snapshots.prepare(store, &image)?;
    folders.into_iter().next().ok_or_else(|| ActionError::Name {
        name: action.digest().to_string(),
    })
}

/// Appends what is in a folder, in the order of the names as bytes.
fn append(
    writer: &mut LayerWriter,
    root: &Path,
    below: &mut Vec<std::ffi::OsString>,
) -> Result<(), ActionError> {
    let folder: PathBuf = std::iter::once(root.as_os_str())
        .chain(below.iter().map(std::ffi::OsString::as_os_str))
        .collect();
    if below.len() > LIMIT_DEPTH {
        return Err(ActionError::Deep { path: folder });
    }
    let failed = |operation, path: &Path| {
        let path = path.to_owned();
        move |source| ActionError::File {
            operation,
            path,
            source,
        }
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed("list", &folder))? {
        names.push(entry.map_err(failed("list", &folder))?.file_name());
    }
    names.sort();
    for name in names {
        if below.is_empty() && name == ".git" {
            continue;
        }
        let path = folder.join(&name);
        let metadata = fs::symlink_metadata(&path).map_err(failed("look at", &path))?;
        let inside: PathBuf = below.iter().chain([&name]).collect();
        let inside = inside.as_os_str().as_bytes().to_vec();
        let file_type = metadata.file_type();
        if file_type.is_dir() {
            writer.append_empty(Entry {
                path: inside,
                ..Entry::directory("")
            })?;
            below.push(name);
            append(writer, root, below)?;
            below.pop();
        } else if file_type.is_symlink() {
            let target = fs::read_link(&path).map_err(failed("read", &path))?;
            writer.append_empty(Entry {
                path: inside,
                kind: Kind::Symlink(target.as_os_str().as_bytes().to_vec()),
                mode: 0o777,
                ..Entry::file("", 0)
            })?;
        } else if file_type.is_file() {
            let mut file = File::open(&path).map_err(failed("open", &path))?;
            let size_bytes = file.metadata().map_err(failed("look at", &path))?.len();
            let can_be_executed = metadata.permissions().mode() & 0o100 != 0;
            let entry = Entry {
                path: inside,
                mode: if can_be_executed { 0o755 } else { 0o644 },
                ..Entry::file("", size_bytes)
            };
            writer.append(entry, &mut file)?;
        }
        // Sockets, pipes and devices are in no repository.
    }
    Ok(())
}
