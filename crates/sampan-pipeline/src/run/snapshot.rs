//! Copies of workspaces, so that a run can be gone on with from any step.
//!
//! A snapshot shares the files that have not changed since the one before, as hard links between the two; a workspace
//! that has not changed at all needs none of its own. Nothing is linked to the workspace itself, where steps write.
//! Steps may be hostile and services run on while a copy is made, so that no path is followed twice: everything is opened
//! from its folder, without following links.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, SeekFrom, Stat, Timespec, Timestamps, Uid,
    chmodat, chownat, linkat, mkdirat, openat, readlinkat, seek, statat, symlinkat, utimensat,
};
use rustix::io::Errno;

/// What tells that a file has not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    kind: u32,
    size: i64,
    inode: u64,
    owner: (u32, u32),
    modified: (i64, i64),
    changed: (i64, i64),
}

/// How deep folders may lie in each other: every one on the way stays open.
const LIMIT_DEPTH: usize = 200;

/// The state of a tree: all paths in it with their stamps.
type Tree = BTreeMap<PathBuf, Stamp>;

/// The snapshots of a stage.
#[derive(Debug)]
pub(super) struct Snapshots {
    folder: PathBuf,
    /// The number of the next one, also when this one fails.
    next: u64,
    last: Option<(u64, Tree)>,
}

impl Snapshots {
    /// Snapshots that are kept in a folder.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            next: 1,
            last: None,
        }
    }

    /// Keeps a tree as it is now and gives the number of the snapshot; that of the last one when nothing has changed.
    pub(super) fn take(&mut self, tree: &Path) -> io::Result<u64> {
        let mut now = Tree::new();
        let source = open_folder(CWD, tree)?;
        scan(&source, Path::new(""), &mut now)?;
        if let Some((number, before)) = &self.last
            && *before == now
        {
            return Ok(*number);
        }
        let number = self.next;
        self.next += 1;
        let target = self.folder.join(number.to_string());
        if let Err(error) = self.copy(&source, &now, &target) {
            // Half of a tree is nothing to go on from.
            if let Err(error) = super::folder::remove(&target) {
                tracing::warn!(%error, "cannot remove a snapshot that is not whole");
            }
            return Err(error);
        }
        self.last = Some((number, now));
        Ok(number)
    }

    fn copy(&self, source: &OwnedFd, now: &Tree, target: &Path) -> io::Result<()> {
        std::fs::create_dir_all(target)?;
        let before = match &self.last {
            Some((number, tree)) => {
                let folder = self.folder.join(number.to_string());
                Some((open_folder(CWD, &folder)?, tree))
            }
            None => None,
        };
        let mut copy = Copy {
            before: before
                .as_ref()
                .map(|(folder, tree)| (folder.as_fd(), *tree)),
            now: Some(now),
        };
        copy.folder(source, &open_folder(CWD, target)?, Path::new(""))
    }
}

/// Brings a snapshot back into a folder that is empty.
pub(super) fn restore(snapshot: &Path, target: &Path) -> io::Result<()> {
    copy(&open_folder(CWD, snapshot)?, target)
}

/// Copies all that an open folder has into a folder that is empty.
pub(super) fn copy(source: &OwnedFd, target: &Path) -> io::Result<()> {
    let mut copy = Copy {
        before: None,
        now: None,
    };
    copy.folder(source, &open_folder(CWD, target)?, Path::new(""))
}

fn open_folder(at: impl AsFd, name: impl rustix::path::Arg) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(at, name, flags, Mode::empty())?)
}

/// The names in a folder.
fn names(folder: &OwnedFd) -> io::Result<Vec<std::ffi::CString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let name = entry?.file_name().to_owned();
        if !matches!(name.as_bytes(), b"." | b"..") {
            names.push(name);
        }
    }
    Ok(names)
}

fn scan(folder: &OwnedFd, path: &Path, found: &mut Tree) -> io::Result<()> {
    check_depth(path)?;
    for name in names(folder)? {
        let stat = match statat(folder, &*name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => continue,
            Err(error) => return Err(error.into()),
        };
        let path = path.join(as_path(&name));
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            match open_folder(folder, &*name) {
                Ok(inner) => scan(&inner, &path, found)?,
                Err(error) if is_gone(&error) => continue,
                Err(error) => return Err(error),
            }
        }
        found.insert(path, stamp(&stat));
    }
    Ok(())
}

