//! How many files may be open: many for a server that relays connections, as many as ever for containers.

use std::sync::OnceLock;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::{Error, Result};

/// What the soft limit was before it was raised. It is the process that has limits, so it is the process that remembers.
static BEFORE: OnceLock<u64> = OnceLock::new();

/// Raises this process's soft limit of open files to its hard one. Containers that it creates afterwards get the limit
/// that was there before: programs that use `select`, or close every descriptor that there could be, rely on a low one.
///
/// # Errors
/// When the kernel refuses.
pub fn raise_open_files() -> Result<()> {
    let failed = |error: nix::Error| Error::system("raise the limit of open files")(error);
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(failed)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).map_err(failed)?;
        // A second call finds nothing to raise.
        BEFORE.get_or_init(|| soft);
    }
    Ok(())
}

/// The soft limit for containers, where it is another than this process's.
pub(crate) fn for_containers() -> Option<u64> {
    BEFORE.get().copied()
}

/// Sets the soft limit of this process.
pub(crate) fn limit(soft: u64) -> nix::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, soft.min(hard), hard)
}
