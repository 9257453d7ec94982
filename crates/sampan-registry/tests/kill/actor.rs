//! Somebody who pushes, pulls and deletes in a repository of its own, and remembers what it was told.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::ACTORS;
use crate::client::{Interrupted, Repository, Way};
use crate::content::{Blob, Image, Random};
use crate::server::Mode;

const TAGS: u64 = 3;
const SHARED_LAYERS: u64 = 5;
const MOST_IMAGES: usize = 5;
const MOST_BYTES: u64 = 150_000;

pub(crate) struct Actor {
    number: u64,
    random: Random,
    made: u64,
    /// Images that must be there, by digest.
    images: BTreeMap<String, Image>,
    tags: BTreeMap<String, String>,
    /// Blobs that no manifest names, of this round; a greedy server may take them.
    blobs: Vec<Blob>,
    /// Manifests that must not be there.
    gone: BTreeSet<String>,
    /// What the server died over.
    pending: Option<Pending>,
    /// The images that all actors together have had acknowledged.
    pushed: Arc<AtomicU64>,
    pub(crate) resumed: u64,
}

enum Pending {
    Push { image: Image, tag: String },
    DeleteManifest { digest: String },
    DeleteTag { tag: String },
    Upload { upload: Interrupted, blob: Blob },
}

fn name(number: u64) -> String {
    format!("actor{number}/app")
}

fn shared_layer(number: u64) -> Blob {
    Blob::random(number, MOST_BYTES)
}

impl Actor {
    pub(crate) fn new(number: u64, seed: u64, pushed: Arc<AtomicU64>) -> Self {
        Self {
            number,
            random: Random::new(seed ^ (number + 1).wrapping_mul(0x1234_5678_9abc_def1)),
            made: 0,
            images: BTreeMap::new(),
            tags: BTreeMap::new(),
            blobs: Vec::new(),
            gone: BTreeSet::new(),
            pending: None,
            pushed,
            resumed: 0,
        }
    }

    /// Makes sure that everything is as this one was told. A server that dies meanwhile has shown nothing wrong.
    pub(crate) fn check(&mut self, address: SocketAddr, mode: Mode) {
        let mut repository = Repository::new(name(self.number), address);
        drop(self.try_check(&mut repository, mode));
    }

    fn try_check(&mut self, repository: &mut Repository, mode: Mode) -> io::Result<()> {
        self.settle(repository)?;
        for image in self.images.values() {
            repository.pull_image(image)?;
        }
        for number in 0..TAGS {
            let tag = format!("tag{number}");
            let found = repository.tag(&tag)?;
            assert_eq!(
                found.as_ref(),
                self.tags.get(&tag),
                "{} {tag}",
                repository.name
            );
        }
        for digest in &self.gone {
            let found = repository.get("manifests", digest)?.status;
            assert_eq!(found, 404, "{}: {digest} is back", repository.name);
        }
        for blob in &self.blobs {
            let there = repository.pull(blob)?;
            let told = there || mode == Mode::Greedy;
            assert!(told, "{}: {} is lost", repository.name, blob.digest);
        }
        if mode == Mode::Greedy {
            self.blobs.clear();
        }
        Ok(())
    }

    /// Finds out what has become of the request that the server died over.
    fn settle(&mut self, repository: &mut Repository) -> io::Result<()> {
        let Some(mut pending) = self.pending.take() else {
            return Ok(());
        };
        let settled = self.settle_one(repository, &mut pending);
        if settled.is_err() {
            self.pending = Some(pending);
        }
        settled
    }

    fn settle_one(&mut self, repository: &mut Repository, pending: &mut Pending) -> io::Result<()> {
        match pending {
            Pending::Push { image, tag } => {
                let digest = image.manifest.digest.to_string();
                let there = repository.get("manifests", &digest)?.status == 200;
                let tagged = repository.tag(tag)?;
                if there {
                    assert_eq!(tagged.as_ref(), Some(&digest), "half a push");
                    self.tags.insert(tag.clone(), digest.clone());
                    self.images.insert(digest, image.clone());
                } else {
                    assert_eq!(tagged.as_ref(), self.tags.get(tag), "half a push");
                }
            }
            Pending::DeleteManifest { digest } => {
                let status = repository.get("manifests", digest)?.status;
                if status == 404 {
                    self.forget(digest);
                }
            }
            Pending::DeleteTag { tag } => {
                let found = repository.tag(tag)?;
                if found.is_none() {
                    self.tags.remove(tag);
                }
            }
            Pending::Upload { upload, blob } => {
                let resumed = repository.resume(upload, blob)?;
                if resumed {
                    self.resumed += 1;
                    // A shared layer may come to belong to an image, and goes when that one goes.
                    if !(0..SHARED_LAYERS).any(|number| shared_layer(number).digest == blob.digest)
                    {
                        self.blobs.push(blob.clone());
                    }
                }
            }
        }
        Ok(())
    }

