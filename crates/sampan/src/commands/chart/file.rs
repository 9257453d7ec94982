//! Files and folders that commands about charts write.

use std::fs;
use std::path::Path;

use sampan_oci::durable::{self, PartialFolder};

use crate::failure::{Failure, OrFail as _};

/// Writes a file as a whole, in place of an old one; a kill leaves the old or the new one.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let failed = || format!("cannot write `{}`", path.display());
    fs::create_dir_all(durable::directory_of(path)).or_fail(failed())?;
    durable::write(path, content).or_fail(failed())
}

/// Writes a folder as a whole where none is, or an empty one; a kill leaves the folder or nothing.
pub(super) fn write_folder<'a>(
    path: &Path,
    files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<(), Failure> {
    let failed = || format!("cannot write `{}`", path.display());
    fs::create_dir_all(durable::directory_of(path)).or_fail(failed())?;
    let mut folder = PartialFolder::create(path).or_fail(failed())?;
    for (name, content) in files {
        let failed = || format!("cannot write `{name}` of `{}`", path.display());
        folder.write(Path::new(name), content).or_fail(failed())?;
    }
    folder.publish(path).or_fail(failed())
}
