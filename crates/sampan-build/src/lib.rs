//! From a Dockerfile and its context to an image in the content store.
//!
//! The crate owns the Dockerfile dialect, `.dockerignore`, the cache of build steps and the order in which
//! stages are built. It does not know how layers are stored (`sampan-oci`), how containers are run
//! (`sampan-container`), or how progress is shown: a build reports events, and ends with an image.

pub mod dockerfile;
pub mod ignore;
