//! ADD of an archive: what it holds goes into the image.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::lchown;
use std::path::{Component, Path, PathBuf};

use sampan_oci::layer::{LayerError, decompress};

use super::copier::Owner;
use crate::error::StepError;

/// Archives in compressions that cannot be read must not be taken for plain files.
const UNREADABLE: [&str; 5] = [".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tbz"];

/// Whether the file is a tar archive, compressed or not.
pub(super) fn is_archive(path: &Path) -> Result<bool, StepError> {
    let fail = |source| StepError::Unpack {
        path: path.display().to_string(),
        source,
    };
    let file = File::open(path).map_err(fail)?;
    let bytes = match decompress(file) {
        Ok(bytes) => bytes,
        Err(error @ LayerError::Compression { .. }) => {
            let name = path.to_string_lossy();
            if UNREADABLE.iter().any(|suffix| name.ends_with(suffix)) {
                return Err(error.into());
            }
            return Ok(false);
        }
        Err(_) => return Ok(false),
    };
    let mut archive = tar::Archive::new(bytes);
    let mut entries = archive.entries().map_err(fail)?;
    Ok(matches!(entries.next(), Some(Ok(_))))
}

/// Unpacks an archive into `folder`. Entries that would leave it are refused.
pub(super) fn unpack(path: &Path, folder: &Path, owner: Option<Owner>) -> Result<(), StepError> {
    let fail = |source| StepError::Unpack {
        path: path.display().to_string(),
        source,
    };
    let bytes = decompress(File::open(path).map_err(fail)?)?;
    let mut archive = tar::Archive::new(bytes);
    archive.set_preserve_permissions(true);
    archive.set_preserve_ownerships(true);
    for entry in archive.entries().map_err(fail)? {
        let mut entry = entry.map_err(fail)?;
        let inside = entry.unpack_in(folder).map_err(fail)?;
        if !inside {
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            return Err(fail(io::Error::other(format!(
                "`{name}` would leave the destination"
            ))));
        }
        if let Some(owner) = owner {
            let target = below(folder, &entry.path().map_err(fail)?);
            change_owner(&target, owner).map_err(fail)?;
        }
    }
    Ok(())
}

/// Where an entry was unpacked: a leading slash counts for nothing, and `..` was refused.
fn below(folder: &Path, name: &Path) -> PathBuf {
    let mut path = folder.to_owned();
    path.extend(name.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    }));
    path
}

fn change_owner(path: &Path, owner: Owner) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        // Some entries, such as the comment that `git archive` writes, are no files.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    lchown(path, Some(owner.uid), Some(owner.gid))?;
    // A new owner costs a file its setuid and setgid bits.
    if metadata.is_file() {
        fs::set_permissions(path, metadata.permissions())?;
    }
    Ok(())
}
