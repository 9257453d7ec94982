//! Orders and rollouts: how a release comes to run in an environment.
//!
//! This crate owns the way from a release to objects on a target and back: manifests are read with the place of every
//! line ([`manifests`]), filled with the environment's values and pinned to the release's digests. It knows the
//! Kubernetes API and nothing of engines: the embedded engine and a cluster are the same to it. It does not know how a
//! release is stored or carried; the caller hands one in as [`Release`].

pub mod manifests;
pub mod release;

pub use release::{ImagePin, ManifestFile, Release};
