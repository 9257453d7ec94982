//! A blob that is given out while it comes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;

use super::download::Stage;
use crate::error::Error;
use crate::storage::{Buffers, blocking};

/// The file that a blob is fetched into.
#[derive(Debug)]
pub(super) struct Growth {
    pub(super) file: Arc<File>,
    /// How much has been written.
    pub(super) written: watch::Receiver<u64>,
    /// The length that it shall have.
    pub(super) size_bytes: u64,
}

/// Reads such a file up to where it has been written. The last byte is held back until the digest has been verified:
/// a client that got all bytes would take them for the blob.
#[derive(Debug)]
pub(crate) struct Growing {
    growth: Arc<Growth>,
    flight: watch::Receiver<Stage>,
    written: watch::Receiver<u64>,
    buffers: Buffers,
    position: u64,
}

impl Growing {
    pub(super) fn new(
        growth: Arc<Growth>,
        flight: watch::Receiver<Stage>,
        buffers: Buffers,
    ) -> Self {
        Self {
            written: growth.written.clone(),
            growth,
            flight,
            buffers,
            position: 0,
        }
    }

    /// How many bytes are still to be given out.
    pub(crate) fn remaining(&self) -> u64 {
        self.growth.size_bytes - self.position
    }

    /// The next piece, when it has come; none at the end.
    ///
    /// # Errors
    /// When the rest does not come, or is not what it should be.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if self.remaining() == 0 {
            return Ok(None);
        }
        let end = self.available().await?;
        let (file, start) = (Arc::clone(&self.growth.file), self.position);
        let mut buffer = self.buffers.get(end - start);
        let read = blocking(move || -> io::Result<_> {
            let space = buffer.space(end - start);
            let length = space.len();
            file.read_exact_at(space, start)?;
            Ok(buffer.filled(length))
        });
        let buffer = read.await.map_err(Error::ReadAlong)?;
        self.position += buffer.as_ref().len() as u64;
        Ok(Some(Bytes::from_owner(buffer)))
    }

    /// Waits for more than what has been given out, and says up to where there is something.
    async fn available(&mut self) -> Result<u64, Error> {
        loop {
            let stage = self.flight.borrow_and_update().clone();
            let end = match stage {
                Stage::Done(_) => self.growth.size_bytes,
                Stage::Failed(error) => return Err(Error::Shared(error)),
                Stage::Coming(_) | Stage::Waiting => {
                    let written = *self.written.borrow_and_update();
                    written.min(self.growth.size_bytes - 1)
                }
            };
            if end > self.position {
                return Ok(end);
            }
            tokio::select! {
                changed = self.flight.changed() => {
                    changed.map_err(|_| Error::Stopping)?;
                }
                // When the upload is over, only the flight has news.
                Ok(()) = self.written.changed() => {}
            }
        }
    }
}
