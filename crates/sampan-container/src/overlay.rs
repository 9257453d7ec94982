//! Overlay mounts: read-only layers under one writable directory.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags};
use nix::sched::CloneFlags;

use crate::{Error, Result};

/// The kernel takes one page of options; with more layers than fit, they are named by open files.
const OPTIONS_LIMIT_BYTES: usize = 4000;

/// An overlay of directories.
#[derive(Debug, Clone)]
pub struct Overlay {
    /// Lower directories, topmost first.
    pub lower: Vec<PathBuf>,
    /// The writable directory; read-only when absent (then at least two lower directories make an overlay, and
    /// one is bound as it is).
    pub upper: Option<PathBuf>,
    /// The work directory, empty and on the file system of `upper`.
    pub work: Option<PathBuf>,
}

/// How much an overlay's upper directory, or a file, is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worth {
    /// It is kept: what a program syncs survives a power cut.
    Kept,
    /// It is made again when the machine stops: the kernel need not wait for the disk, which it otherwise does
    /// for each file that is copied up, and for all of them when the overlay is unmounted.
    Passing,
}

/// A mount that is taken away when this is dropped.
#[derive(Debug)]
pub struct MountGuard {
    target: PathBuf,
}

impl MountGuard {
    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.target
    }
}

impl Drop for MountGuard {
    fn drop(&mut self) {
        if let Err(error) = nix::mount::umount2(&self.target, MntFlags::MNT_DETACH) {
            tracing::warn!(%error, target = %self.target.display(), "cannot unmount");
        }
    }
}

impl Overlay {
    /// Mounts the overlay on `target`, a directory. After a power cut its upper directory is in no defined state.
    ///
    /// # Errors
    /// When the kernel refuses, for example because a directory does not exist.
    pub fn mount(&self, target: &Path) -> Result<MountGuard> {
        self.mount_unguarded(target, Worth::Passing)?;
        Ok(MountGuard {
            target: target.to_owned(),
        })
    }

    /// Mounts the overlay for as long as the mount namespace lives.
    pub(crate) fn mount_unguarded(&self, target: &Path, worth: Worth) -> Result<()> {
        let refused = Error::io("mount an overlay on", target);
        if self.upper.is_none()
            && let [only] = self.lower.as_slice()
        {
            let flags = MsFlags::MS_BIND;
            nix::mount::mount(Some(only), target, None::<&str>, flags, None::<&str>)
                .map_err(refused)?;
            let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
            return nix::mount::mount(None::<&str>, target, None::<&str>, flags, None::<&str>)
                .map_err(Error::io("make read-only", target));
        }
        let mut options = options(&self.lower, self.upper.as_deref(), self.work.as_deref());
        let mut opened = Vec::new();
        if options.len() > OPTIONS_LIMIT_BYTES {
            for directory in &self.lower {
                opened.push(File::open(directory).map_err(Error::io("open", directory))?);
            }
            let short: Vec<PathBuf> = opened
                .iter()
                .map(|file| PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd())))
                .collect();
            options = self::options(&short, self.upper.as_deref(), self.work.as_deref());
        }
        if self.upper.is_some() && worth == Worth::Passing {
            options.push(",volatile");
        }
        let mounted = nix::mount::mount(
            Some("overlay"),
            target,
            Some("overlay"),
            MsFlags::empty(),
            Some(options.as_os_str()),
        );
        // Until here the short names had to mean something.
        drop(opened);
        mounted.map_err(refused)
    }
}

fn options(lower: &[PathBuf], upper: Option<&Path>, work: Option<&Path>) -> OsString {
    let mut options = OsString::from("lowerdir=");
    for (position, directory) in lower.iter().enumerate() {
        if position > 0 {
            options.push(":");
        }
        options.push(escape(directory));
    }
    for (name, directory) in [(",upperdir=", upper), (",workdir=", work)] {
        if let Some(directory) = directory {
            options.push(name);
            options.push(escape(directory));
        }
    }
    options
}

/// Calls `work` on a thread with a mount namespace of its own: mounts that it makes are seen by nobody else, and
/// are gone afterwards, also when the process is killed.
///
/// # Errors
/// When the kernel refuses a new mount namespace.
pub fn privately<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T> {
    const OPERATION: &str = "make a mount namespace";
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("private-mounts".to_owned());
        let thread = thread.spawn_scoped(scope, || {
            nix::sched::unshare(CloneFlags::CLONE_NEWNS).map_err(Error::system(OPERATION))?;
            let flags = MsFlags::MS_REC | MsFlags::MS_SLAVE;
            nix::mount::mount(None::<&str>, "/", None::<&str>, flags, None::<&str>)
                .map_err(Error::system(OPERATION))?;
            Ok(work())
        });
        match thread.map_err(Error::system(OPERATION))?.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Escapes what separates directories and options.
fn escape(path: &Path) -> OsString {
    use std::os::unix::ffi::OsStringExt;
    let mut escaped = Vec::new();
    for &byte in path.as_os_str().as_bytes() {
        if matches!(byte, b'\\' | b':' | b',') {
            escaped.push(b'\\');
        }
        escaped.push(byte);
    }
    OsString::from_vec(escaped)
}
