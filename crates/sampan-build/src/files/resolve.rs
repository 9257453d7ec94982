//! Paths below a root that is somebody's `/`.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// As many links as the kernel follows in one path.
const LINK_LIMIT: usize = 40;

/// Where `path` leads below `root`, with all links followed and none leaving it. What does not exist
/// is kept as it is written.
pub(crate) fn resolve(root: &Path, path: &Path) -> io::Result<PathBuf> {
    let mut pending: VecDeque<OsString> = components(path).collect();
    let mut resolved: Vec<OsString> = Vec::new();
    let mut links = 0;
    while let Some(name) = pending.pop_front() {
        if name == ".." {
            resolved.pop();
            continue;
        }
        let mut candidate = root.to_owned();
        candidate.extend(&resolved);
        candidate.push(&name);
        match fs::read_link(&candidate) {
            Ok(target) => {
                links += 1;
                if links > LINK_LIMIT {
                    return Err(io::Error::other("too many levels of symbolic links"));
                }
                if target.is_absolute() {
                    resolved.clear();
                }
                for part in components(&target).rev() {
                    pending.push_front(part);
                }
            }
            // No link, or nothing at all.
            Err(error) if is_no_link(&error) => resolved.push(name),
            Err(error) => return Err(error),
        }
    }
    let mut result = root.to_owned();
    result.extend(resolved);
    Ok(result)
}

fn is_no_link(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, NotADirectory, NotFound};
    matches!(error.kind(), InvalidInput | NotFound | NotADirectory)
}

fn components(path: &Path) -> impl DoubleEndedIterator<Item = OsString> + '_ {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    })
}
