//! Images through the public face of the crate; most of it needs root, as the product does.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod archive;
mod collect;
mod image_archive;
mod image_files;
mod layer;
mod reference;
mod snapshot;
mod store;
mod support;
