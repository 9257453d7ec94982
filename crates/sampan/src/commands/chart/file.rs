//! Files that commands about charts write.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use crate::failure::{Failure, OrFail as _};

/// Writes a file as a whole, in place of an old one; a kill leaves the old or the new one.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let failed = || format!("cannot write `{}`", path.display());
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).or_fail(failed())?;
    let mut file = tempfile::NamedTempFile::new_in(folder).or_fail(failed())?;
    file.write_all(content).or_fail(failed())?;
    file.as_file().sync_all().or_fail(failed())?;
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    file.as_file().set_permissions(readable).or_fail(failed())?;
    file.persist(path).or_fail(failed())?;
    let folder = File::open(folder).or_fail(failed())?;
    folder.sync_all().or_fail(failed())
}
