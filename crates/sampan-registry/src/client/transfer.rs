//! Content on its way from one place to another: only what is missing, each blob once, manifests after what they name.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use sampan_oci::image::DocumentKind;
use sampan_oci::store::{BlobWriter, StoreError};
use sampan_oci::{ContentStore, Descriptor, Digest};
use tokio::sync::{OnceCell, Semaphore, mpsc};

use super::blob::BlobReader;
use super::blocking;
use super::document::{Document, digest_of};
use super::error::ClientError;
use super::origin::Origin;
use super::referrers;
use super::repository::Repository;
use super::upload::Upload;
use super::watch::{Arrival, Totals, Watch};

/// A release leads to an index of an image at most: three levels of documents.
const DEPTH_LIMIT: usize = 8;

/// The manifests of one image with all its platforms, in bytes: they are held in memory until the blobs are there.
const PLAN_LIMIT_BYTES: usize = 64 << 20;

/// How many pieces wait between the network and the disk.
const QUEUE: usize = 16;

/// Where content goes to.
#[derive(Debug, Clone)]
pub(super) enum Target {
    Store(ContentStore),
    Registry(Repository),
}

/// Repositories of the target's registry that should have a blob already.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    pub(super) always: Vec<String>,
    pub(super) by_digest: HashMap<Digest, Vec<String>>,
}

/// Moves content from `origin` to `target`; any number of documents share the limit of blobs at once.
pub(super) struct Transfer<'call> {
    pub(super) origin: Origin,
    pub(super) target: Target,
    pub(super) mounts: Mounts,
    pub(super) chunk_bytes: Option<u64>,
    pub(super) watch: &'call dyn Watch,
    jobs: usize,
    slots: Semaphore,
    blobs: Mutex<HashMap<Digest, Arc<OnceCell<()>>>>,
    /// The manifests that were put by digest. Held while one is put: some registries rewrite what they know of a manifest
    /// in place, and refuse what names it just then; and lists of referrers are read, changed and written.
    put: tokio::sync::Mutex<HashSet<Digest>>,
    totals: Mutex<Totals>,
}

/// What must be moved for one document.
#[derive(Debug, Default)]
struct Plan {
    /// Children before parents.
    documents: Vec<Document>,
    blobs: Vec<Descriptor>,
    seen: HashSet<Digest>,
    /// Of all documents.
    bytes: usize,
}

impl<'call> Transfer<'call> {
    pub(super) fn new(
        origin: Origin,
        target: Target,
        jobs: usize,
        watch: &'call dyn Watch,
    ) -> Self {
        Self {
            origin,
            target,
            mounts: Mounts::default(),
            chunk_bytes: None,
            watch,
            jobs: jobs.max(1),
            slots: Semaphore::new(jobs.max(1)),
            blobs: Mutex::default(),
            put: tokio::sync::Mutex::default(),
            totals: Mutex::default(),
        }
    }

