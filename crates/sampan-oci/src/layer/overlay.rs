//! A layer of what an overlay's upper directory holds.
//!
//! Source: the kernel's `Documentation/filesystems/overlayfs.rst`, "whiteouts and opaque
//! directories"; OCI image specification, "Representing Changes".

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::FileType;

use super::directory::{append, xattr_names};
use super::tree::{Node, Tree};
use super::{Layer, LayerError, LayerOptions, LayerWriter, OPAQUE_MARKER, WHITEOUT_PREFIX};
use crate::archive::Entry;
use crate::store::ContentStore;

const OPAQUE: &[u8] = b"trusted.overlay.opaque";
const INEXPRESSIBLE: [&[u8]; 2] = [b"trusted.overlay.redirect", b"trusted.overlay.metacopy"];

/// Writes the changes in the upper directory `upper` of an overlay as a layer.
///
/// Files younger than the epoch get its time in `upper` too, so that what is built on top of the
/// directory sees the same times as what is built on top of the layer.
///
/// # Errors
/// When something cannot be read, or the store is full.
pub fn from_overlay(
    store: &ContentStore,
    upper: &Path,
    options: LayerOptions,
) -> Result<Layer, LayerError> {
    let mut tree = Tree::open(upper)?;
    let mut writer = LayerWriter::new(store, options)?;
    let mut directories = Vec::new();
    while let Some(node) = tree.next_node()? {
        if is_whiteout(&node) {
            writer.append_empty(whiteout(&node))?;
            continue;
        }
        append(&mut tree, &mut writer, &node, upper)?;
        if node.kind == FileType::Directory {
            if is_opaque(&mut tree, &node, upper)? {
                let path = [node.relative.as_os_str().as_bytes(), b"/", OPAQUE_MARKER].concat();
                writer.append_empty(marker(path))?;
            }
            tree.enter(&node)?;
            directories.push(node);
        } else {
            settle_time(&mut tree, &writer, &node)?;
        }
    }
    for node in directories {
        settle_time(&mut tree, &writer, &node)?;
    }
    writer.finish()
}

fn settle_time(tree: &mut Tree, writer: &LayerWriter, node: &Node) -> Result<(), LayerError> {
    let clamped = writer.clamp(node.stat.st_mtime);
    if clamped == node.stat.st_mtime {
        return Ok(());
    }
    tree.set_mtime(node, clamped)
}

fn is_whiteout(node: &Node) -> bool {
    node.kind == FileType::CharacterDevice && node.stat.st_rdev == 0
}

fn whiteout(node: &Node) -> Entry {
    let name = node.relative.file_name().unwrap_or_default();
    let marked = [WHITEOUT_PREFIX, name.as_bytes()].concat();
    let path = node
        .relative
        .with_file_name(std::ffi::OsStr::from_bytes(&marked));
    marker(path.as_os_str().as_bytes().to_vec())
}

/// Whiteouts say nothing but their name, so all else is fixed.
fn marker(path: Vec<u8>) -> Entry {
    Entry {
        path,
        ..Entry::file("", 0)
    }
}

fn is_opaque(tree: &mut Tree, node: &Node, upper: &Path) -> Result<bool, LayerError> {
    let path = upper.join(&node.relative);
    let names = xattr_names(tree.file(node)?, &path)?;
    if let Some(mark) = names
        .iter()
        .find(|name| INEXPRESSIBLE.contains(&name.as_slice()))
    {
        let mark = String::from_utf8_lossy(mark).into_owned();
        return Err(LayerError::OverlayFeature { path, mark });
    }
    Ok(names.iter().any(|name| name == OPAQUE))
}
