//! What is mounted in this mount namespace, and folders in memory.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags};

use crate::{Error, Result};

const TABLE: &str = "/proc/self/mountinfo";

/// Unmounts all that is mounted below `folder`; what still uses a mount keeps it until it ends.
///
/// # Errors
/// When the mounts cannot be read, or the kernel refuses.
pub fn unmount_below(folder: &Path) -> Result<()> {
    let folder = folder.canonicalize().map_err(Error::io("find", folder))?;
    let table = std::fs::read(TABLE).map_err(Error::io("read", TABLE))?;
    let mounted = table.split(|byte| *byte == b'\n').filter_map(mount_point);
    let below: Vec<PathBuf> = mounted.filter(|path| path.starts_with(&folder)).collect();
    // The last ones may lie on those before them.
    for path in below.iter().rev() {
        nix::mount::umount2(path, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW)
            .map_err(Error::io("unmount", path))?;
    }
    Ok(())
}

/// A folder in memory for several containers; it is gone with all that is in it when this is dropped.
#[derive(Debug)]
pub struct MemoryFolder {
    path: PathBuf,
}

impl MemoryFolder {
    /// Puts memory at `path`, a folder that exists, of which everybody may take up to `size_bytes`; half of the machine's
    /// where nothing is said.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn mount(path: &Path, size_bytes: Option<u64>) -> Result<Self> {
        let size = size_bytes.map_or_else(String::new, |size| format!(",size={size}"));
        let options = format!("mode=1777{size}");
        nix::mount::mount(
            Some("tmpfs"),
            path,
            Some("tmpfs"),
            MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
            Some(options.as_str()),
        )
        .map_err(Error::io("mount memory at", path))?;
        Ok(Self {
            path: path.to_owned(),
        })
    }
}

impl Drop for MemoryFolder {
    fn drop(&mut self) {
        let flags = MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW;
        if let Err(error) = nix::mount::umount2(&self.path, flags) {
            tracing::warn!(%error, path = %self.path.display(), "cannot unmount a folder in memory");
        }
    }
}

/// The mount point in a line of the table (`proc_pid_mountinfo(5)`): the fifth field, blanks and the like in octal.
fn mount_point(line: &[u8]) -> Option<PathBuf> {
    let field = line.split(|byte| *byte == b' ').nth(4)?;
    let mut path = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, tail @ ..] = rest {
        let octal = (*first == b'\\')
            .then(|| tail.get(..3))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        path.push(octal.unwrap_or(*first));
        rest = if octal.is_some() { &tail[3..] } else { tail };
    }
    Some(PathBuf::from(OsString::from_vec(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_in_mount_points_are_understood() {
        let line = br"36 35 98:0 / /mnt/a\040b\134c rw,noatime - ext3 /dev/root rw";
        assert_eq!(mount_point(line), Some(PathBuf::from(r"/mnt/a b\c")));
        assert_eq!(mount_point(b""), None);
    }
}
