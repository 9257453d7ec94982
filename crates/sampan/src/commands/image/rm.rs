//! `sampan image rm`.

use std::collections::BTreeSet;

use sampan_oci::{ContentStore, Descriptor, Reference};

use super::failed;
use super::lookup::{ImageName, names_of};
use super::names::refuse_release;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Arguments of `sampan image rm`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Names to take away, or digests of images
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<ImageName>,
    /// Take names away from images that containers or releases use, and all names of an image that
    /// is given by its digest
    #[arg(long, short)]
    force: bool,
}

/// A name that goes.
struct Going {
    name: Reference,
    descriptor: Descriptor,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let store = context.content()?;
    let mut going: Vec<Going> = Vec::new();
    for image in &args.images {
        for found in select(image, &store, args.force)? {
            if !going.iter().any(|known| known.name == found.name) {
                going.push(found);
            }
        }
    }
    if !args.force {
        refuse_used(&going, &store, context)?;
    }
    let mut untagged = Vec::new();
    for Going { name, descriptor } in &going {
        if store.untag(name).map_err(failed)? {
            untagged.push(serde_json::json!({
                "name": name.familiar(), "digest": descriptor.digest(),
            }));
            if !context.json() {
                context.ui().line(format!("removed {}", name.familiar()))?;
            }
        }
    }
    if context.json() {
        return context.ui().json(&untagged);
    }
    Ok(())
}

/// The names that go when `image` is to go.
fn select(image: &ImageName, store: &ContentStore, force: bool) -> Result<Vec<Going>, Failure> {
    if let Some(name) = image.name() {
        refuse_release(name)?;
    }
    let found = image.find(store)?;
    let descriptor = found.descriptor;
    let mut names = match found.name {
        Some(name) => vec![name],
        None => names_of(store, &descriptor)?,
    };
    // A name with a digest means that very name, or the names of that repository, if there are any.
    if let Some(pinned) = image.name().filter(|name| name.digest().is_some()) {
        let own = pinned.by_digest();
        let same = names.iter().filter(|name| name.same_repository(pinned));
        let same: Vec<_> = same.cloned().collect();
        match own.filter(|own| names.contains(own)) {
            Some(own) => names = vec![own],
            None if same.is_empty() => {}
            None => names = same,
        }
    }
    if names.len() > 1 && !force {
        let names: Vec<_> = names.iter().map(Reference::familiar).collect();
        return Err(Failure::new(format!(
            "image `{}` has several names: {}",
            found.shown,
            names.join(", ")
        ))
        .with_hint("give the names to take away, or `--force` to take away all")
        .with_exit(Exit::Refused));
    }
    if names.is_empty() {
        return Err(Failure::new(format!("image `{}` has no name", found.shown))
            .with_hint("content without a name is removed by the collector of the content store")
            .with_exit(Exit::NotFound));
    }
    let descriptor = |name| Going {
        name,
        descriptor: descriptor.clone(),
    };
    Ok(names.into_iter().map(descriptor).collect())
}

/// Refuses to take the last name of an image away that a container or a release uses.
fn refuse_used(going: &[Going], store: &ContentStore, context: &Context) -> Result<(), Failure> {
    for Going { name, descriptor } in going {
        let stays = |other: &Reference| !going.iter().any(|going| going.name == *other);
        if names_of(store, descriptor)?.iter().any(stays) {
            continue;
        }
        let mut users = containers(store, descriptor, context)?;
        users.extend(releases(store, descriptor)?);
        if let Some(first) = users.first() {
            let more = match users.len() {
                1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            return Err(
                Failure::new(format!("`{}` is used by {first}{more}", name.familiar()))
                    .with_hint(
                        "remove what uses it first, give the image another name with `sampan image tag`, or take the \
                         name away nevertheless with `--force`",
                    )
                    .with_exit(Exit::Refused),
            );
        }
    }
    Ok(())
}

fn containers(
    store: &ContentStore,
    descriptor: &Descriptor,
    context: &Context,
) -> Result<BTreeSet<String>, Failure> {
    let mut users = BTreeSet::new();
    for container in context.runtime()?.list()? {
        // Containers that were made of something else than an image have another text there.
        let Ok(reference) = container.image.parse::<Reference>() else {
            continue;
        };
        let image = store.resolve(&reference).map_err(failed)?;
        if image.is_some_and(|image| image.digest() == descriptor.digest()) {
            let shown = container
                .name
                .unwrap_or_else(|| container.id.short().to_owned());
            users.insert(format!("container `{shown}`"));
        }
    }
    Ok(users)
}

fn releases(store: &ContentStore, descriptor: &Descriptor) -> Result<BTreeSet<String>, Failure> {
    let mut users = BTreeSet::new();
    for release in sampan_bundle::release::list(store).map_err(crate::commands::release::failure)? {
        let is_it = |(_, image): &(Reference, Descriptor)| image.digest() == descriptor.digest();
        if release.images.iter().any(is_it) {
            users.insert(format!("release `{}`", release.name));
        }
    }
    Ok(users)
}
