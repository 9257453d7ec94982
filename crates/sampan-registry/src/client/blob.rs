//! The bytes of one blob, from wherever they are; a broken connection goes on where it stopped.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use bytes::Bytes;
use http::StatusCode;
use reqwest::Response;
use sampan_oci::store::StoreError;
use sampan_oci::{ContentStore, Digest};

use super::blocking;
use super::error::ClientError;
use super::repository::Repository;
use super::transport::{Patience, Reason};
use crate::storage::Reader;

/// How much is read from a file at once, in bytes.
const PIECE_BYTES: usize = 256 << 10;

/// Reads a blob from some offset to its end.
pub(super) enum BlobReader {
    Remote(Box<RemoteBlob>),
    Local(LocalBlob),
    Served(Box<Reader>),
}

/// A blob that comes from a registry.
#[derive(Debug)]
pub(super) struct RemoteBlob {
    repository: Repository,
    digest: Digest,
    size: u64,
    offset: u64,
    response: Option<Response>,
    /// Bytes that come although they were not asked for.
    skip: u64,
    patience: Patience,
}

/// A blob that lies in the content store.
#[derive(Debug)]
pub(super) struct LocalBlob {
    file: Option<File>,
    store: ContentStore,
    digest: Digest,
}

impl BlobReader {
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, ClientError> {
        match self {
            Self::Remote(remote) => remote.chunk().await,
            Self::Local(local) => local.chunk().await,
            Self::Served(reader) => {
                let next = reader.next().await;
                next.map_err(|error| ClientError::Served(Box::new(error.into())))
            }
        }
    }
}

impl RemoteBlob {
    /// Asks for the blob of `size` bytes from `offset` on.
    pub(super) async fn open(
        repository: Repository,
        digest: Digest,
        size: u64,
        offset: u64,
    ) -> Result<Self, ClientError> {
        let mut blob = Self::new(repository, digest, size, offset);
        if offset < size {
            blob.ask().await?;
        }
        Ok(blob)
    }

    /// A blob of which the answer that `response` begins has all bytes.
    pub(super) fn begun(
        repository: Repository,
        digest: Digest,
        size: u64,
        response: Response,
    ) -> Self {
        let mut blob = Self::new(repository, digest, size, 0);
        blob.response = Some(response);
        blob
    }

    fn new(repository: Repository, digest: Digest, size: u64, offset: u64) -> Self {
        let patience = Patience::of_transfer(repository.endpoint.transport.retry);
        Self {
            repository,
            digest,
            size,
            offset,
            response: None,
            skip: 0,
            patience,
        }
    }

    async fn ask(&mut self) -> Result<(), ClientError> {
        let response = self.repository.blob(&self.digest, self.offset).await?;
        let whole = response.status() == StatusCode::OK;
        self.skip = if whole { self.offset } else { 0 };
        self.response = Some(response);
        Ok(())
    }

    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, ClientError> {
        loop {
            if self.offset == self.size {
                return Ok(None);
            }
            let error = match self.read().await {
                Ok(Some(bytes)) => {
                    self.patience.progressed();
                    return Ok(Some(bytes));
                }
                Ok(None) => ClientError::Short {
                    host: self.repository.host().to_owned(),
                    digest: Box::new(self.digest),
                    got: self.offset,
                    size: self.size,
                },
                Err(error) if error.is_passing() => error,
                Err(error) => return Err(error),
            };
            tracing::debug!(%error, offset = self.offset, "a download broke");
            self.response = None;
            let host = self.repository.host();
            if !self.patience.again(host, Reason::Failed(&error)).await {
                return Err(error);
            }
        }
    }

    async fn read(&mut self) -> Result<Option<Bytes>, ClientError> {
        if self.response.is_none() {
            self.ask().await?;
        }
        loop {
            let Some(response) = &mut self.response else {
                return Ok(None);
            };
            let transport = &self.repository.endpoint.transport;
            let Some(mut bytes) = transport.chunk(response).await? else {
                return Ok(None);
            };
            let skipped = self.skip.min(bytes.len() as u64);
            self.skip -= skipped;
            // No more than the length of what is in memory.
            drop(bytes.split_to(usize::try_from(skipped).unwrap_or(bytes.len())));
            if bytes.is_empty() {
                continue;
            }
            if bytes.len() as u64 > self.size - self.offset {
                return Err(ClientError::Malformed {
                    host: self.repository.host().to_owned(),
                    action: format!("the request for `{}`", self.digest),
                    what: format!("more than its {} bytes", self.size),
                });
            }
            self.offset += bytes.len() as u64;
            return Ok(Some(bytes));
        }
    }
}

impl LocalBlob {
    pub(super) fn open(
        store: ContentStore,
        digest: Digest,
        offset: u64,
    ) -> Result<Self, ClientError> {
        let mut file = store.open_blob(&digest)?;
        let path = store.blob_path(&digest);
        file.seek(SeekFrom::Start(offset))
            .map_err(|source| StoreError::io("read", &path, source))?;
        Ok(Self {
            file: Some(file),
            store,
            digest,
        })
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, ClientError> {
        let Some(mut file) = self.file.take() else {
            return Ok(None);
        };
        let read = blocking::run(move || -> io::Result<(File, Vec<u8>)> {
            let mut bytes = Vec::with_capacity(PIECE_BYTES);
            (&mut file)
                .take(PIECE_BYTES as u64)
                .read_to_end(&mut bytes)?;
            Ok((file, bytes))
        });
        let (file, bytes) = read.await.map_err(|source| {
            let path = self.store.blob_path(&self.digest);
            StoreError::io("read", &path, source)
        })?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.file = Some(file);
        Ok(Some(bytes.into()))
    }
}