    /// Does this and that until the server dies.
    pub(crate) fn work(&mut self, address: SocketAddr, mode: Mode) {
        let mut repository = Repository::new(name(self.number), address);
        // What the check could not settle must be settled first.
        if self.pending.is_some() {
            return;
        }
        while self.step(&mut repository, mode).is_ok() {}
        if mode == Mode::Greedy {
            self.blobs.clear();
        }
    }

    fn step(&mut self, repository: &mut Repository, mode: Mode) -> io::Result<()> {
        match self.random.below(10) {
            0..=4 => self.push_image(repository),
            5 => {
                let Some(digest) = self.any_image() else {
                    return Ok(());
                };
                self.delete_image(repository, &digest)
            }
            6 => self.delete_tag(repository),
            7 => self.delete_blob(repository),
            8 => self.push_lone_blob(repository, mode),
            _ => match self.any_image() {
                Some(digest) => repository.pull_image(&self.images[&digest]),
                None => Ok(()),
            },
        }?;
        if self.images.len() > MOST_IMAGES
            && let Some(digest) = self.any_image()
        {
            self.delete_image(repository, &digest)?;
        }
        Ok(())
    }

    fn push_image(&mut self, repository: &mut Repository) -> io::Result<()> {
        let shared = shared_layer(self.random.below(SHARED_LAYERS));
        let layers = vec![shared, self.new_blob()];
        let config = format!("{{\"made\": \"{} {}\"}}", self.number, self.made).into_bytes();
        let image = Image::new(Blob::of(config), layers);
        let tag = format!("tag{}", self.random.below(TAGS));
        let mut missing = image.blobs.clone();
        loop {
            for blob in &missing {
                self.push_blob(repository, blob)?;
            }
            let digest = image.manifest.digest.to_string();
            self.pending = Some(Pending::Push {
                image: image.clone(),
                tag: tag.clone(),
            });
            missing = repository.push_manifest(&image, &tag)?;
            self.pending = None;
            if missing.is_empty() {
                self.pushed.fetch_add(1, Ordering::Relaxed);
                self.tags.insert(tag, digest.clone());
                self.images.insert(digest, image);
                return Ok(());
            }
            // The collector was faster; clients push again.
        }
    }

    fn push_blob(&mut self, repository: &mut Repository, blob: &Blob) -> io::Result<()> {
        let from = name(self.random.below(ACTORS));
        let way = match self.random.below(5) {
            0 => Way::One,
            1 => Way::Two,
            2 => Way::Chunks(2 + self.random.index(3)),
            _ => Way::Mount(&from),
        };
        let mut interrupted = None;
        let pushed = repository.push(blob, way, &mut interrupted);
        if let (Err(_), Some(upload)) = (&pushed, interrupted) {
            let blob = blob.clone();
            self.pending = Some(Pending::Upload { upload, blob });
        }
        pushed
    }

    fn push_lone_blob(&mut self, repository: &mut Repository, mode: Mode) -> io::Result<()> {
        let blob = self.new_blob();
        self.push_blob(repository, &blob)?;
        let there = repository.pull(&blob)?;
        assert!(there || mode == Mode::Greedy, "{} is lost", blob.digest);
        self.blobs.push(blob);
        Ok(())
    }

    fn delete_image(&mut self, repository: &mut Repository, digest: &str) -> io::Result<()> {
        let pending = digest.to_owned();
        self.pending = Some(Pending::DeleteManifest { digest: pending });
        let status = repository.delete("manifests", digest)?;
        assert_eq!(status, 202, "{digest}");
        self.pending = None;
        self.forget(digest);
        Ok(())
    }

    fn delete_tag(&mut self, repository: &mut Repository) -> io::Result<()> {
        let Some((tag, digest)) = self.tags.pop_first() else {
            return Ok(());
        };
        self.tags.insert(tag.clone(), digest);
        let pending = tag.clone();
        self.pending = Some(Pending::DeleteTag { tag: pending });
        assert_eq!(repository.delete("manifests", &tag)?, 202, "{tag}");
        self.pending = None;
        self.tags.remove(&tag);
        Ok(())
    }

    fn delete_blob(&mut self, repository: &mut Repository) -> io::Result<()> {
        let Some(blob) = self.blobs.pop() else {
            return Ok(());
        };
        let status = repository.delete("blobs", &blob.digest.to_string())?;
        assert!(matches!(status, 202 | 404), "{status}");
        assert!(!repository.pull(&blob)?, "a deleted blob can be pulled");
        Ok(())
    }

    fn new_blob(&mut self) -> Blob {
        self.made += 1;
        let seed = (self.number + 1) << 40 | self.made;
        Blob::random(seed, [300, MOST_BYTES][self.random.index(2)])
    }

    fn any_image(&mut self) -> Option<String> {
        let chosen = self.random.index(self.images.len().max(1));
        self.images.keys().nth(chosen).cloned()
    }

    fn forget(&mut self, digest: &str) {
        self.images.remove(digest);
        self.tags.retain(|_, at| at != digest);
        self.gone.insert(digest.to_owned());
        // The oldest ones have been looked for often enough.
        if self.gone.len() > 20 {
            self.gone.pop_first();
        }
    }
}
