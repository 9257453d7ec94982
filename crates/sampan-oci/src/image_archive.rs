//! Archives of images, by which tools hand images to each other: those of `docker save`, and OCI
//! image layouts in a tar archive or in a folder.
//!
//! Reading goes through three steps. All that an archive holds is hashed and staged while it
//! streams, because what it means may stand at its end. Then the documents are followed, and all
//! that they lead to must be there with the digest that they say. Only then the content becomes
//! visible, and last the names. Writing goes through two: a plan, which knows every size, and the
//! bytes, the same for the same images.

mod contents;
mod docker;
mod error;
mod folder;
mod layout;
mod loading;
mod member;
mod plan;

pub use self::error::ImageArchiveError;
pub use self::loading::{Landed, LoadedImage, Loading};
pub use self::plan::{ArchiveFormat, ArchivePlan, SavedImage};

/// Annotation of a descriptor that says the whole name, where [`crate::image::NAME_ANNOTATION`] may
/// be a mere tag.
const FULL_NAME_ANNOTATION: &str = "io.containerd.image.name";
const LAYOUT_FILE: &str = "oci-layout";
const INDEX_FILE: &str = "index.json";
const DOCKER_FILE: &str = "manifest.json";
const DOCKER_NAMES_FILE: &str = "repositories";
const BUNDLE_FILE: &str = "sampan-bundle.json";
