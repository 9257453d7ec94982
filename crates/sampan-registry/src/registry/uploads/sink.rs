//! Takes the bytes of a request to the file of its upload.

use bytes::Bytes;
use tokio::task::JoinHandle;

use super::Held;
use crate::error::Error;
use crate::storage::{Budget, Share, joined};

/// How many bytes are hashed and written in one go, while the next come.
const BATCH_BYTES: usize = 512 << 10;

/// How many parts at most: each has a size of its own, however few bytes it has.
const BATCH_PARTS: usize = 128;

/// Collects bytes and has them written on a blocking thread, one batch at a time.
///
/// The upload itself goes to that thread and back. So a request that is dropped leaves it whole: the batch on its way is
/// written to its end, and only then others may go on.
#[derive(Debug)]
pub(crate) struct Sink {
    budget: Budget,
    held: Option<Held>,
    writing: Option<JoinHandle<(Held, Result<(), Error>)>>,
    batch: Vec<Bytes>,
    batch_bytes: usize,
    share: Option<Share>,
}

impl Sink {
    pub(super) fn new(held: Held, budget: Budget) -> Self {
        Self {
            budget,
            held: Some(held),
            writing: None,
            batch: Vec::new(),
            batch_bytes: 0,
            share: None,
        }
    }

    /// Takes some bytes; waits only for the batch before.
    ///
    /// # Errors
    /// When an earlier batch could not be written.
    pub(crate) async fn push(&mut self, bytes: Bytes) -> Result<(), Error> {
        let room = if let Some(share) = &mut self.share {
            share.grow(bytes.len())
        } else {
            self.share = self.budget.take(bytes.len());
            self.share.is_some()
        };
        self.batch_bytes += bytes.len();
        self.batch.push(bytes);
        let is_full = self.batch_bytes >= BATCH_BYTES || self.batch.len() >= BATCH_PARTS;
        // Without room to collect, everything is written as it comes.
        if is_full || !room {
            self.write().await?;
        }
        Ok(())
    }

    /// Writes what is left and gives the upload back, which stands behind the last part that was written.
    pub(crate) async fn finish(mut self) -> (Held, Result<(), Error>) {
        let mut written = Ok(());
        if !self.batch.is_empty() {
            written = self.write().await;
        }
        let (held, last) = self.idle().await;
        (held, written.and(last))
    }

    async fn write(&mut self) -> Result<(), Error> {
        let (mut held, before) = self.idle().await;
        let batch = std::mem::take(&mut self.batch);
        let share = self.share.take();
        self.batch_bytes = 0;
        if let Err(error) = before {
            // What comes after bytes that are missing must not be written in their place.
            self.held = Some(held);
            return Err(error);
        }
        self.writing = Some(tokio::task::spawn_blocking(move || {
            let written = held.append(&batch);
            drop((batch, share));
            (held, written)
        }));
        Ok(())
    }

    /// Waits until nothing is being written.
    async fn idle(&mut self) -> (Held, Result<(), Error>) {
        if let Some(held) = self.held.take() {
            return (held, Ok(()));
        }
        let writing = self.writing.take();
        joined(writing.expect("an upload is either held or being written")).await
    }
}
