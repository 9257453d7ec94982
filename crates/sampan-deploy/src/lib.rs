//! Orders and rollouts: how a release comes to run in an environment.
//!
//! This crate owns the way from a release to objects on a target and back: manifests are read with the place of every
//! line ([`manifests`]), filled with the environment's values and pinned to the release's digests. It knows the
//! Kubernetes API and nothing of engines: the embedded engine and a cluster are the same to it. It does not know how a
//! release is stored or carried; the caller hands one in as [`Release`]. It knows no charts either: what is no manifest yet
//! goes through the port [`Renderer`].
//!
//! A release and an environment give a [`Desired`], the complete content of the environment. A [`plan`] compares it with
//! the live objects of a [`target`]; a [`rollout`] brings it about, waits for [`health`], runs the [`checks`], and brings
//! the previous one back when they fail. Orders in the store are the [`history`].

pub mod checks;
pub mod content;
pub mod desired;
pub mod destination;
pub mod health;
pub mod history;
pub mod hook;
pub mod manifests;
mod owner;
pub mod plan;
pub mod release;
pub mod renderer;
pub mod rollout;
pub mod runner;
pub mod target;

pub use desired::{Desired, Overrides};
pub use destination::Destination;
pub use owner::Owner;
pub use release::{ChartFile, ImagePin, ManifestFile, Release};
pub use renderer::Renderer;
