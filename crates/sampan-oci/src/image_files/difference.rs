//! How the files of two images differ.

use oci_spec::image::Descriptor;

use super::{ImageFile, ImageFiles};
use crate::image::Image;
use crate::layer::LayerError;
use crate::store::ContentStore;

/// In what a file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aspect {
    /// It is something else: a directory was a file, or a link leads elsewhere.
    Kind,
    /// Its bytes.
    Content,
    /// Its permissions.
    Mode,
    /// Its owner or group.
    Owner,
    /// Its extended attributes.
    Attributes,
}

/// A file that both images have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    /// Its path.
    pub path: Vec<u8>,
    /// In what it differs; times do not count.
    pub aspects: Vec<Aspect>,
    /// The file of the first image.
    pub before: ImageFile,
    /// The file of the second image.
    pub after: ImageFile,
}

/// How the files of one image become those of another; in the order of their paths.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Files that only the second image has.
    pub added: Vec<(Vec<u8>, ImageFile)>,
    /// Files that only the first image has.
    pub removed: Vec<(Vec<u8>, ImageFile)>,
    /// Files that both have, but not the same.
    pub changed: Vec<ChangedFile>,
}

/// Compares the files of two images by reading their layers; those that both begin with are read
/// once. `progress` is told how many bytes were read.
///
/// # Errors
/// When a layer is missing or malformed.
pub fn between(
    store: &ContentStore,
    before: &Image,
    after: &Image,
    progress: &mut dyn FnMut(u64),
) -> Result<Difference, LayerError> {
    let (before, after) = (before.manifest.layers(), after.manifest.layers());
    let shared = before
        .iter()
        .zip(after)
        .take_while(|(one, other)| one.digest() == other.digest())
        .count();
    let mut base = ImageFiles::default();
    let mut lay = |files: &mut ImageFiles, layers: &[Descriptor]| {
        layers
            .iter()
            .try_for_each(|layer| files.apply(store, layer, progress))
    };
    lay(&mut base, &before[..shared])?;
    let mut first = base.clone();
    lay(&mut first, &before[shared..])?;
    lay(&mut base, &after[shared..])?;
    Ok(compare(first, base))
}

fn compare(mut before: ImageFiles, after: ImageFiles) -> Difference {
    let mut difference = Difference::default();
    for (path, after) in after.files {
        match before.files.remove(&path) {
            None => difference.added.push((path, after)),
            Some(before) => {
                let aspects = aspects(&before, &after);
                if !aspects.is_empty() {
                    difference.changed.push(ChangedFile {
                        path,
                        aspects,
                        before,
                        after,
                    });
                }
            }
        }
    }
    difference.removed = before.files.into_iter().collect();
    difference
}

fn aspects(before: &ImageFile, after: &ImageFile) -> Vec<Aspect> {
    let all = [
        (Aspect::Kind, before.kind != after.kind),
        (Aspect::Content, before.content != after.content),
        (Aspect::Mode, before.mode != after.mode),
        (Aspect::Owner, before.owner != after.owner),
        (Aspect::Attributes, before.xattrs != after.xattrs),
    ];
    let differs = all.into_iter().filter(|(_, differs)| *differs);
    differs.map(|(aspect, _)| aspect).collect()
}
