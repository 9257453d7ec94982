//! The lock file of a source tree: which bytes its pipelines run with.
//!
//! ```yaml
//! # Written by `sampan ci lock`.
//! version: 1
//! images:
//!   "golang:1.21": sha256:…
//! actions:
//!   "actions/checkout@v4": sha256:…
//! ```
//!
//! Names are those of the pipelines; what the installation puts in their place may differ from place to place, the bytes
//! do not. The same content is always the same text, so that people can read what changed.

use std::collections::BTreeMap;

use sampan_model::yaml::{self, Key, Node};
use sampan_oci::{Digest, Reference};

use crate::PipelineError;
use crate::read::{self, Fields};

/// The name of the file, at the root of the source tree.
pub const FILE_NAME: &str = "sampan-ci.lock";

/// The version of the format that this program reads and writes.
const VERSION: i64 = 1;

/// How many images and actions may be pinned.
const LIMIT_ENTRIES: usize = 10_000;

/// What pipelines run with, by digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// By familiar names with a tag: `golang:1.21`.
    images: BTreeMap<String, Digest>,
    /// By `OWNER/REPOSITORY@VERSION`; owners and repositories in small letters.
    actions: BTreeMap<String, Digest>,
}

impl Lock {
    /// Reads a lock file.
    ///
    /// # Errors
    /// [`PipelineError`] with file and line when it is none that this program knows.
    pub fn parse(file: &str, text: &str) -> Result<Self, PipelineError> {
        read::check_size(file, text)?;
        let documents = yaml::documents(file, text)?;
        let [document] = documents.as_slice() else {
            return Err(PipelineError::NoPipeline {
                file: file.to_owned(),
                problem: "a lock file has one document",
            });
        };
        let fields = Fields::of(document, "the lock file")?;
        fields.require("version", |node, what| match read::integer(node, what)? {
            VERSION => Ok(()),
            other => Err(PipelineError::InvalidValue {
                location: node.location.clone(),
                what: "version of a lock file".to_owned(),
                value: other.to_string(),
                hint: Some("write the file anew with `sampan ci lock`".to_owned()),
            }),
        })?;
        let lock = Self {
            images: fields
                .read_or_default("images", |node, what| digests(node, what, image_key))?,
            actions: fields
                .read_or_default("actions", |node, what| digests(node, what, action_key))?,
        };
        fields.finish()?;
        Ok(lock)
    }

    /// The file's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        const HEAD: &str = "# Written by `sampan ci lock`: the images and actions that the pipelines of this tree run with.";
        let mut lines = vec![HEAD.to_owned(), format!("version: {VERSION}")];
        for (title, entries) in [("images", &self.images), ("actions", &self.actions)] {
            if entries.is_empty() {
                continue;
            }
            lines.push(format!("{title}:"));
            let entries = entries.iter();
            lines.extend(entries.map(|(name, digest)| format!("  \"{name}\": {digest}")));
        }
        lines.push(String::new());
        lines.join("\n")
    }

    /// Pins an image. One whose name has a digest is pinned by that.
    ///
    /// # Errors
    /// What is wrong with the name, as a sentence without a full stop.
    pub fn pin_image(&mut self, name: &str, digest: Digest) -> Result<(), String> {
        if let Some(name) = image_key(name)? {
            self.images.insert(name, digest);
        }
        Ok(())
    }

    /// Pins an action by `OWNER/REPOSITORY@VERSION`.
    ///
    /// # Errors
    /// What is wrong with the name, as a sentence without a full stop.
    pub fn pin_action(&mut self, name: &str, digest: Digest) -> Result<(), String> {
        if let Some(name) = action_key(name)? {
            self.actions.insert(name, digest);
        }
        Ok(())
    }

    /// The digest of an image.
    #[must_use]
    pub fn image(&self, name: &str) -> Option<&Digest> {
        self.images.get(&image_key(name).ok()??)
    }

    /// The digest of an action by `OWNER/REPOSITORY@VERSION`.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&Digest> {
        self.actions.get(&action_key(name).ok()??)
    }

    /// All images with their digests, in the order of the names.
    pub fn images(&self) -> impl Iterator<Item = (&str, &Digest)> {
        self.images
            .iter()
            .map(|(name, digest)| (name.as_str(), digest))
    }

    /// All actions with their digests, in the order of the names.
    pub fn actions(&self) -> impl Iterator<Item = (&str, &Digest)> {
        self.actions
            .iter()
            .map(|(name, digest)| (name.as_str(), digest))
    }
}

/// The name under which an image is pinned; nothing for one that has a digest.
fn image_key(name: &str) -> Result<Option<String>, String> {
    let reference: Reference = name
        .parse()
        .map_err(|error: sampan_oci::reference::ReferenceError| error.to_string())?;
    Ok(reference.digest().is_none().then(|| reference.familiar()))
}

/// The name under which an action is pinned. GitHub does not tell owners and repositories apart by case, versions it does.
fn action_key(name: &str) -> Result<Option<String>, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let name = crate::supplies::action_name(name)
        .filter(|name| name.len() <= 512)
        .ok_or_else(|| {
            format!(
                "`{}` is no action with a version",
                sampan_model::shortened(name, 80)
            )
        })?;
    match name.split_once('@') {
        Some((path, version)) if path.chars().all(fits) && version.chars().all(fits) => {
            Ok(Some(format!("{}@{version}", path.to_ascii_lowercase())))
        }
        _ => Err(format!("`{name}` is no action with a version")),
    }
}

fn digests(
    node: &Node,
    what: &str,
    key_of: impl Fn(&str) -> Result<Option<String>, String>,
) -> Result<BTreeMap<String, Digest>, PipelineError> {
    let fields = Fields::of(node, what)?;
    let entries = fields.entries();
    if entries.len() > LIMIT_ENTRIES {
        return Err(PipelineError::TooMany {
            location: node.location.clone(),
            what: "entries",
            count: entries.len(),
            limit: LIMIT_ENTRIES,
        });
    }
    let mut digests = BTreeMap::new();
    for (key, value) in entries {
        let name = name(key, &key_of)?;
        let text = read::text(value, &format!("`{}` of {what}", key.name))?;
        let digest = text
            .parse()
            .map_err(
                |error: sampan_oci::digest::DigestError| PipelineError::InvalidValue {
                    location: value.location.clone(),
                    what: "digest".to_owned(),
                    value: sampan_model::shortened(&text, 80),
                    hint: sampan_model::Hint::hint(&error),
                },
            )?;
        if digests.insert(name, digest).is_some() {
            return Err(PipelineError::RepeatedName {
                location: key.location.clone(),
                what: "entries",
                name: key.name.clone(),
            });
        }
    }
    Ok(digests)
}

fn name(
    key: &Key,
    key_of: &impl Fn(&str) -> Result<Option<String>, String>,
) -> Result<String, PipelineError> {
    let invalid = |hint: String| PipelineError::InvalidValue {
        location: key.location.clone(),
        what: "name in a lock file".to_owned(),
        value: sampan_model::shortened(&key.name, 80),
        hint: Some(hint),
    };
    key_of(&key.name)
        .map_err(&invalid)?
        .ok_or_else(|| invalid("a name with a digest is pinned by it".to_owned()))
}
