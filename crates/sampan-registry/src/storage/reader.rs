//! The bytes of a stored blob, piece by piece.

use bytes::Bytes;

use super::StorageError;
use super::bucket::ObjectReader;
use super::file_reader::FileReader;

/// Gives a range of a blob.
pub(crate) enum Reader {
    /// From the disk.
    File(FileReader),
    /// From a bucket.
    Object(ObjectReader),
}

impl Reader {
    /// How many bytes are still to come.
    pub(crate) fn remaining(&self) -> u64 {
        match self {
            Self::File(reader) => reader.remaining(),
            Self::Object(reader) => reader.remaining(),
        }
    }

    /// The next piece; none at the end.
    ///
    /// # Errors
    /// When the bytes cannot be read or there are fewer than there were.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, StorageError> {
        match self {
            Self::File(reader) => Ok(reader.next().await?),
            Self::Object(reader) => Ok(reader.next().await?),
        }
    }
}
