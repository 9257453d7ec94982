//! `sampan image tag` and `sampan image rm`.

use sampan_oci::Reference;

use super::not_found;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Arguments of `sampan image tag`.
#[derive(Debug, clap::Args)]
pub(crate) struct TagArgs {
    /// The image, by a name that it has
    image: Reference,
    /// The name that it gets as well
    name: Reference,
}

/// Arguments of `sampan image rm`.
#[derive(Debug, clap::Args)]
pub(crate) struct RmArgs {
    /// The names to take away; releases keep the images that they need
    #[arg(required = true, value_name = "NAME")]
    names: Vec<Reference>,
}

pub(super) fn tag(args: &TagArgs, context: &Context) -> Result<(), Failure> {
    let store = context.content()?;
    refuse_digest(&args.name)?;
    refuse_release(&args.name)?;
    let descriptor = store
        .resolve(&args.image)?
        .ok_or_else(|| not_found(&args.image))?;
    store.tag(&args.name, &descriptor)?;
    Ok(())
}

pub(super) fn rm(args: &RmArgs, context: &Context) -> Result<(), Failure> {
    let store = context.content()?;
    for name in &args.names {
        refuse_digest(name)?;
        refuse_release(name)?;
        if store.resolve(name)?.is_none() {
            return Err(not_found(name));
        }
    }
    for name in &args.names {
        if store.untag(name)? {
            context.ui().line(format!("removed {}", name.familiar()))?;
        }
    }
    Ok(())
}

fn refuse_digest(name: &Reference) -> Result<(), Failure> {
    if name.digest().is_none() {
        return Ok(());
    }
    Err(
        Failure::new(format!("`{}` is a digest, not a name", name.familiar()))
            .with_hint("give a name with a tag, such as `debian:bookworm-slim`"),
    )
}

fn refuse_release(name: &Reference) -> Result<(), Failure> {
    match sampan_bundle::release::release_name(name) {
        None => Ok(()),
        Some(release) => Err(
            Failure::new(format!("`{release}` is a release, not an image"))
                .with_hint("`sampan release ls` lists the releases")
                .with_exit(Exit::Refused),
        ),
    }
}
