//! What people write for an image: a name, or a digest or the beginning of one.

use std::str::FromStr;

use sampan_oci::reference::ReferenceError;
use sampan_oci::{ContentStore, Descriptor, Digest, Reference};

use super::failed;
use crate::failure::{Exit, Failure};

/// Fewer digits of a digest are taken for a name only.
const SHORTEST_DIGEST: usize = 4;

/// A name of an image, or the beginning of its digest.
#[derive(Debug, Clone)]
pub(super) struct ImageName {
    text: String,
    name: Option<Reference>,
    /// Hex digits.
    digest: Option<String>,
}

/// An image that was looked up.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The name that was given; none when it was a digest.
    pub(super) name: Option<Reference>,
    pub(super) descriptor: Descriptor,
    /// What was given, for messages.
    pub(super) shown: String,
}

impl FromStr for ImageName {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (hex, explicit) = match text.strip_prefix("sha256:") {
            Some(hex) => (hex, true),
            None => (text, false),
        };
        let fits = (SHORTEST_DIGEST..=64).contains(&hex.len())
            && hex
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        let name = if explicit && fits {
            None
        } else {
            Some(text.parse()?)
        };
        Ok(Self {
            text: text.to_owned(),
            name,
            digest: fits.then(|| hex.to_owned()),
        })
    }
}

impl ImageName {
    /// What was written, if it is a name.
    pub(super) fn name(&self) -> Option<&Reference> {
        self.name.as_ref()
    }

    /// Finds the image.
    pub(super) fn find(&self, store: &ContentStore) -> Result<Found, Failure> {
        if let Some(name) = &self.name
            && let Some(descriptor) = store.resolve(name).map_err(failed)?
        {
            return Ok(Found {
                name: Some(name.clone()).filter(|name| name.digest().is_none()),
                descriptor,
                shown: name.familiar(),
            });
        }
        let found = match &self.digest {
            Some(hex) => by_digest(store, hex)?,
            None => None,
        };
        match found {
            Some(descriptor) => Ok(Found {
                name: None,
                shown: descriptor.digest().to_string(),
                descriptor,
            }),
            None => Err(not_found(
                &self
                    .name
                    .as_ref()
                    .map_or(self.text.clone(), Reference::familiar),
            )),
        }
    }
}

/// The names of an image, without those of releases.
pub(super) fn names_of(
    store: &ContentStore,
    descriptor: &Descriptor,
) -> Result<Vec<Reference>, Failure> {
    let all = image_names(store)?.into_iter();
    Ok(all
        .filter(|(_, other)| other.digest() == descriptor.digest())
        .map(|(name, _)| name)
        .collect())
}

/// All names with what they stand for, without those of releases.
pub(super) fn image_names(store: &ContentStore) -> Result<Vec<(Reference, Descriptor)>, Failure> {
    let mut names = store.references().map_err(failed)?;
    names.retain(|(name, _)| sampan_bundle::release::release_name(name).is_none());
    Ok(names)
}

fn by_digest(store: &ContentStore, hex: &str) -> Result<Option<Descriptor>, Failure> {
    let mut found: Vec<Descriptor> = Vec::new();
    for (_, descriptor) in image_names(store)? {
        let digest = Digest::of(&descriptor)?;
        let known = found
            .iter()
            .any(|other| other.digest() == descriptor.digest());
        if digest.hex().starts_with(hex) && !known {
            found.push(descriptor);
        }
    }
    if found.len() > 1 {
        return Err(Failure::new(format!(
            "several images have digests that begin with `{hex}`"
        ))
        .with_hint("give more of its digits, or its name")
        .with_exit(Exit::NotFound));
    }
    if let Some(found) = found.pop() {
        return Ok(Some(found));
    }
    // Content without a name is found by its whole digest.
    match format!("sha256:{hex}").parse::<Digest>() {
        Ok(digest) => {
            let any: Reference = "image".parse()?;
            store.resolve(&any.with_digest(digest)).map_err(failed)
        }
        Err(_) => Ok(None),
    }
}

/// The failure that a text stands for no image.
fn not_found(shown: &str) -> Failure {
    Failure::new(format!("there is no image `{shown}`"))
        .with_hint("`sampan image ls` lists what there is")
        .with_exit(Exit::NotFound)
}
