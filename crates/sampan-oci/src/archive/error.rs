//! What can be wrong with an archive.

use std::io;

use sampan_model::Hint;

/// Why an archive cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The bytes beneath could not be read or written.
    #[error("cannot read or write the archive")]
    Io(#[source] io::Error),
    /// The archive ends in the middle.
    #[error("the archive ends early, at byte {offset}")]
    Truncated {
        /// How many bytes there were.
        offset: u64,
    },
    /// A header is not well-formed.
    #[error("the archive has a bad {field} at byte {offset}")]
    Header {
        /// Which field.
        field: &'static str,
        /// Where the header begins.
        offset: u64,
    },
    /// A header is larger than any real one.
    #[error("the archive has a header of {size_bytes} bytes at byte {offset}")]
    Oversized {
        /// Its claimed size.
        size_bytes: u64,
        /// Where the header begins.
        offset: u64,
    },
    /// A kind of entry that this program does not read.
    #[error("the archive has an entry of the unsupported type `{type_flag}` at byte {offset}")]
    Unsupported {
        /// The type flag of the header.
        type_flag: char,
        /// Where the header begins.
        offset: u64,
    },
    /// The data of an entry is shorter or longer than was announced.
    #[error("`{path}` changed its size while it was archived")]
    Size {
        /// The entry.
        path: String,
    },
}

impl Hint for ArchiveError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Truncated { .. } => Some("copy the file again, it is incomplete".to_owned()),
            Self::Header { .. } | Self::Oversized { .. } => {
                Some("check that the file is a tar archive and was copied whole".to_owned())
            }
            Self::Unsupported { .. } => Some(
                "write the archive again with `tar --format=pax` and without `--sparse`".to_owned(),
            ),
            Self::Size { .. } => Some("run it again when nothing writes there".to_owned()),
            Self::Io(_) => None,
        }
    }
}
