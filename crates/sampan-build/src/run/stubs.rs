//! Empty files and folders that a container needed as places for mounts.
//!
//! They appear in the upper folder although no command made them, so they are taken away before the
//! layer is written. The same goes for folders that were copied up for their sake.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use crate::error::{IoError, StepError};

/// What every container has mounted.
const ALWAYS: [&str; 6] = [
    "proc",
    "sys",
    "dev",
    "etc/hosts",
    "etc/hostname",
    "etc/resolv.conf",
];

/// Mount targets, relative to the root, longest first.
pub(super) struct Stubs {
    paths: Vec<PathBuf>,
}

impl Stubs {
    /// The stubs that a container over `lower` may leave: targets that no layer has.
    pub(super) fn expected<'a>(lower: &[PathBuf], targets: impl Iterator<Item = &'a Path>) -> Self {
        let always = ALWAYS.iter().map(PathBuf::from);
        let given = targets.map(|target| {
            let normal = target
                .components()
                .filter(|part| matches!(part, Component::Normal(_)));
            normal.collect()
        });
        let mut paths: Vec<PathBuf> = always
            .chain(given)
            .filter(|path| below(lower, path).is_none())
            .collect();
        paths.sort_by_key(|path| std::cmp::Reverse(path.components().count()));
        Self { paths }
    }

    /// Removes the stubs that are still empty from `upper`, and folders that are left without change.
    pub(super) fn remove(&self, upper: &Path, lower: &[PathBuf]) -> Result<(), StepError> {
        for stub in &self.paths {
            let path = upper.join(stub);
            let Ok(metadata) = fs::symlink_metadata(&path) else {
                continue;
            };
            if !is_empty(&path, &metadata).map_err(IoError::new("look at", &path))? {
                continue;
            }
            remove_one(&path, &metadata).map_err(IoError::new("remove", &path))?;
            for folder in stub
                .ancestors()
                .skip(1)
                .filter(|folder| *folder != Path::new(""))
            {
                if !remove_unchanged(&upper.join(folder), below(lower, folder).as_ref())? {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// The topmost layer's file at `path`, when there is one.
fn below(lower: &[PathBuf], path: &Path) -> Option<Metadata> {
    let found = lower
        .iter()
        .find_map(|layer| fs::symlink_metadata(layer.join(path)).ok())?;
    let whiteout = found.file_type().is_char_device() && found.rdev() == 0;
    (!whiteout).then_some(found)
}

/// Removes an empty folder that is new, or as it is in the layers; says whether it did.
fn remove_unchanged(folder: &Path, original: Option<&Metadata>) -> Result<bool, StepError> {
    let Ok(metadata) = fs::symlink_metadata(folder) else {
        return Ok(false);
    };
    let changed = original.is_some_and(|original| {
        (original.mode(), original.uid(), original.gid())
            != (metadata.mode(), metadata.uid(), metadata.gid())
    });
    let look = || Ok::<_, io::Error>(is_empty(folder, &metadata)? && !is_opaque(folder)?);
    if changed || !look().map_err(IoError::new("look at", folder))? {
        return Ok(false);
    }
    fs::remove_dir(folder).map_err(IoError::new("remove", folder))?;
    Ok(true)
}

fn is_empty(path: &Path, metadata: &Metadata) -> io::Result<bool> {
    if metadata.is_dir() {
        return Ok(fs::read_dir(path)?.next().is_none());
    }
    Ok(metadata.is_file() && metadata.len() == 0)
}

/// Whether the folder hides what the layers have at its place.
fn is_opaque(folder: &Path) -> io::Result<bool> {
    match rustix::fs::lgetxattr(folder, "trusted.overlay.opaque", &mut [0; 1]) {
        Ok(_) => Ok(true),
        Err(rustix::io::Errno::NODATA | rustix::io::Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn remove_one(path: &Path, metadata: &Metadata) -> io::Result<()> {
    if metadata.is_dir() {
        fs::remove_dir(path)
    } else {
        fs::remove_file(path)
    }
}
