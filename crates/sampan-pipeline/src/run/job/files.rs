//! The folder of one process: its script, and the files by which it hands things over.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, mkdirat, openat, unlinkat};

use super::{JobError, RUNNER};
use crate::github::file_command::LIMIT_BYTES;

/// The names of the files by which a process hands things over, as `github` has them.
pub(super) const NAMES: [&str; 5] = ["env", "output", "path", "state", "step_summary"];

/// The name of the script of a process.
pub(super) const SCRIPT: &str = "script";

/// The folder of all processes of a job; it is mounted, so that nobody in a container can put another into its place.
#[derive(Debug)]
pub(super) struct Files {
    folder: OwnedFd,
    next: AtomicUsize,
}

/// The folder of one process.
#[derive(Debug)]
pub(super) struct ProcessFiles {
    folder: OwnedFd,
    /// The folder of all processes, and the name of this one there.
    above: OwnedFd,
    name: String,
    /// Where it lies in containers.
    pub(super) inside: String,
}

impl Files {
    pub(super) fn open(path: &Path) -> Result<Self, JobError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = openat(CWD, path, flags, Mode::empty()).map_err(failed("files"))?;
        Ok(Self {
            folder,
            next: AtomicUsize::new(1),
        })
    }

    /// A new folder with empty files.
    pub(super) fn of_process(&self) -> Result<ProcessFiles, JobError> {
        let number = self.next.fetch_add(1, Ordering::SeqCst).to_string();
        // What lies there already is not taken: a step may have put it there.
        let mode = Mode::RWXU | Mode::RWXG | Mode::RWXO;
        mkdirat(&self.folder, &*number, mode).map_err(failed("files"))?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder =
            openat(&self.folder, &*number, flags, Mode::empty()).map_err(failed("files"))?;
        // Steps may run as anybody.
        rustix::fs::fchmod(&folder, mode).map_err(failed("files"))?;
        let above = rustix::io::fcntl_dupfd_cloexec(&self.folder, 0).map_err(failed("files"))?;
        let files = ProcessFiles {
            folder,
            above,
            inside: format!("{RUNNER}/files/{number}"),
            name: number,
        };
        for name in NAMES {
            files.write(name, b"", 0o666)?;
        }
        Ok(files)
    }
}

impl ProcessFiles {
    /// The path of a file as the process sees it.
    pub(super) fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.inside)
    }

    /// Writes a file that is not there yet.
    pub(super) fn write(
        &self,
        name: &'static str,
        bytes: &[u8],
        mode: u32,
    ) -> Result<(), JobError> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(mode);
        let file = openat(&self.folder, name, flags, mode).map_err(failed(name))?;
        // Not as the mask of this process has it.
        rustix::fs::fchmod(&file, mode).map_err(failed(name))?;
        File::from(file)
            .write_all(bytes)
            .map_err(|source| JobError::File { name, source })
    }

    /// What the process wrote into a file; nothing when it was removed.
    pub(super) fn read(&self, name: &'static str) -> Result<String, JobError> {
        let refused = |source| JobError::File { name, source };
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(&self.folder, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT) => return Ok(String::new()),
            Err(error) => return Err(refused(error.into())),
        };
        if !file.metadata().map_err(refused)?.is_file() {
            return Err(refused(io::Error::other("it is no file")));
        }
        let mut bytes = Vec::new();
        // One more than may be read, so that who reads on sees that it is too long.
        let limit = LIMIT_BYTES as u64 + 1;
        file.take(limit).read_to_end(&mut bytes).map_err(refused)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Scripts have secrets in them, which later steps may not have: nothing is left when the process has ended.
impl Drop for ProcessFiles {
    fn drop(&mut self) {
        for name in NAMES.into_iter().chain([SCRIPT]) {
            let removed = unlinkat(&self.folder, name, AtFlags::empty());
            if let Err(error) = removed
                && error != rustix::io::Errno::NOENT
            {
                tracing::warn!(%error, name, "cannot remove a file of a step");
            }
        }
        // What the step has put there itself stays.
        if let Err(error) = unlinkat(&self.above, &*self.name, AtFlags::REMOVEDIR) {
            tracing::debug!(%error, "cannot remove the folder of a process");
        }
    }
}

fn failed(name: &'static str) -> impl FnOnce(rustix::io::Errno) -> JobError {
    move |error| JobError::File {
        name,
        source: error.into(),
    }
}
