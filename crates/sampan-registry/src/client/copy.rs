//! From any place to any other; between registries, bytes pass through without touching the disk.

use std::collections::HashSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use sampan_oci::{ContentStore, Digest, Reference};
use serde::Serialize;

use super::blocking;
use super::document::{Document, digest_of};
use super::error::ClientError;
use super::origin::Origin;
use super::platform::Platforms;
use super::push::{known_places, local_document};
use super::transfer::{Mounts, Target, Transfer};
use super::watch::{Totals, Watch};
use super::{Client, asked};

/// How many tags are on their way at once; their blobs share the limit of jobs.
const TAGS_AT_ONCE: usize = 4;

/// How far signatures of signatures are followed.
const REFERRER_DEPTH: usize = 4;

/// A place that content is copied from or to.
#[derive(Debug, Clone)]
pub enum Place {
    /// A name in the content store.
    Local(ContentStore, Reference),
    /// A name in a registry.
    Remote(Reference),
}

/// What is to be copied.
#[derive(Debug, Clone)]
pub struct Copy {
    /// Where from.
    pub source: Place,
    /// Where to.
    pub destination: Place,
    /// Which images of an index.
    pub platforms: Platforms,
    /// All tags of the source's repository; the tags of source and destination are not looked at.
    pub all_tags: bool,
    /// Also what refers to what is copied, such as signatures.
    pub referrers: bool,
}

/// What was copied.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Copied {
    /// Each tag or digest with the digest that it stands for, in order.
    pub names: Vec<(String, Digest)>,
    /// What it took.
    pub totals: Totals,
}

struct Run<'call> {
    copy: &'call Copy,
    transfer: Transfer<'call>,
}

impl Place {
    fn reference(&self) -> &Reference {
        match self {
            Self::Local(_, reference) | Self::Remote(reference) => reference,
        }
    }
}

impl Client {
    /// Copies what the destination lacks. When it is interrupted, the same call goes on with the rest.
    ///
    /// # Errors
    /// As [`Self::pull`] and [`Self::push`].
    pub async fn copy(&self, copy: &Copy, watch: &dyn Watch) -> Result<Copied, ClientError> {
        check(copy)?;
        let origin = match &copy.source {
            Place::Local(store, _) => Origin::Store(store.clone()),
            Place::Remote(reference) => self.origin(reference)?,
        };
        let target = match &copy.destination {
            Place::Local(store, _) => Target::Store(store.clone()),
            Place::Remote(reference) => Target::Registry(self.target(reference)?),
        };
        let tags = if copy.all_tags {
            tags(&origin, &copy.source).await?
        } else {
            vec![asked(copy.source.reference())]
        };
        let mut transfer = Transfer::new(origin, target, self.settings().jobs, watch);
        transfer.chunk_bytes = self.settings().chunk_bytes;
        transfer.mounts = mounts(copy)?;
        let run = Run { copy, transfer };
        let mut names: Vec<_> = stream::iter(tags)
            .map(|tag| run.one(tag))
            .buffer_unordered(TAGS_AT_ONCE)
            .try_collect()
            .await?;
        names.sort_unstable();
        Ok(Copied {
            names,
            totals: run.transfer.totals(),
        })
    }
}

fn check(copy: &Copy) -> Result<(), ClientError> {
    let refuse = |place: &Place, how| {
        Err(ClientError::Copy {
            name: place.reference().familiar(),
            how,
        })
    };
    if copy.all_tags && copy.source.reference().digest().is_some() {
        return refuse(&copy.source, "with all tags, because it has a digest");
    }
    if copy.referrers && matches!(copy.destination, Place::Local(..)) {
        return refuse(
            &copy.destination,
            "to with referrers, because local names stand for no such lists",
        );
    }
    Ok(())
}

async fn tags(origin: &Origin, source: &Place) -> Result<Vec<String>, ClientError> {
    match (origin, source) {
        (Origin::Store(_), Place::Local(store, name)) => {
            let all = store.references()?.into_iter();
            let own = all.filter(|(other, _)| other.same_repository(name));
            Ok(own
                .filter_map(|(other, _)| other.tag().map(str::to_owned))
                .collect())
        }
        // Mirrors may have some of the tags only.
        (Origin::Registry(places), _) => match places.last() {
            Some(registry) => registry.tags().await,
            None => Ok(Vec::new()),
        },
        (Origin::Store(_), Place::Remote(_)) => Ok(Vec::new()),
    }
}

fn mounts(copy: &Copy) -> Result<Mounts, ClientError> {
    let mut mounts = Mounts::default();
    let Place::Remote(destination) = &copy.destination else {
        return Ok(mounts);
    };
    match &copy.source {
        Place::Remote(source) if source.registry() == destination.registry() => {
            if !source.same_repository(destination) {
                mounts.always.push(source.repository().to_owned());
            }
        }
        Place::Remote(_) => {}
        Place::Local(store, _) => mounts.by_digest = known_places(store, destination)?,
    }
    Ok(mounts)
}

impl Run<'_> {
    /// Copies what one tag or digest of the source names.
    async fn one(&self, name: String) -> Result<(String, Digest), ClientError> {
        let document = self.document(&name).await?;
        let digest = document.digest;
        let destination = self.copy.destination.reference();
        let wanted = if self.copy.all_tags {
            name.clone()
        } else if self.copy.source.reference().digest().is_some()
            && destination.tag() == Some("latest")
        {
            // Somebody who copies a digest to a bare name has no tag in mind.
            digest.to_string()
        } else {
            asked(destination)
        };
        if self.copy.referrers {
            self.referrers(&document).await?;
        }
        let descriptor = document.descriptor();
        self.transfer.run(document, Some(&wanted)).await?;
        if let Place::Local(store, _) = &self.copy.destination
            && let Ok(reference) = destination.with_tag(&wanted)
        {
            let store = store.clone();
            blocking::run(move || store.tag(&reference, &descriptor)).await?;
        }
        Ok((wanted, digest))
    }

    async fn document(&self, name: &str) -> Result<Document, ClientError> {
        let shown = self.copy.source.reference().familiar();
        match &self.copy.source {
            Place::Local(store, reference) if self.copy.all_tags => {
                let reference = reference.with_tag(name).map_err(|_| ClientError::NotHere {
                    name: name.to_owned(),
                })?;
                local_document(store, &reference, &self.copy.platforms).await
            }
            Place::Local(store, reference) => {
                local_document(store, reference, &self.copy.platforms).await
            }
            Place::Remote(_) => {
                let origin = &self.transfer.origin;
                let document = origin.document(name).await?;
                self.copy.platforms.select(origin, document, &shown).await
            }
        }
    }

    /// Copies what refers to the document and to what it lists, before these become visible: nothing appears at the
    /// destination without its signature.
    async fn referrers(&self, document: &Document) -> Result<(), ClientError> {
        let mut seen = HashSet::new();
        let mut subjects = vec![(document.digest, 0)];
        for child in document.children()?.documents {
            subjects.push((digest_of(&child)?, 0));
        }
        while let Some((subject, depth)) = subjects.pop() {
            for entry in self.transfer.origin.referrers(&subject).await? {
                let digest = digest_of(&entry)?;
                if !seen.insert(digest) {
                    continue;
                }
                let referrer = self.transfer.origin.document(&digest.to_string()).await?;
                self.transfer.run(referrer, None).await?;
                if depth < REFERRER_DEPTH {
                    subjects.push((digest, depth + 1));
                }
            }
        }
        Ok(())
    }
}
