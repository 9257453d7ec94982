//! The user file on disk.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use sampan_listen::secret;

use super::{Users, UsersError, document};

/// Where the user file of a data directory lies.
pub(super) fn path(data: &Path) -> PathBuf {
    data.join("registry/users.yaml")
}

/// The users of a data directory; none when there is no file.
///
/// # Errors
/// When the file cannot be read or understood.
pub fn read(data: &Path) -> Result<Users, UsersError> {
    Ok(load(&path(data))?.unwrap_or_default())
}

/// Changes the users of a data directory, all or nothing. Others who change them wait; a server sees the new ones with
/// its next request.
///
/// # Errors
/// When the file cannot be read, understood or written, and what `change` fails with.
pub fn edit<T>(
    data: &Path,
    change: impl FnOnce(&mut Users) -> Result<T, UsersError>,
) -> Result<T, UsersError> {
    let path = path(data);
    let failed = |source| UsersError::Write {
        path: path.clone(),
        source,
    };
    let _lock = lock(&path).map_err(failed)?;
    let mut users = load(&path)?.unwrap_or_default();
    let outcome = change(&mut users)?;
    secret::write(&path, &document::render(&users)).map_err(failed)?;
    Ok(outcome)
}

/// Taken by who changes the file, from reading to writing; the kernel gives it back when the process ends.
fn lock(path: &Path) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path.with_extension("lock"))?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

/// Reads a user file; nothing when there is none.
pub(super) fn load(path: &Path) -> Result<Option<Users>, UsersError> {
    match std::fs::read_to_string(path) {
        Ok(text) => document::parse(&path.display().to_string(), &text).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(UsersError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}
