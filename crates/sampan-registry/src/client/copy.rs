//! From any place to any other; between registries, bytes pass through without touching the disk.

use std::collections::HashSet;

use futures_util::{StreamExt as _, stream};
use sampan_oci::{ContentStore, Digest, Reference};

use super::blocking;
use super::document::{Document, digest_of};
use super::error::ClientError;
use super::origin::Origin;
use super::platform::Platforms;
use super::push::{known_places, local_document};
use super::transfer::{Mounts, Target, Transfer};
use super::watch::{Totals, Watch};
use super::{Client, asked, put_under};

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
    /// Whether somebody has written the tag of the destination: a digest that is copied to a bare name gets no tag.
    pub tagged: bool,
    /// Also what refers to what is copied, such as signatures.
    pub referrers: bool,
}

/// What was copied.
#[derive(Debug)]
pub struct Copied {
    /// Each tag or digest with the digest that it stands for, in order.
    pub names: Vec<(String, Digest)>,
    /// Of all tags, those that cannot be copied, and why; in order.
    pub failures: Vec<(String, ClientError)>,
    /// What it took.
    pub totals: Totals,
}

type Names = Vec<(String, Digest)>;
type Failures = Vec<(String, ClientError)>;

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
    /// Copies what the destination lacks. When it is interrupted, the same call goes on with the rest. Of all tags, one
    /// that cannot be copied does not keep the others from it.
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
        let (names, failures) = run.all(tags).await?;
        Ok(Copied {
            names,
            failures,
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
    let name = source.reference();
    let tags = match (origin, source) {
        (Origin::Store(_), Place::Local(store, name)) => {
            let all = store.references()?.into_iter();
            let own = all.filter(|(other, _)| other.same_repository(name));
            own.filter_map(|(other, _)| other.tag().map(str::to_owned))
                .collect()
        }
        // Mirrors may have some of the tags only.
        (Origin::Registry(places), _) => match places.last() {
            Some(registry) => registry.tags().await?,
            None => Vec::new(),
        },
        (Origin::Store(_), Place::Remote(_)) | (Origin::Served(_), _) => Vec::new(),
    };
    match source {
        _ if !tags.is_empty() => Ok(tags),
        Place::Local(..) => Err(ClientError::NotHere {
            name: name.familiar_name(),
        }),
        Place::Remote(_) => Err(ClientError::NotFound {
            host: name.registry().to_owned(),
            what: format!("any tag of `{}`", name.repository()),
            message: String::new(),
        }),
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
    /// Copies what all these names of the source stand for, as far as it goes.
    async fn all(&self, names: Vec<String>) -> Result<(Names, Failures), ClientError> {
        let mut outcomes = stream::iter(names)
            .map(|name| async move {
                let outcome = self.one(&name).await;
                (name, outcome)
            })
            .buffer_unordered(TAGS_AT_ONCE);
        let (mut copied, mut failures) = (Names::new(), Failures::new());
        while let Some((name, outcome)) = outcomes.next().await {
            match outcome {
                Ok(one) => copied.push(one),
                Err(error) if self.copy.all_tags && error.is_of_content() => {
                    failures.push((name, error));
                }
                Err(error) => return Err(error),
            }
        }
        copied.sort_unstable();
        failures.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        Ok((copied, failures))
    }

    /// Copies what one tag or digest of the source stands for.
    async fn one(&self, name: &str) -> Result<(String, Digest), ClientError> {
        let document = self.document(name).await?;
        let digest = document.digest;
        let reference = self.destination(name, digest)?;
        let wanted = put_under(&reference, &digest)?;
        if self.copy.referrers {
            referrers(&self.transfer, &document).await?;
        }
        let descriptor = document.descriptor();
        self.transfer.run(document, Some(&wanted)).await?;
        if let Place::Local(store, _) = &self.copy.destination {
            let store = store.clone();
            blocking::run(move || store.pin(&reference, &descriptor)).await?;
        }
        Ok((wanted, digest))
    }

    /// What the content with this digest, which the source calls `name`, is called at the destination.
    fn destination(&self, name: &str, digest: Digest) -> Result<Reference, ClientError> {
        let destination = self.copy.destination.reference();
        if self.copy.all_tags {
            // Names of the source were looked at when they were listed.
            return destination
                .with_tag(name)
                .map_err(|_| ClientError::NotHere {
                    name: name.to_owned(),
                });
        }
        let by_digest = self.copy.source.reference().digest().is_some();
        let bare = by_digest && !self.copy.tagged && destination.digest().is_none();
        let pinned = bare.then(|| destination.with_digest(digest).by_digest());
        Ok(pinned.flatten().unwrap_or_else(|| destination.clone()))
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
}

/// Copies what refers to the document and to what it lists, before these become visible: nothing appears at the
/// destination without its signature.
pub(super) async fn referrers(
    transfer: &Transfer<'_>,
    document: &Document,
) -> Result<(), ClientError> {
    let mut seen = HashSet::new();
    let mut subjects = vec![(document.digest, 0)];
    for child in document.children()?.documents {
        subjects.push((digest_of(&child)?, 0));
    }
    while let Some((subject, depth)) = subjects.pop() {
        for entry in transfer.origin.referrers(&subject).await? {
            let digest = digest_of(&entry)?;
            if !seen.insert(digest) {
                continue;
            }
            let referrer = transfer.origin.document(&digest.to_string()).await?;
            transfer.run(referrer, None).await?;
            if depth < REFERRER_DEPTH {
                subjects.push((digest, depth + 1));
            }
        }
    }
    Ok(())
}
