//! Gives a volume to the pod's group (`fsGroup`).

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::path::Path;

/// Changes the group of everything in a volume and lets the group read and write it; new files in its
/// directories get the group, too. Nothing is written for what is right already.
pub(super) fn give(path: &Path, group: u32) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.gid() != group {
        lchown(path, None, Some(group))?;
    }
    if metadata.is_symlink() {
        return Ok(());
    }
    let old = metadata.permissions().mode() & 0o7777;
    // Who may execute a file is not changed; directories can be entered.
    let new = if metadata.is_dir() {
        old | 0o2070
    } else {
        old | ((old & 0o600) >> 3)
    };
    if new != old {
        fs::set_permissions(path, fs::Permissions::from_mode(new))?;
    }
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), group)?;
        }
    }
    Ok(())
}
