//! The file of settings that holds where none is named.

use std::path::{Path, PathBuf};

use sampan_chart::check::settings::FILE_NAME;

use crate::failure::{Failure, OrFail as _};

/// The nearest file of settings in the folders of the paths and those above. One check has one set of settings, so paths
/// that lead to different files cannot be checked together.
pub(super) fn file(paths: &[PathBuf]) -> Result<Option<PathBuf>, Failure> {
    let mut found: Option<(&Path, PathBuf)> = None;
    for path in paths {
        let Some(file) = nearest(path)? else {
            continue;
        };
        match &found {
            Some((first, known)) if *known != file => {
                return Err(Failure::new(format!(
                    "`{}` has the settings of `{}`, and `{}` those of `{}`",
                    first.display(),
                    known.display(),
                    path.display(),
                    file.display()
                ))
                .with_hint("check them one by one, or name the settings with `--config FILE`"));
            }
            Some(_) => {}
            None => found = Some((path, file)),
        }
    }
    Ok(found.map(|(_, file)| file))
}

/// The nearest file above one path, up to the root of its source tree. What is beside it keeps the name by which the path
/// was given.
fn nearest(path: &Path) -> Result<Option<PathBuf>, Failure> {
    let folder = if path == Path::new("-") {
        Path::new("")
    } else if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(path)
    };
    let beside = folder.join(FILE_NAME);
    if beside.is_file() {
        return Ok(Some(beside));
    }
    let absolute = std::path::absolute(if folder == Path::new("") {
        Path::new(".")
    } else {
        folder
    })
    .or_fail(format!("cannot find the folder of `{}`", path.display()))?;
    for folder in absolute.ancestors() {
        let file = folder.join(FILE_NAME);
        if file.is_file() {
            return Ok(Some(file));
        }
        if folder.join(".git").exists() {
            break;
        }
    }
    Ok(None)
}
