//! Manifests: pushing, finding and deleting them.

use bytes::Bytes;
use sampan_oci::Digest;
use sampan_oci::digest::Hasher;
use sampan_store::registry::{self as ledger, ManifestRow, Pattern, PutManifest, Removal, Rules};
use sampan_supervise::clock;

use super::Registry;
use super::blobs::is_old;
use crate::error::Error;
use crate::storage::{Reader, blocking};
use crate::wire::document::{self, Document};
use crate::wire::name::{ManifestName, RepositoryName};

/// From this size on, a manifest takes milliseconds to read.
const LARGE_BYTES: usize = 64 << 10;

/// A manifest that is to be pushed.
#[derive(Debug)]
pub(crate) struct NewManifest {
    /// Where to.
    pub(crate) repository: RepositoryName,
    /// As what.
    pub(crate) name: ManifestName,
    /// Further tags for it.
    pub(crate) tags: Vec<String>,
    /// What the client calls it.
    pub(crate) content_type: Option<String>,
    /// Its bytes, which are kept as they are.
    pub(crate) bytes: Bytes,
    /// Whether tags that exist may move, as far as the rules of the repository let them.
    pub(crate) replaces: bool,
    /// Whether the repository must have what it names, as far as the configuration says so; what is fetched from an upstream
    /// comes bit by bit.
    pub(crate) is_whole: bool,
    /// Who pushes.
    pub(crate) actor: String,
}

/// A manifest that has been pushed.
#[derive(Debug)]
pub(crate) struct PushedManifest {
    /// Its digest.
    pub(crate) digest: Digest,
    /// What it says something about.
    pub(crate) subject: Option<Digest>,
    /// The tags that it now has by this push.
    pub(crate) tags: Vec<String>,
}

impl Registry {
    /// What is known of a manifest. The question keeps one that nothing needs from the rules of retention, since clients
    /// ask in order to push an index next that names it.
    pub(crate) async fn manifest(
        &self,
        repository: &RepositoryName,
        name: &ManifestName,
    ) -> Result<ManifestRow, Error> {
        let digest;
        let asked = match name {
            ManifestName::Tag(tag) => ledger::ManifestName::Tag(tag),
            ManifestName::Digest(asked) => {
                digest = asked.to_string();
                ledger::ManifestName::Digest(&digest)
            }
        };
        let unknown = || Error::ManifestUnknown {
            name: name.to_string(),
        };
        let row = self.ledger.manifest(repository.as_str(), asked).await?;
        let row = row.ok_or_else(unknown)?;
        let now = clock::now();
        if is_old(row.unused_since, now) {
            let kept = self
                .ledger
                .keep_manifest(repository.as_str(), &row.digest, now)
                .await?;
            if !kept {
                return Err(unknown());
            }
        }
        Ok(row)
    }

    /// The bytes of a manifest.
    pub(crate) async fn manifest_bytes(&self, row: &ManifestRow) -> Result<Reader, Error> {
        let digest = row.digest.parse()?;
        let reader = match self.storage.open(&digest, row.size_bytes).await? {
            Some(stored) => {
                let size_bytes = stored.size_bytes;
                stored.read(0..size_bytes).await?
            }
            None => None,
        };
        reader.ok_or_else(|| Error::ManifestUnknown {
            name: row.digest.clone(),
        })
    }