fn check_depth(path: &Path) -> io::Result<()> {
    if path.components().count() > LIMIT_DEPTH {
        return Err(io::Error::other("folders lie too deep in each other"));
    }
    Ok(())
}

fn as_path(name: &std::ffi::CStr) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()))
}

fn stamp(stat: &Stat) -> Stamp {
    let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    Stamp {
        kind: stat.st_mode,
        // The size of a folder follows from what was in it once.
        size: if is_folder { 0 } else { stat.st_size },
        inode: stat.st_ino,
        owner: (stat.st_uid, stat.st_gid),
        modified: (stat.st_mtime, nanoseconds(stat.st_mtime_nsec)),
        changed: (stat.st_ctime, nanoseconds(stat.st_ctime_nsec)),
    }
}

#[expect(
    clippy::cast_possible_wrap,
    reason = "there are fewer than 10^9 nanoseconds in a second"
)]
fn nanoseconds(count: u64) -> i64 {
    count as i64
}

/// Whether a file was removed, or something else put into its place, since it was seen.
fn is_gone(error: &io::Error) -> bool {
    let gone = [Errno::NOENT, Errno::LOOP, Errno::NOTDIR, Errno::NXIO];
    error
        .raw_os_error()
        .is_some_and(|code| gone.iter().any(|errno| errno.raw_os_error() == code))
}

/// A copy of a tree.
struct Copy<'a> {
    /// The snapshot before with its tree: files that have not changed are links to its.
    before: Option<(BorrowedFd<'a>, &'a Tree)>,
    /// The tree as it was seen.
    now: Option<&'a Tree>,
}

impl Copy<'_> {
    fn folder(&mut self, source: &OwnedFd, target: &OwnedFd, path: &Path) -> io::Result<()> {
        check_depth(path)?;
        for name in names(source)? {
            let copied = self.entry(source, target, &name, path);
            match copied {
                Err(error) if is_gone(&error) => {}
                other => other?,
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        source: &OwnedFd,
        target: &OwnedFd,
        name: &std::ffi::CStr,
        path: &Path,
    ) -> io::Result<()> {
        let stat = statat(source, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let path = path.join(as_path(name));
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let inner = open_folder(source, name)?;
                mkdirat(target, name, Mode::RWXU)?;
                let made = open_folder(target, name)?;
                self.folder(&inner, &made, &path)?;
            }
            FileType::RegularFile => {
                if self.link(&path, &stat, target, name) {
                    return Ok(());
                }
                file(source, target, name)?;
            }
            FileType::Symlink => {
                let link = readlinkat(source, name, Vec::new())?;
                symlinkat(&*link, target, name)?;
            }
            // Sockets and pipes belong to processes, which are not kept.
            _ => return Ok(()),
        }
        let owner = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        chownat(target, name, Some(owner.0), Some(owner.1), flags)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
            // After the owner, whose change takes some bits away.
            chmodat(
                target,
                name,
                Mode::from_raw_mode(stat.st_mode),
                AtFlags::empty(),
            )?;
        }
        utimensat(target, name, &times(&stat), flags)?;
        Ok(())
    }

    /// Links a file that has not changed.
    fn link(&self, path: &Path, stat: &Stat, target: &OwnedFd, name: &std::ffi::CStr) -> bool {
        let Some((folder, tree)) = &self.before else {
            return false;
        };
        let stamp = stamp(stat);
        let same = |tree: &Tree| tree.get(path) == Some(&stamp);
        // The snapshots are the executor's own: their paths can be followed.
        same(tree)
            && self.now.is_none_or(same)
            && linkat(folder, path, target, name, AtFlags::empty()).is_ok()
    }
}

