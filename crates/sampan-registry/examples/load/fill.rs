//! A store with many small blobs that a repository holds and no manifest names, made without a server: the files are
//! not synced, and the ledger takes thousands of links in one transaction.

use std::fs::File;
use std::io::{Error, Result, Write as _};
use std::path::Path;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use sampan_oci::{ContentStore, Digest};
use sampan_store::Store;
use sampan_store::registry::{Content, Ledger, LinkBlob};

use crate::blobs::{self, Blob};

const SIZE_BYTES: usize = 1024;
const THREADS: usize = 4;
const AT_ONCE: usize = 5000;
/// Long ago: a collection takes them all.
const AT: &str = "2020-01-01T00:00:00Z";

/// Makes `count` blobs in a data folder that may be empty. One line: how many there are.
pub(crate) fn fill(folder: &Path, count: usize) -> Result<Vec<String>> {
    std::fs::create_dir_all(folder)?;
    let content = ContentStore::open(folder).map_err(Error::other)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let store = runtime
        .block_on(Store::open(&folder.join("meta.db")))
        .map_err(Error::other)?;
    let ledger = store.registry();
    let written = AT.parse::<Timestamp>().map_err(Error::other)?.into();
    for first in (0..count).step_by(AT_ONCE) {
        let blobs = blobs::make(AT_ONCE.min(count - first), SIZE_BYTES, THREADS)?;
        for blob in &blobs {
            let digest: Digest = blob.digest.parse().map_err(Error::other)?;
            let mut file = File::create_new(content.blob_path(&digest))?;
            file.write_all(&blob.bytes)?;
            file.set_modified(written)?;
        }
        runtime.block_on(link(&ledger, &blobs))?;
    }
    runtime.block_on(store.close());
    Ok(vec![format!("{count}")])
}

async fn link(ledger: &Ledger, blobs: &[Blob]) -> Result<()> {
    let at = AT.parse().map_err(Error::other)?;
    let links = blobs.iter().map(|blob| {
        ledger.link_blob(LinkBlob {
            repository: "bench/fill".to_owned(),
            digest: blob.digest.clone(),
            content: Content::Uploaded {
                size_bytes: SIZE_BYTES as u64,
            },
            quota_bytes: None,
            at,
        })
    });
    try_join_all(links).await.map_err(Error::other)?;
    Ok(())
}
