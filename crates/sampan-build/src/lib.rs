//! From a Dockerfile and its context to an image in the content store.
//!
//! The crate owns the Dockerfile dialect, `.dockerignore`, the cache of build steps and the order in which
//! stages are built. It does not know how layers are stored (`sampan-oci`), how containers are run
//! (`sampan-container`), or how progress is shown: a build reports events, and ends with an image.
//!
//! A build goes through it so: the [`dockerfile`] is parsed and planned, stage by stage each step gets a
//! key from what it depends on, and only a key that the cache does not know makes work: COPY and ADD copy
//! into an overlay, RUN runs a container over it, and what changed becomes a layer and, without being
//! unpacked again, a snapshot for the next step.

pub mod dockerfile;
pub mod ignore;

mod builder;
mod cache;
mod draft;
mod error;
mod event;
mod files;
mod fingerprint;
mod interrupt;
mod plan;
mod request;
mod run;
mod session;
mod stage;
mod transfer;
mod workspace;

pub use builder::{Builder, BuiltImage, base_images};
pub use error::{BuildError, IoError, StepError};
pub use event::{Event, Outcome, Stream};
pub use interrupt::Interrupt;
pub use request::{BuildNetwork, BuildRequest};
