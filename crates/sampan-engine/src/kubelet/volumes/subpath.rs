//! A part of a volume (`subPath`).

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::{VolumeError, failed};

/// The place of a part of a volume, made as a directory when it is not there. Links may not lead out.
pub(crate) fn resolve(volume: &Path, part: &str) -> Result<PathBuf, VolumeError> {
    let outside = || VolumeError::Path(part.to_owned());
    let relative = Path::new(part);
    if !relative
        .components()
        .all(|c| matches!(c, Component::Normal(_) | Component::CurDir))
    {
        return Err(outside());
    }
    let root = fs::canonicalize(volume).map_err(failed("find", volume))?;
    let mut place = root.clone();
    for component in relative.components() {
        let next = place.join(component);
        if fs::symlink_metadata(&next).is_err() {
            fs::create_dir(&next).map_err(failed("create", &next))?;
        }
        place = fs::canonicalize(&next).map_err(failed("find", &next))?;
        if !place.starts_with(&root) {
            return Err(outside());
        }
    }
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_never_leaves_its_volume() {
        let folder =
            std::env::temp_dir().join(format!("sampan-subpath-{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir_all(folder.join("inside")).unwrap();
        std::os::unix::fs::symlink("/etc", folder.join("out")).unwrap();
        std::os::unix::fs::symlink("inside", folder.join("in")).unwrap();
        let root = fs::canonicalize(&folder).unwrap();
        assert_eq!(resolve(&folder, "a/b").unwrap(), root.join("a/b"));
        assert_eq!(resolve(&folder, "in").unwrap(), root.join("inside"));
        for part in ["../x", "/etc", "out", "out/passwd"] {
            assert!(
                matches!(resolve(&folder, part), Err(VolumeError::Path(_))),
                "{part}"
            );
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
