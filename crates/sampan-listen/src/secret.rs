//! Files in `keys/` that only their owner can read, made at the first start and kept from then on.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sampan_model::Hint;

/// The folder of the keys in the data directory.
const FOLDER: &str = "keys";

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A file could not be read.
    #[error("cannot read the key file `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("cannot write the key file `{}`", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A key could not be made or understood.
    #[error("cannot use the key file `{}`", .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: rcgen::Error,
    },
}

impl Hint for KeysError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Key { path, .. } => Some(format!(
                "restore `{}` from a backup, or remove it to have a new one made (clients then need a new kubeconfig)",
                path.display()
            )),
            Self::Read { .. } | Self::Write { .. } => {
                Some("run as the user that owns the data directory, usually root".to_owned())
            }
        }
    }
}

/// The folder of the keys of a data directory; made when it is missing.
///
/// # Errors
/// When it cannot be made.
pub fn folder(data: &Path) -> Result<PathBuf, KeysError> {
    let folder = data.join(FOLDER);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|source| KeysError::Write {
            path: folder.clone(),
            source,
        })?;
    Ok(folder)
}

/// The text of a file; what `make` gives is written first when the file is missing.
///
/// # Errors
/// When the file cannot be read or written, and what `make` fails with.
pub fn read_or_make(
    path: &Path,
    make: impl FnOnce() -> Result<String, KeysError>,
) -> Result<String, KeysError> {
    match std::fs::read_to_string(path) {
        Ok(text) => return Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(source) => {
            return Err(KeysError::Read {
                path: path.to_owned(),
                source,
            });
        }
    }
    let text = make()?;
    write(path, &text).map_err(|source| KeysError::Write {
        path: path.to_owned(),
        source,
    })?;
    Ok(text)
}

/// Writes a file that only its owner can read, all or nothing.
///
/// # Errors
/// When it cannot be written or made to last.
pub fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}
