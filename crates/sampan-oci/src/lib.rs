//! Digests, references, manifests, layers and the content store on disk.
//!
//! This crate owns the OCI formats: what an image is called ([`reference`]), what names its bytes
//! ([`digest`]), how its JSON looks ([`image`], [`json`]), how its layers are written and read
//! ([`layer`], [`archive`]), how images travel as files ([`image_archive`]), which files they have
//! ([`image_files`]), where the bytes lie ([`store`]) and how they become directories that
//! an overlay can stack ([`snapshot`]).
//!
//! Bytes enter through [`store::BlobWriter`], which hashes them while they stream, and become
//! visible under their digest by one rename. Names enter through [`store::ContentStore::tag`],
//! after everything that they lead to. So a kill at any instant leaves at most bytes that nobody
//! refers to.
//!
//! It deliberately knows neither registries nor other machines, neither releases nor bundles, and
//! runs nothing. Everything is synchronous; asynchronous callers use a blocking thread.

pub mod archive;
pub mod digest;
pub mod durable;
pub mod image;
pub mod image_archive;
pub mod image_files;
pub mod import;
pub mod json;
pub mod layer;
pub mod reference;
pub mod snapshot;
pub mod store;
pub mod stream;

pub use oci_spec::image::{
    Arch, Config, Descriptor, History, ImageConfiguration, ImageIndex, ImageManifest, MediaType,
    Os, Platform, RootFs,
};

pub use crate::digest::Digest;
pub use crate::image::Image;
pub use crate::reference::Reference;
pub use crate::snapshot::Snapshots;
pub use crate::store::ContentStore;