    /// Takes a manifest, and gives it its tags in the same step. Once it is known to be one, this goes on when the client
    /// leaves.
    pub(crate) async fn push_manifest(&self, new: NewManifest) -> Result<PushedManifest, Error> {
        let Read {
            document,
            digest,
            annotations,
        } = read(&new).await?;
        let mut tags = new.tags;
        if let ManifestName::Tag(tag) = new.name {
            tags.insert(0, tag);
        }
        let size_bytes = new.bytes.len() as u64;
        let subject = document.subject;
        let mut rules = self.rules(&new.repository);
        if !new.replaces {
            rules.immutable_tags = [Pattern::new("*")].into();
        }
        let put = PutManifest {
            repository: new.repository.as_str().to_owned(),
            digest: digest.to_string(),
            media_type: document.media_type.clone(),
            artifact_type: document.artifact_type.clone(),
            subject: subject.map(|subject| subject.to_string()),
            annotations,
            size_bytes,
            children: self.children(&document, new.is_whole),
            tags: tags.clone(),
            rules,
            actor: new.actor,
            at: clock::now(),
        };
        let (registry, bytes) = (self.clone(), new.bytes);
        self.whole(async move {
            registry.ledger.check_manifest(&put).await?;
            let _lock = registry.locks.lock(&digest).await;
            let made = registry.storage.put(digest, bytes).await?;
            let pushed = registry.ledger.put_manifest(put).await;
            if made && matches!(pushed, Err(sampan_store::Error::Refused(_))) {
                registry.take_back(&digest).await;
            }
            pushed?;
            Ok(())
        })
        .await?;
        Ok(PushedManifest {
            digest,
            subject,
            tags,
        })
    }

    /// Removes a tag, or a manifest with all its tags.
    pub(crate) async fn delete_manifest(
        &self,
        repository: &RepositoryName,
        name: &ManifestName,
        actor: &str,
    ) -> Result<(), Error> {
        let removal = self.removal(repository, actor);
        match name {
            ManifestName::Tag(tag) => {
                self.ledger.delete_tag(removal, tag).await?;
            }
            ManifestName::Digest(digest) => {
                self.ledger
                    .delete_manifest(removal, &digest.to_string())
                    .await?;
            }
        }
        Ok(())
    }

    /// Who removes something from where, by which rules.
    pub(super) fn removal(&self, repository: &RepositoryName, actor: &str) -> Removal {
        Removal {
            repository: repository.as_str().to_owned(),
            rules: self.rules(repository),
            actor: actor.to_owned(),
            at: clock::now(),
        }
    }

    /// The rules that hold in a repository.
    pub(crate) fn rules(&self, repository: &RepositoryName) -> Rules {
        self.config.rules(repository.as_str())
    }

    fn children(&self, document: &Document, is_whole: bool) -> Vec<ledger::Child> {
        let sparse = &self.config.sparse;
        let may_lack = if document.is_index {
            sparse.indexes
        } else {
            sparse.images
        };
        let children = document.children.iter();
        children
            .map(|child| ledger::Child {
                digest: child.digest.to_string(),
                kind: match child.kind {
                    document::ChildKind::Blob => ledger::ChildKind::Blob,
                    document::ChildKind::Manifest => ledger::ChildKind::Manifest,
                },
                required: is_whole && !(may_lack || child.foreign),
            })
            .collect()
    }
}

/// What a manifest says.
struct Read {
    document: Document,
    digest: Digest,
    annotations: Option<String>,
}

/// Reads a manifest; a large one where that keeps nobody else waiting.
async fn read(new: &NewManifest) -> Result<Read, Error> {
    let (bytes, name) = (new.bytes.clone(), new.name.clone());
    let content_type = new.content_type.clone();
    let is_large = bytes.len() > LARGE_BYTES;
    let read = move || {
        let document = Document::parse(&bytes, content_type.as_deref())?;
        Ok(Read {
            digest: digest_of(&bytes, &name)?,
            annotations: annotations(&document),
            document,
        })
    };
    if is_large {
        blocking(read).await
    } else {
        read()
    }
}

/// The digest by the algorithm that the client names, which must then be the one that it says.
fn digest_of(bytes: &[u8], name: &ManifestName) -> Result<Digest, Error> {
    let ManifestName::Digest(expected) = name else {
        return Ok(Digest::of_bytes(bytes));
    };
    let mut hasher = Hasher::new(expected.algorithm());
    hasher.update(bytes);
    let actual = hasher.finish();
    if actual == *expected {
        return Ok(actual);
    }
    Err(Error::DigestMismatch {
        expected: Box::new(*expected),
        actual: Box::new(actual),
    })
}

fn annotations(document: &Document) -> Option<String> {
    let some = !document.annotations.is_empty();
    some.then(|| {
        serde_json::to_string(&document.annotations).expect("a map of texts has a JSON form")
    })
}
