//! `sampan image tag`.

use sampan_oci::Reference;

use super::failed;
use super::lookup::ImageName;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Arguments of `sampan image tag`.
#[derive(Debug, clap::Args)]
pub(crate) struct TagArgs {
    /// The image, by a name that it has or by its digest
    image: ImageName,
    /// The name that it gets as well
    name: Reference,
}

pub(super) fn tag(args: &TagArgs, context: &Context) -> Result<(), Failure> {
    let store = context.content()?;
    refuse_digest(&args.name)?;
    refuse_release(&args.name)?;
    let descriptor = args.image.find(&store)?.descriptor;
    store.tag(&args.name, &descriptor).map_err(failed)
}

/// Refuses a digest where a name is to be given.
pub(super) fn refuse_digest(name: &Reference) -> Result<(), Failure> {
    if name.digest().is_none() {
        return Ok(());
    }
    Err(
        Failure::new(format!("`{}` is a digest, not a name", name.familiar()))
            .with_hint("give a name with a tag, such as `debian:bookworm-slim`"),
    )
}

/// Refuses the name of a release.
pub(super) fn refuse_release(name: &Reference) -> Result<(), Failure> {
    match sampan_bundle::release::release_name(name) {
        None => Ok(()),
        Some(release) => Err(
            Failure::new(format!("`{release}` is a release, not an image"))
                .with_hint("`sampan release ls` lists the releases")
                .with_exit(Exit::Refused),
        ),
    }
}
