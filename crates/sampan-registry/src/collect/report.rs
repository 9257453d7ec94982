//! What a collection did or would do.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many entries are listed. The sums are of all.
const LISTED: usize = 10_000;

/// What a collection did, or what it would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether everything is still there.
    pub dry_run: bool,
    /// Tags, by rules of retention.
    pub tags: Sum,
    /// Manifests, by rules of retention.
    pub manifests: Sum,
    /// Links of repositories to blobs that none of their manifests name.
    pub links: Sum,
    /// Blobs that no repository holds.
    pub blobs: Sum,
    /// Files that neither the registry nor a local name knows.
    pub strays: Sum,
    /// Uploads that nobody goes on with.
    pub uploads: Sum,
    /// What and why; of a dry run only.
    pub entries: Vec<Entry>,
    /// How many entries are counted but not listed.
    pub unlisted: u64,
    /// Why the rules of retention were not applied, or not to all repositories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_failure: Option<String>,
}

/// How many, and how large they are together. Links have no bytes of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// How many.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Something that would go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// The repository, of tags, manifests and links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The tag, digest or file.
    pub name: String,
    /// Its size; of a link, that of the blob.
    pub size_bytes: u64,
    /// Since when: a tag or manifest is as it is, a link is idle, nobody has used a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The rule of retention.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// What would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A tag, by a rule.
    Tag,
    /// A manifest, by a rule.
    Manifest,
    /// A repository's link to a blob.
    Link,
    /// A blob that no repository holds.
    Blob,
    /// A file that nobody knows.
    Stray,
    /// An upload that nobody goes on with.
    Upload,
}

impl Report {
    /// Counts something that would go, and lists it.
    pub(crate) fn foretell(&mut self, entry: Entry) {
        let bytes = match entry.kind {
            Kind::Tag | Kind::Link => 0,
            _ => entry.size_bytes,
        };
        self.sum(entry.kind).add(1, bytes);
        if self.entries.len() < LISTED {
            self.entries.push(entry);
        } else {
            self.unlisted += 1;
        }
    }

    /// The sum of a kind.
    pub(crate) fn sum(&mut self, kind: Kind) -> &mut Sum {
        match kind {
            Kind::Tag => &mut self.tags,
            Kind::Manifest => &mut self.manifests,
            Kind::Link => &mut self.links,
            Kind::Blob => &mut self.blobs,
            Kind::Stray => &mut self.strays,
            Kind::Upload => &mut self.uploads,
        }
    }

    /// Whether nothing was there to go.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let sums = [
            self.tags,
            self.manifests,
            self.links,
            self.blobs,
            self.strays,
            self.uploads,
        ];
        sums.iter().all(|sum| sum.count == 0)
    }

    /// The bytes of the disk that are free after it.
    #[must_use]
    pub fn freed_bytes(&self) -> u64 {
        self.blobs.bytes + self.strays.bytes + self.uploads.bytes
    }
}

impl Sum {
    pub(crate) fn add(&mut self, count: u64, bytes: u64) {
        self.count += count;
        self.bytes += bytes;
    }
}

impl Entry {
    pub(crate) fn file(kind: Kind, name: String, size_bytes: u64) -> Self {
        Self {
            kind,
            repository: None,
            name,
            size_bytes,
            since: None,
            rule: None,
        }
    }

    /// Why it would go, in a few words.
    #[must_use]
    pub fn reason(&self) -> String {
        let since = self
            .since
            .map_or_else(String::new, |since| format!(" since {since:.0}"));
        match self.kind {
            Kind::Tag | Kind::Manifest => {
                let rule = self.rule.as_deref().unwrap_or_default();
                let state = match self.kind {
                    Kind::Tag => "unchanged",
                    _ => "nothing has needed it",
                };
                format!("{state}{since}; {rule}")
            }
            Kind::Link => format!("no manifest of the repository names it{since}"),
            Kind::Blob => "no repository holds it".to_owned(),
            Kind::Stray => "neither the registry nor a local name knows it".to_owned(),
            Kind::Upload => format!("nothing has come for it{since}"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tag => "tag",
            Self::Manifest => "manifest",
            Self::Link => "link",
            Self::Blob => "blob",
            Self::Stray => "stray",
            Self::Upload => "upload",
        })
    }
}
