//! Files in the folder of a layout, which the store does not own.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::ImageArchiveError;
use crate::image::DOCUMENT_LIMIT_BYTES;

/// Opens a regular file, if there is one; a pipe or a device would never end.
pub(super) fn open(path: &Path) -> Result<Option<File>, ImageArchiveError> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Ok(None),
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(file_error("look at", path, source)),
    }
    File::open(path)
        .map(Some)
        .map_err(|source| file_error("open", path, source))
}

/// Reads the document `name`, if there is one.
pub(super) fn read(path: &Path, name: &str) -> Result<Option<Vec<u8>>, ImageArchiveError> {
    let Some(file) = open(path)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    file.take(DOCUMENT_LIMIT_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| file_error("read", path, source))?;
    if bytes.len() as u64 > DOCUMENT_LIMIT_BYTES {
        return Err(ImageArchiveError::TooLarge {
            path: name.to_owned(),
            limit: DOCUMENT_LIMIT_BYTES,
        });
    }
    Ok(Some(bytes))
}

/// The error of an operation on a file.
pub(super) fn file_error(
    action: &'static str,
    path: &Path,
    source: io::Error,
) -> ImageArchiveError {
    ImageArchiveError::File {
        action,
        path: path.to_owned(),
        source,
    }
}
