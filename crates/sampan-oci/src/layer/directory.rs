//! A layer of a whole directory.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::FileType;
use rustix::io::Errno;

use super::tree::{Node, Tree};
use super::{Layer, LayerError, LayerOptions, LayerWriter};
use crate::archive::Kind;
use crate::store::ContentStore;

/// Attributes that belong to the content of a file, by prefix. All others (labels of security
/// modules, the overlay's own marks) belong to the machine.
const KEPT: [&str; 2] = ["security.capability", "user."];
const OVERLAY_MARKS: &str = "user.overlay.";

/// Writes all that is below `directory` as one layer.
///
/// # Errors
/// When something cannot be read, or the store is full.
pub fn from_directory(
    store: &ContentStore,
    directory: &Path,
    options: LayerOptions,
) -> Result<Layer, LayerError> {
    let mut tree = Tree::open(directory)?;
    let mut writer = LayerWriter::new(store, options)?;
    while let Some(node) = tree.next_node()? {
        append(&mut tree, &mut writer, &node, directory)?;
        if node.kind == FileType::Directory {
            tree.enter(&node)?;
        }
    }
    writer.finish()
}

/// Appends one file as it is.
pub(super) fn append(
    tree: &mut Tree,
    writer: &mut LayerWriter,
    node: &Node,
    root: &Path,
) -> Result<(), LayerError> {
    let Some(mut entry) = tree.entry(node)? else {
        return Ok(());
    };
    match entry.kind {
        Kind::File => {
            let file = tree.file(node)?;
            entry.xattrs = kept_attributes(&file, &root.join(&node.relative))?;
            writer.append(entry, &mut File::from(file))
        }
        Kind::Directory => {
            let file = tree.file(node)?;
            entry.xattrs = kept_attributes(&file, &root.join(&node.relative))?;
            writer.append_empty(entry)
        }
        _ => writer.append_empty(entry),
    }
}

/// The extended attributes of an open file that belong to its content, by name: what a layer holds
/// of them. `path` is for messages.
///
/// # Errors
/// When they cannot be read.
pub fn kept_attributes(
    file: impl AsFd,
    path: &Path,
) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, LayerError> {
    let mut xattrs = BTreeMap::new();
    for name in xattr_names(&file, path)? {
        let kept = KEPT
            .iter()
            .any(|prefix| name.starts_with(prefix.as_bytes()));
        if kept && !name.starts_with(OVERLAY_MARKS.as_bytes()) {
            let value = xattr_value(file.as_fd(), &name, path)?;
            xattrs.insert(name, value);
        }
    }
    Ok(xattrs)
}

/// The names of all extended attributes of an open file.
pub(super) fn xattr_names(file: impl AsFd, path: &Path) -> Result<Vec<Vec<u8>>, LayerError> {
    let failed = |source: Errno| LayerError::file("read the attributes of", path, source);
    // Nearly all files have none, and nearly all others few.
    let mut buffer = vec![0; 1024];
    let length = loop {
        match rustix::fs::flistxattr(&file, buffer.as_mut_slice()) {
            Ok(length) => break length,
            Err(Errno::RANGE) => buffer.resize(buffer.len() * 4, 0),
            Err(Errno::NOTSUP) => return Ok(Vec::new()),
            Err(source) => return Err(failed(source)),
        }
    };
    let names = buffer[..length]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    Ok(names.map(<[u8]>::to_vec).collect())
}

fn xattr_value(file: BorrowedFd<'_>, name: &[u8], path: &Path) -> Result<Vec<u8>, LayerError> {
    let failed = |source: Errno| LayerError::file("read the attributes of", path, source);
    let mut buffer = vec![0; 256];
    loop {
        match rustix::fs::fgetxattr(file, name, buffer.as_mut_slice()) {
            Ok(length) => {
                buffer.truncate(length);
                return Ok(buffer);
            }
            Err(Errno::RANGE) => buffer.resize(buffer.len() * 4, 0),
            Err(source) => return Err(failed(source)),
        }
    }
}
