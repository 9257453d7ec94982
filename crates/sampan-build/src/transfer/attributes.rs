//! The extended attributes that a copy takes along: the same as those that layers hold.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;
use rustix::fs::XattrFlags;
use sampan_oci::layer::kept_attributes;

use crate::error::{IoError, StepError};

/// The attributes of a file or folder, by name; others have none that are kept.
pub(super) fn read(
    path: &Path,
    metadata: &Metadata,
) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, StepError> {
    if !metadata.is_file() && !metadata.is_dir() {
        return Ok(BTreeMap::new());
    }
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let file = File::options()
        .read(true)
        .custom_flags(flags.bits())
        .open(path)
        .map_err(IoError::new("open", path))?;
    Ok(kept_attributes(&file, path)?)
}

/// Gives `target` the attributes that `source` has.
pub(super) fn copy(source: &Path, metadata: &Metadata, target: &Path) -> Result<(), StepError> {
    for (name, value) in read(source, metadata)? {
        rustix::fs::lsetxattr(target, name.as_slice(), &value, XattrFlags::empty())
            .map_err(IoError::new("set the attributes of", target))?;
    }
    Ok(())
}
