//! The port to what must be kept whatever the rules say.

use std::collections::HashSet;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;

use sampan_oci::Digest;

/// An answer about what is pinned, once it is there.
pub type Pinned<'a> = Pin<
    Box<dyn Future<Output = Result<HashSet<Digest>, Box<dyn Error + Send + Sync>>> + Send + 'a>,
>;

/// What rules of retention must leave alone; asked by the registry, answered by whoever knows the releases.
pub trait Pins: Send + Sync {
    /// The digests of manifests that something outside of the registry relies on.
    fn manifests(&self) -> Pinned<'_>;
}

/// Nothing is pinned.
#[derive(Debug)]
pub(crate) struct NoPins;

impl Pins for NoPins {
    fn manifests(&self) -> Pinned<'_> {
        Box::pin(std::future::ready(Ok(HashSet::new())))
    }
}
