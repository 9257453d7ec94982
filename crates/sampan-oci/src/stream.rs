//! Bytes that pass through on their way into a file: counted, or hashed.

use std::io::{self, Read, Write};

use crate::digest::{Digest, Hasher};

/// Writes on, and reports after each write how many bytes there have been.
pub struct Counting<'report, W> {
    inner: W,
    count: u64,
    report: &'report mut dyn FnMut(u64),
}

impl<'report, W> Counting<'report, W> {
    /// Reports what is written to `inner` from here on.
    pub fn new(inner: W, report: &'report mut dyn FnMut(u64)) -> Self {
        Self {
            inner,
            count: 0,
            report,
        }
    }

    /// What was written to.
    #[must_use]
    pub fn into_inner(self) -> W {
        self.inner
    }
}

impl<W: Write> Write for Counting<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.count += written as u64;
        (self.report)(self.count);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Reads on, and knows the digest of what was read.
#[derive(Debug)]
pub struct Hashing<R> {
    inner: R,
    hasher: Hasher,
}

impl<R> Hashing<R> {
    /// Hashes what is read from `inner` by the algorithm of the digest that it is to be `like`.
    #[must_use]
    pub fn new(inner: R, like: &Digest) -> Self {
        Self {
            inner,
            hasher: Hasher::new(like.algorithm()),
        }
    }

    /// The digest of all that was read.
    #[must_use]
    pub fn finish(self) -> Digest {
        self.hasher.finish()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}