fn file(source: &OwnedFd, target: &OwnedFd, name: &std::ffi::CStr) -> io::Result<()> {
    // Not blocked by a pipe that has taken the place of the file.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut from = File::from(openat(source, name, flags, Mode::empty())?);
    if !from.metadata()?.is_file() {
        return Ok(());
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mut to = File::from(openat(target, name, flags, Mode::RUSR | Mode::WUSR)?);
    contents(&mut from, &mut to)
}

/// Copies what a file holds. Its holes stay holes: it may be longer than the disk.
fn contents(from: &mut File, to: &mut File) -> io::Result<()> {
    // What it grows by meanwhile is not awaited.
    let length = from.metadata()?.len();
    let mut place = 0;
    while place < length {
        let begin = match seek(&*from, SeekFrom::Data(place)) {
            Err(Errno::NXIO) => break,
            other => other?,
        };
        let end = seek(&*from, SeekFrom::Hole(begin))?.min(length);
        seek(&*from, SeekFrom::Start(begin))?;
        seek(&*to, SeekFrom::Start(begin))?;
        io::copy(&mut from.take(end.saturating_sub(begin)), to)?;
        place = end.max(begin);
    }
    to.set_len(length.min(from.metadata()?.len()))
}

fn times(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: stat.st_atime,
            tv_nsec: nanoseconds(stat.st_atime_nsec),
        },
        last_modification: Timespec {
            tv_sec: stat.st_mtime,
            tv_nsec: nanoseconds(stat.st_mtime_nsec),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::{FileExt, MetadataExt};

    use super::{Snapshots, restore};

    #[test]
    fn one_that_fails_does_not_keep_others_from_being_made() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        std::fs::create_dir_all(&tree).unwrap();
        std::fs::write(tree.join("a"), "a").unwrap();
        let kept = folder.path().join("snapshots");
        std::fs::create_dir(&kept).unwrap();
        std::fs::write(kept.join("1"), "in the way").unwrap();
        let mut snapshots = Snapshots::new(kept.clone());
        snapshots.take(&tree).unwrap_err();
        let number = snapshots.take(&tree).unwrap();
        let copy = kept.join(number.to_string()).join("a");
        assert_eq!(std::fs::read_to_string(copy).unwrap(), "a");
    }

    #[test]
    fn holes_in_files_take_no_room() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        std::fs::create_dir(&tree).unwrap();
        let file = File::create(tree.join("disk.img")).unwrap();
        file.write_all_at(b"begin", 0).unwrap();
        file.write_all_at(b"middle", 512 << 20).unwrap();
        file.set_len(1 << 30).unwrap();
        File::create(tree.join("empty")).unwrap();
        let kept = folder.path().join("snapshots");
        let number = Snapshots::new(kept.clone()).take(&tree).unwrap();
        let copy = File::open(kept.join(number.to_string()).join("disk.img")).unwrap();
        let found = copy.metadata().unwrap();
        assert_eq!(found.len(), 1 << 30);
        assert!(found.blocks() < 1_000, "{} blocks", found.blocks());
        let mut piece = [0; 8];
        copy.read_exact_at(&mut piece, 0).unwrap();
        assert_eq!(&piece, b"begin\0\0\0");
        copy.read_exact_at(&mut piece, 512 << 20).unwrap();
        assert_eq!(&piece, b"middle\0\0");
    }

    #[test]
    fn what_has_not_changed_is_shared() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        std::fs::create_dir_all(tree.join("src/empty")).unwrap();
        std::fs::write(tree.join("src/a"), "a").unwrap();
        std::fs::write(tree.join("b"), "b").unwrap();
        std::os::unix::fs::symlink("/nowhere", tree.join("link")).unwrap();
        let kept = folder.path().join("snapshots");
        let mut snapshots = Snapshots::new(kept.clone());
        assert_eq!(snapshots.take(&tree).unwrap(), 1);
        assert_eq!(snapshots.take(&tree).unwrap(), 1, "nothing has changed");
        std::fs::write(tree.join("b"), "changed").unwrap();
        assert_eq!(snapshots.take(&tree).unwrap(), 2);
        let inode = |path: &str| std::fs::symlink_metadata(kept.join(path)).unwrap().ino();
        assert_eq!(inode("1/src/a"), inode("2/src/a"));
        assert_ne!(inode("1/b"), inode("2/b"));
        assert_ne!(
            inode("1/src/a"),
            std::fs::metadata(tree.join("src/a")).unwrap().ino(),
            "the workspace shares nothing"
        );

        let back = folder.path().join("back");
        std::fs::create_dir(&back).unwrap();
        restore(&kept.join("1"), &back).unwrap();
        assert_eq!(std::fs::read_to_string(back.join("b")).unwrap(), "b");
        assert!(back.join("src/empty").is_dir());
        assert_eq!(
            std::fs::read_link(back.join("link")).unwrap().as_os_str(),
            "/nowhere"
        );
        let modified =
            |path: std::path::PathBuf| std::fs::metadata(path).unwrap().modified().unwrap();
        assert_eq!(modified(back.join("src/a")), modified(tree.join("src/a")));
    }
}
