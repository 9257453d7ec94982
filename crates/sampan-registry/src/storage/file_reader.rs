//! The bytes of a stored blob, read ahead of the network.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use rustix::io::ReadWriteFlags;
use sampan_oci::store::StoreError;
use tokio::task::JoinHandle;

use super::buffers::{Buffer, Buffers};

/// Gives a range of a file piece by piece.
///
/// What the kernel has in memory is taken without leaving the thread; what lies on the disk is read on a blocking thread,
/// one piece ahead of who asks.
#[derive(Debug)]
pub(crate) struct FileReader {
    file: Arc<File>,
    path: PathBuf,
    buffers: Buffers,
    rest: Range<u64>,
    ahead: Option<JoinHandle<io::Result<Buffer>>>,
}

impl FileReader {
    pub(super) fn new(file: Arc<File>, path: PathBuf, buffers: Buffers, rest: Range<u64>) -> Self {
        Self {
            file,
            path,
            buffers,
            rest,
            ahead: None,
        }
    }

    /// How many bytes are still to come.
    pub(crate) fn remaining(&self) -> u64 {
        self.rest.end - self.rest.start
    }

    /// The next piece; none at the end.
    ///
    /// # Errors
    /// When the file cannot be read or is shorter than it was.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let buffer = match self.ahead.take() {
            Some(ahead) => self.read_ahead(ahead).await,
            None => match self.cached() {
                Some(buffer) => Ok(buffer),
                None => self.read_ahead(self.start()).await,
            },
        };
        let buffer = buffer.map_err(|source| StoreError::io("read", &self.path, source))?;
        Ok(Some(Bytes::from_owner(buffer)))
    }

    /// What the kernel can give at once, if anything.
    fn cached(&mut self) -> Option<Buffer> {
        let mut buffer = self.buffers.get(self.remaining());
        let limit = self.remaining();
        let space = buffer.space(limit);
        let read = rustix::io::preadv2(
            &self.file,
            &mut [IoSliceMut::new(space)],
            self.rest.start,
            ReadWriteFlags::NOWAIT,
        );
        // Any error is found again, and then reported, by the read that may wait.
        let read = read.ok().filter(|read| *read > 0)?;
        self.rest.start += read as u64;
        Some(buffer.filled(read))
    }

    /// Waits for a piece from the disk, and has the one after it read meanwhile.
    async fn read_ahead(&mut self, piece: JoinHandle<io::Result<Buffer>>) -> io::Result<Buffer> {
        let buffer = piece.await.map_err(io::Error::other)??;
        self.rest.start += buffer.as_ref().len() as u64;
        if !self.rest.is_empty() {
            self.ahead = Some(self.start());
        }
        Ok(buffer)
    }

    fn start(&self) -> JoinHandle<io::Result<Buffer>> {
        let (file, rest) = (Arc::clone(&self.file), self.rest.clone());
        let mut buffer = self.buffers.get(self.remaining());
        tokio::task::spawn_blocking(move || {
            let space = buffer.space(rest.end - rest.start);
            let length = space.len();
            file.read_exact_at(space, rest.start)?;
            Ok(buffer.filled(length))
        })
    }
}
