//! Kustomize: manifests made of others by a `kustomization.yaml`, as `kubectl kustomize` makes them.
//!
//! What people use daily is here: bases, components, generators, patches of both kinds, images, replicas, names, labels and
//! annotations. What runs programs, reads from the network or rewrites by rules of its own is refused by name.
//!
//! Resources are gathered from the bases upwards, each layer changes what the ones below gave. What a resource was called
//! in each layer is kept, so that in the end, when all names are final, what refers to it can follow.

use std::path::Path;

mod error;
mod files;
mod gather;
mod generate;
mod hash;
mod images;
mod index;
mod kustomization;
mod labels;
mod merge;
mod names;
mod operations;
mod order;
mod patch;
mod path;
mod references;
mod resource;
mod select;
mod write;

pub use error::Error;
pub use resource::{Id, Resource};

/// Renders the folder of a kustomization: the resources, in the order of applying them.
///
/// # Errors
/// What is wrong with the kustomization or what it refers to.
pub fn build(folder: &Path) -> Result<Vec<Resource>, Error> {
    crate::render::on_large_stack(|| {
        let (mut resources, order) = gather::run(folder)?;
        for resource in &mut resources {
            hash::add(resource)?;
        }
        references::update(&mut resources);
        resources.retain(|resource| !resource.is_local());
        order::sort(&mut resources, order);
        Ok(resources)
    })?
}

/// The text of resources, as `kubectl kustomize` prints it.
///
/// # Errors
/// When there is no room for it.
pub fn text(resources: &[Resource]) -> Result<Vec<u8>, Error> {
    Ok(crate::render::on_large_stack(|| {
        write::documents(resources)
    })?)
}
