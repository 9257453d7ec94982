//! Parts of a workspace as files of the installation: tar, compressed.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use ring::digest::{Context, SHA256};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, Uid};
use rustix::io::Errno;
use sampan_oci::archive::{ArchiveError, ArchiveReader, ArchiveWriter, Entry, Kind};
use sampan_oci::durable;

use super::files::{Found, Root, child, is_absent, is_of_the_kernel, list, split};

/// How hard files are compressed: caches are made often and read once.
const LEVEL: i32 = 3;
/// How deep folders may lie in each other: every one on the way stays open.
const LIMIT_DEPTH: usize = 200;

/// What was packed.
#[derive(Debug, Clone, Default)]
pub(super) struct Packed {
    pub(super) files: u64,
    /// The size of the archive.
    pub(super) size_bytes: u64,
    /// The SHA-256 of the archive, in hex.
    pub(super) digest: String,
}

/// One thing to be packed: where it lies below the root, and its name in the archive; without a name, what the folder has.
pub(super) struct Member {
    pub(super) path: String,
    pub(super) name: String,
    /// Whether a link is followed, and folders are left out.
    pub(super) as_file: bool,
}

/// Writes an archive, which appears at `target` when it is whole.
pub(super) fn pack(
    root: &Root,
    members: &[Member],
    target: &Path,
    is_ended: &dyn Fn() -> bool,
) -> io::Result<Packed> {
    let file = durable::create_partial(target)?;
    let packed = write(root, members, file, is_ended).and_then(|packed| {
        fs::rename(durable::partial_path(target), target)?;
        durable::sync_directory(durable::directory_of(target))?;
        Ok(packed)
    });
    if packed.is_err() {
        // What cannot be removed is emptied by the next writer.
        let _ = fs::remove_file(durable::partial_path(target));
    }
    packed
}

/// Bytes on their way to a file, counted and hashed.
struct Tee {
    file: File,
    hash: Context,
    size_bytes: u64,
}

impl Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.size_bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn write(
    root: &Root,
    members: &[Member],
    file: File,
    is_ended: &dyn Fn() -> bool,
) -> io::Result<Packed> {
    let tee = Tee {
        file,
        hash: Context::new(&SHA256),
        size_bytes: 0,
    };
    let encoder = zstd::Encoder::new(tee, LEVEL)?;
    let mut packer = Packer {
        archive: ArchiveWriter::new(encoder),
        is_ended,
        files: 0,
    };
    for member in members {
        packer.member(root, member)?;
    }
    let Packer { archive, files, .. } = packer;
    let tee = archive.finish().map_err(into_io)?.finish()?;
    tee.file.sync_all()?;
    Ok(Packed {
        files,
        size_bytes: tee.size_bytes,
        digest: hex::encode(tee.hash.finish()),
    })
}

struct Packer<'a, W: Write> {
    archive: ArchiveWriter<W>,
    is_ended: &'a dyn Fn() -> bool,
    files: u64,
}

impl<W: Write> Packer<'_, W> {
    fn member(&mut self, root: &Root, member: &Member) -> io::Result<()> {
        if member.as_file {
            let file = root.file(member.path.as_bytes())?;
            let stat = rustix::fs::fstat(&file)?;
            return self.file(file, &stat, member.name.as_bytes());
        }
        if member.name.is_empty() {
            let folder = root.folder(member.path.as_bytes())?;
            return self.contents(&folder, b"", 0);
        }
        let (parent, name) = split(member.path.as_bytes());
        let parent = root.folder(parent)?;
        let stat = rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let found = Found {
            name: name.to_vec(),
            stat,
        };
        self.found(&parent, &found, member.name.as_bytes(), 0)
    }

    fn contents(&mut self, folder: &OwnedFd, name: &[u8], depth: usize) -> io::Result<()> {
        if depth > LIMIT_DEPTH {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "folders lie too deep in each other",
            ));
        }
        for found in list(folder)? {
            let path = match name {
                b"" => found.name.clone(),
                name => [name, b"/", &found.name].concat(),
            };
            self.found(folder, &found, &path, depth)?;
        }
        Ok(())
    }

    fn found(
        &mut self,
        folder: &OwnedFd,
        found: &Found,
        path: &[u8],
        depth: usize,
    ) -> io::Result<()> {
        if (self.is_ended)() {
            return Err(io::Error::new(
                io::ErrorKind::Interrupted,
                "the run was ended",
            ));
        }
        match found.kind() {
            FileType::Directory => {
                let inner = match child(folder, &found.name) {
                    Err(error) if is_of_the_kernel(&error) => return Ok(()),
                    inner => inner?,
                };
                let entry = entry(path, Kind::Directory, &found.stat);
                self.archive.append_empty(&entry).map_err(into_io)?;
                self.contents(&inner, path, depth + 1)
            }
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(folder, found.name.as_slice(), Vec::new())?;
                let entry = entry(path, Kind::Symlink(target.into_bytes()), &found.stat);
                self.archive.append_empty(&entry).map_err(into_io)
            }
            FileType::RegularFile => {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
                let file = rustix::fs::openat(folder, found.name.as_slice(), flags, Mode::empty())?;
                let stat = rustix::fs::fstat(&file)?;
                self.file(File::from(file), &stat, path)
            }
            // Pipes, sockets and devices hold nothing that could be kept.
            _ => Ok(()),
        }
    }

    fn file(&mut self, mut file: File, stat: &rustix::fs::Stat, path: &[u8]) -> io::Result<()> {
        let mut entry = entry(path, Kind::File, stat);
        entry.size_bytes = stat.st_size.unsigned_abs();
        self.files += 1;
        self.archive.append(&entry, &mut file).map_err(into_io)
    }
}

