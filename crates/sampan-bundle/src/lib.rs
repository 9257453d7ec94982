//! Releases and the files that carry them over a gap.
//!
//! A release ([`release`]) is an immutable version of an app: an OCI image index in the content
//! store that points, by digest, at the app's description, its manifests and its images. A bundle
//! ([`bundle`]) is one file with the content of releases: all of it, or only what releases that the
//! other side is known to hold lack.
//!
//! Everything streams: blob by blob from the store into the file, and from the file into the store,
//! where a release gets its name when every byte of the bundle has been verified and not before.
//!
//! This crate deliberately does not know how an app is built or deployed, nor where the manifests
//! come from.

pub mod bundle;
pub mod release;

pub use bundle::{Bundle, BundleError, Summary};
pub use release::{NewRelease, Release, ReleaseError};
