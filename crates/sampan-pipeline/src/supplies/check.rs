//! Whether everything is at hand.

use sampan_oci::{Digest, Reference};

use super::{Supplies, SupplyError};
use crate::config::Config;
use crate::lock::Lock;

/// What is here.
pub trait Stock {
    /// Whether there is an image: the one with `digest` where there is one, else whatever has the name.
    ///
    /// # Errors
    /// What kept the store from being read.
    fn image(&self, name: &Reference, digest: Option<&Digest>) -> std::io::Result<Presence>;

    /// Whether there is an action by `OWNER/REPOSITORY@VERSION`: the one with `digest` where there is one, else whatever
    /// has the name.
    ///
    /// # Errors
    /// What kept the store from being read.
    fn action(&self, name: &str, digest: Option<&Digest>) -> std::io::Result<Presence>;
}

/// Whether something is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is here.
    Here,
    /// It is not here.
    Absent,
}

/// Everything that is missing, in the order of kinds and names. Without a lock file, whatever has the name will do.
///
/// # Errors
/// What kept the stock from being read.
pub fn check(
    supplies: &Supplies,
    config: &Config,
    lock: Option<&Lock>,
    stock: &dyn Stock,
) -> std::io::Result<Vec<SupplyError>> {
    let mut missing = Vec::new();
    for (labels, location) in &supplies.machines {
        match config.runner(labels) {
            None => missing.push(SupplyError::NoMachine {
                location: location.clone(),
                labels: labels.join(", "),
            }),
            // What the installation sets is no matter of the tree's lock file.
            Some(image) => missing.extend(one_image(image, location, config, None, stock)?),
        }
    }
    for (version, location) in &supplies.node {
        match config.node(version) {
            None => missing.push(SupplyError::NoNode {
                location: location.clone(),
                version: version.clone(),
            }),
            Some(image) => missing.extend(one_image(image, location, config, None, stock)?),
        }
    }
    for (image, location) in &supplies.images {
        missing.extend(one_image(image, location, config, lock, stock)?);
    }
    for (name, location) in &supplies.actions {
        let digest = lock.and_then(|lock| lock.action(name));
        let (location, name) = (location.clone(), name.clone());
        if lock.is_some() && digest.is_none() {
            let kind = "action";
            missing.push(SupplyError::NotLocked {
                location,
                kind,
                name,
            });
        } else if stock.action(&name, digest)? == Presence::Absent {
            missing.push(match digest {
                Some(digest) => SupplyError::OtherAction {
                    location,
                    name,
                    digest: digest.to_string(),
                },
                None => SupplyError::NoAction { location, name },
            });
        }
    }
    Ok(missing)
}

fn one_image(
    image: &str,
    location: &sampan_model::yaml::Location,
    config: &Config,
    lock: Option<&Lock>,
    stock: &dyn Stock,
) -> std::io::Result<Option<SupplyError>> {
    let location = location.clone();
    let resolved = match Resolved::of(image, config, lock) {
        Ok(resolved) => resolved,
        Err(problem) => return Ok(Some(SupplyError::ImageName { location, problem })),
    };
    let name = image.to_owned();
    if lock.is_some() && resolved.digest.is_none() {
        let kind = "image";
        return Ok(Some(SupplyError::NotLocked {
            location,
            kind,
            name,
        }));
    }
    if stock.image(&resolved.name, resolved.digest.as_ref())? == Presence::Here {
        return Ok(None);
    }
    Ok(Some(match resolved.digest {
        Some(digest) if resolved.name.digest().is_none() => SupplyError::OtherImage {
            location,
            name: resolved.name.familiar(),
            digest: digest.to_string(),
        },
        _ => SupplyError::NoImage {
            location,
            name,
            mapped: resolved.name.familiar(),
        },
    }))
}

/// What the name of an image stands for once the table and the lock file were asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The image's name here.
    pub name: Reference,
    /// Its digest, where the name or the lock file has one.
    pub digest: Option<Digest>,
}

impl Resolved {
    /// Asks the table, then the lock file.
    ///
    /// # Errors
    /// What is wrong with the name, as a sentence without a full stop.
    pub fn of(image: &str, config: &Config, lock: Option<&Lock>) -> Result<Self, String> {
        let name: Reference = config
            .images
            .map(image)
            .image
            .parse()
            .map_err(|error: sampan_oci::reference::ReferenceError| error.to_string())?;
        let digest = name.digest().copied();
        let locked = || lock.and_then(|lock| lock.image(image)).copied();
        Ok(Self {
            digest: digest.or_else(locked),
            name,
        })
    }
}