    pub(super) fn totals(&self) -> Totals {
        *self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves what `root` leads to, and it itself: under `tag` in a registry, or else under its digest.
    pub(super) async fn run(&self, root: Document, tag: Option<&str>) -> Result<(), ClientError> {
        let digest = root.digest;
        let mut plan = Plan::default();
        self.plan(&mut plan, root, 0).await?;
        self.announce(&plan)?;
        stream::iter(plan.blobs)
            .map(|blob| async move { self.blob(&blob).await })
            .buffer_unordered(self.jobs)
            .try_collect::<()>()
            .await?;
        for document in &plan.documents {
            let reference = match tag {
                Some(tag) if document.digest == digest => tag.to_owned(),
                _ => document.digest.to_string(),
            };
            self.put(document, &reference).await?;
        }
        Ok(())
    }

    async fn plan(
        &self,
        plan: &mut Plan,
        document: Document,
        depth: usize,
    ) -> Result<(), ClientError> {
        if depth > DEPTH_LIMIT {
            return Err(ClientError::Nested {
                digest: Box::new(document.digest),
            });
        }
        plan.bytes += document.bytes.len();
        if plan.bytes > PLAN_LIMIT_BYTES {
            return Err(ClientError::Sprawling {
                digest: Box::new(document.digest),
                limit: PLAN_LIMIT_BYTES,
            });
        }
        let children = document.children()?;
        for blob in children.blobs {
            if is_foreign(&blob) {
                match &self.target {
                    // Registries do not have them by design, and take manifests without them.
                    Target::Registry(_) => continue,
                    Target::Store(_) => {
                        return Err(ClientError::Foreign {
                            digest: Box::new(digest_of(&blob)?),
                        });
                    }
                }
            }
            if plan.seen.insert(digest_of(&blob)?) {
                plan.blobs.push(blob);
            }
        }
        for child in children.documents {
            if plan.seen.insert(digest_of(&child)?)
                && let Some(document) = self.missing(&child).await?
            {
                Box::pin(self.plan(plan, document, depth + 1)).await?;
            }
        }
        plan.documents.push(document);
        Ok(())
    }

    /// The document, unless the target is known to have it with all that it leads to.
    async fn missing(&self, child: &Descriptor) -> Result<Option<Document>, ClientError> {
        let digest = digest_of(child)?;
        match &self.target {
            Target::Registry(target) if target.has_manifest(&digest).await? => Ok(None),
            Target::Store(store) if store.keep(&digest)? == Some(child.size()) => {
                // That the document is there does not say that its blobs are.
                let local = Origin::Store(store.clone());
                local.document(&digest.to_string()).await.map(Some)
            }
            _ => match self.origin.document(&digest.to_string()).await {
                // A registry may serve an index without all that it lists.
                Err(ClientError::NotHere { .. }) if matches!(self.origin, Origin::Served(_)) => {
                    Ok(None)
                }
                found => found.map(Some),
            },
        }
    }

    /// Tells all that is to come, so that who watches knows the whole from the beginning.
    fn announce(&self, plan: &Plan) -> Result<(), ClientError> {
        for blob in &plan.blobs {
            let digest = digest_of(blob)?;
            let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
            if let Entry::Vacant(new) = blobs.entry(digest) {
                new.insert(Arc::default());
                self.watch.planned(&digest, blob.size());
            }
        }
        Ok(())
    }

    async fn blob(&self, blob: &Descriptor) -> Result<(), ClientError> {
        let digest = digest_of(blob)?;
        let cell = {
            let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(blobs.entry(digest).or_default())
        };
        let moved = cell.get_or_try_init(|| Box::pin(self.move_blob(digest, blob.size())));
        moved.await.copied()
    }

    async fn move_blob(&self, digest: Digest, size: u64) -> Result<(), ClientError> {
        let _slot = self
            .slots
            .acquire()
            .await
            .expect("the slots are never closed");
        let how = match &self.target {
            // It counts as used, so that no collector takes it before the name is given.
            Target::Store(store) if store.keep(&digest)? == Some(size) => Arrival::Present,
            Target::Store(store) => {
                self.download(store, digest, size).await?;
                Arrival::Moved
            }
            Target::Registry(target) => {
                let upload = Upload::new(target, digest, size, self.chunk_bytes, self.watch);
                let known = self.mounts.by_digest.get(&digest);
                let known = known.into_iter().flatten().chain(&self.mounts.always);
                let known: Vec<_> = known.cloned().collect();
                upload.run(&self.origin, &known).await?
            }
        };
        self.watch.arrived(&digest, how);
        self.count(|totals| totals.count(how, size));
        Ok(())
    }

    /// Takes the blob from the first place that gives the right bytes.
    async fn download(
        &self,
        store: &ContentStore,
        digest: Digest,
        size: u64,
    ) -> Result<(), ClientError> {
        let mut last = None;
        let mut places = self.origin.places().into_iter().peekable();
        while let Some(place) = places.peek() {
            let (opened, partial) = (store.clone(), digest);
            let writer = blocking::run(move || opened.resume(&partial)).await?;
            let resumed = writer.length();
            match self.download_from(place, writer, digest, size).await {
                Ok(()) => return Ok(()),
                // What an interrupted one has left was damaged; it is gone now.
                Err(ClientError::Altered { .. }) if resumed > 0 => continue,
                // The disk is full wherever the bytes come from.
                Err(error @ ClientError::Store(_)) => return Err(error),
                Err(error) => last = Some(error),
            }
            drop(places.next());
        }
        Err(last.unwrap_or_else(|| ClientError::NotHere {
            name: digest.to_string(),
        }))
    }

    async fn download_from(
        &self,
        place: &Origin,
        writer: BlobWriter,
        digest: Digest,
        size: u64,
    ) -> Result<(), ClientError> {
        // More than there should be shows below as another digest.
        let begin = writer.length().min(size);
        let mut reader = place.blob(digest, size, begin).await?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let writing = tokio::task::spawn_blocking(move || write(writer, receiver));
        let read = self.read(&mut reader, digest, begin, sender).await;
        let writer = writing.await.expect("writing does not panic")?;
        read?;
        match blocking::run(move || writer.commit(Some(&digest))).await {
            Ok(_) => Ok(()),
            Err(StoreError::Altered { expected, actual }) => Err(place.altered(*expected, *actual)),
            Err(error) => Err(error.into()),
        }
    }

    async fn read(
        &self,
        reader: &mut BlobReader,
        digest: Digest,
        begin: u64,
        pieces: mpsc::Sender<Bytes>,
    ) -> Result<(), ClientError> {
        let mut position = begin;
        self.watch.position(&digest, position);
        while let Some(bytes) = reader.chunk().await? {
            position += bytes.len() as u64;
            if pieces.send(bytes).await.is_err() {
                // The writer has ended with an error, which it tells itself.
                break;
            }
            self.watch.position(&digest, position);
        }
        Ok(())
    }

    async fn put(&self, document: &Document, reference: &str) -> Result<(), ClientError> {
        let length = document.bytes.len() as u64;
        match &self.target {
            Target::Registry(target) => {
                let mut put = self.put.lock().await;
                let by_digest = reference == document.digest.to_string();
                if by_digest && put.contains(&document.digest) {
                    return Ok(());
                }
                let listed = target.put_manifest(reference, document).await?;
                put.insert(document.digest);
                if !listed && let Some((subject, entry)) = document.as_referrer()? {
                    referrers::list(target, &subject, entry).await?;
                }
            }
            // One of another size was damaged, and is replaced.
            Target::Store(store) if store.keep(&document.digest)? == Some(length) => return Ok(()),
            Target::Store(store) => {
                let (store, document) = (store.clone(), document.clone());
                let put = blocking::run(move || {
                    let mut writer = store.writer_for(document.digest.algorithm())?;
                    writer
                        .write_all(&document.bytes)
                        .map_err(|source| StoreError::io("write below", store.path(), source))?;
                    writer.commit(Some(&document.digest))
                });
                put.await?;
            }
        }
        self.count(|totals| totals.manifests += 1);
        Ok(())
    }

    fn count(&self, change: impl FnOnce(&mut Totals)) {
        change(&mut self.totals.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn write(
    mut writer: BlobWriter,
    mut pieces: mpsc::Receiver<Bytes>,
) -> Result<BlobWriter, StoreError> {
    while let Some(bytes) = pieces.blocking_recv() {
        let written = writer.write_all(&bytes);
        written.map_err(|source| StoreError::io("write", writer.path(), source))?;
    }
    Ok(writer)
}

/// Whether a layer is fetched from its vendor instead of a registry, as those of Windows (image specification,
/// "Non-Distributable Layers").
fn is_foreign(descriptor: &Descriptor) -> bool {
    let media_type = descriptor.media_type().to_string();
    media_type.starts_with("application/vnd.oci.image.layer.nondistributable.")
        || media_type.starts_with("application/vnd.docker.image.rootfs.foreign.")
}

/// Whether a descriptor leads to a manifest or an index.
pub(super) fn is_document(descriptor: &Descriptor) -> bool {
    DocumentKind::of(descriptor.media_type()) != DocumentKind::Leaf
}
