//! Gives a volume to the pod's group (`fsGroup`).

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat};
use nix::unistd::{Gid, fchownat};

/// A file is named, not opened, and a link stands for itself.
const NAMED: OFlag = OFlag::O_PATH
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// Changes the group of everything in a volume and lets the group read and write it; new files in its
/// directories get the group, too. Nothing is written for what is right already. No link is followed, even one
/// that takes the place of a directory meanwhile.
pub(super) fn give(volume: &Path, group: u32) -> io::Result<()> {
    give_one(&open(volume, NAMED, Mode::empty())?, group)
}

fn give_one(file: &OwnedFd, group: u32) -> io::Result<()> {
    let found = fstat(file)?;
    if found.st_gid != group {
        let group = Some(Gid::from_raw(group));
        fchownat(file, "", None, group, AtFlags::AT_EMPTY_PATH)?;
    }
    if is(&found, SFlag::S_IFLNK) {
        return Ok(());
    }
    let old = found.st_mode & 0o7777;
    // Who may execute a file is not changed; directories can be entered.
    let new = if is(&found, SFlag::S_IFDIR) {
        old | 0o2070
    } else {
        old | ((old & 0o600) >> 3)
    };
    // The way through the descriptor leads to the file itself, wherever it is by now.
    let itself = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    if new != old {
        fs::set_permissions(&itself, fs::Permissions::from_mode(new))?;
    }
    if is(&found, SFlag::S_IFDIR) {
        for entry in fs::read_dir(&itself)? {
            match openat(
                file.as_fd(),
                entry?.file_name().as_os_str(),
                NAMED,
                Mode::empty(),
            ) {
                Ok(inner) => give_one(&inner, group)?,
                // It was removed meanwhile.
                Err(Errno::ENOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

fn is(found: &FileStat, kind: SFlag) -> bool {
    found.st_mode & SFlag::S_IFMT.bits() == kind.bits()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    #[test]
    fn the_group_gets_what_is_in_the_volume_and_nothing_that_links_lead_to() {
        let folder = tempfile::tempdir().unwrap();
        let (volume, other) = (folder.path().join("volume"), folder.path().join("other"));
        fs::create_dir_all(volume.join("deep")).unwrap();
        for file in [&other, &volume.join("deep/file")] {
            fs::write(file, "1").unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
        }
        symlink(&other, volume.join("link")).unwrap();
        give(&volume, 4321).unwrap();
        let of = |path: &Path| {
            let found = fs::symlink_metadata(path).unwrap();
            (found.gid(), found.mode() & 0o7777)
        };
        assert_eq!(of(&volume.join("deep/file")), (4321, 0o660));
        assert_eq!(of(&volume.join("deep")).0, 4321);
        assert_eq!(of(&volume).1 & 0o2070, 0o2070);
        assert_eq!(of(&volume.join("link")).0, 4321);
        assert_eq!(of(&other), (0, 0o600));
    }
}