fn entry(path: &[u8], kind: Kind, stat: &rustix::fs::Stat) -> Entry {
    Entry {
        path: path.to_vec(),
        kind,
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        mtime: stat.st_mtime,
        ..Entry::file("", 0)
    }
}

fn into_io(error: ArchiveError) -> io::Error {
    match error {
        ArchiveError::Io(error) => error,
        other => io::Error::other(other),
    }
}

/// Puts what an archive has below a folder of the root; what is there under the same names is replaced. Gives the number
/// of files.
pub(super) fn unpack(
    root: &Root,
    folder: &str,
    source: impl Read,
    is_ended: &dyn Fn() -> bool,
) -> io::Result<u64> {
    let source = sampan_oci::layer::decompress(source).map_err(io::Error::other)?;
    let mut archive = ArchiveReader::new(source);
    let mut folders = Vec::new();
    let mut files = 0;
    root.make_folder(folder.as_bytes())?;
    while let Some(entry) = archive.next_entry().map_err(into_io)? {
        if is_ended() {
            return Err(io::Error::new(
                io::ErrorKind::Interrupted,
                "the run was ended",
            ));
        }
        let path = inside(folder.as_bytes(), &entry.path)?;
        let (parent, name) = split(&path);
        let parent = root.make_folder(parent)?;
        match &entry.kind {
            Kind::Directory => {
                root.make_folder(&path)?;
                folders.push((path.clone(), entry));
            }
            Kind::File => {
                make_file(&parent, name, &entry, &mut archive)?;
                files += 1;
            }
            Kind::Symlink(target) => {
                remove(&parent, name)?;
                rustix::fs::symlinkat(target.as_slice(), &parent, name)?;
            }
            _ => {
                let problem = format!(
                    "`{}` is neither a file nor a folder nor a link",
                    entry.display_path()
                );
                return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
            }
        }
    }
    // What is made in a folder changes its time, and rights may forbid to make anything.
    for (path, entry) in folders.iter().rev() {
        match root.folder(path) {
            Ok(fd) => set_attributes(&fd, entry)?,
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(files)
}

/// A path of an archive below a folder; one that leads elsewhere is refused.
fn inside(folder: &[u8], path: &[u8]) -> io::Result<Vec<u8>> {
    let mut result = folder.to_vec();
    let mut is_named = false;
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                let problem = format!(
                    "`{}` leads out of its folder",
                    String::from_utf8_lossy(path)
                );
                return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
            }
            part => {
                if !result.is_empty() {
                    result.push(b'/');
                }
                result.extend_from_slice(part);
                is_named = true;
            }
        }
    }
    if is_named {
        return Ok(result);
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "a file in the archive has no name",
    ))
}

fn make_file(parent: &OwnedFd, name: &[u8], entry: &Entry, data: &mut dyn Read) -> io::Result<()> {
    remove(parent, name)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(parent, name, flags, Mode::RUSR | Mode::WUSR)?;
    let mut file = File::from(fd);
    io::copy(data, &mut file)?;
    set_attributes(&OwnedFd::from(file), entry)
}

/// Removes a file or link that is in the way; a folder stays, and is an error to whoever wants its name.
fn remove(parent: &OwnedFd, name: &[u8]) -> io::Result<()> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT | Errno::ISDIR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn set_attributes(fd: &OwnedFd, entry: &Entry) -> io::Result<()> {
    let owner = Some(Uid::from_raw(entry.uid));
    let group = Some(Gid::from_raw(entry.gid));
    match rustix::fs::fchown(fd.as_fd(), owner, group) {
        // Without the right to it, files belong to who runs this.
        Ok(()) | Err(Errno::PERM | Errno::INVAL) => {}
        Err(error) => return Err(error.into()),
    }
    rustix::fs::fchmod(fd.as_fd(), Mode::from_raw_mode(entry.mode & 0o7777))?;
    let times = Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: entry.mtime,
            tv_nsec: 0,
        },
    };
    rustix::fs::futimens(fd.as_fd(), &times)?;
    Ok(())
}
