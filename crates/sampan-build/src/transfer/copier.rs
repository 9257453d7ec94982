//! Putting files in their places in an image.
//!
//! Where things go follows `BuildKit`: folders give what they hold, a file keeps its name in a folder
//! that exists, missing folders are made, and existing folders take over the permissions of those
//! that are copied onto them. Nothing is ever written through a link that leaves the image.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

use nix::sys::stat::{Mode as FileMode, SFlag, mknod};

use super::{Order, attributes, unpack};
use crate::dockerfile::error::SyntaxError;
use crate::error::{IoError, StepError};
use crate::files::{Found, Node, resolve};

/// Who owns copied files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

const ROOT: Owner = Owner { uid: 0, gid: 0 };

pub(super) struct Copier<'a> {
    root: &'a Path,
    owner: Option<Owner>,
    order: &'a Order,
    /// Files with several names that were copied once already.
    links: HashMap<(u64, u64), PathBuf>,
}

impl<'a> Copier<'a> {
    pub(super) fn new(root: &'a Path, owner: Option<Owner>, order: &'a Order) -> Self {
        Self {
            root,
            owner,
            order,
            links: HashMap::new(),
        }
    }

    /// Whether the path in the image is a folder.
    pub(super) fn is_folder(&self, path: &Path) -> Result<bool, StepError> {
        Ok(self.resolve(path)?.is_dir())
    }

    /// Copies what one source names.
    pub(super) fn source(
        &mut self,
        found: &Found,
        prefix: &Path,
        nodes: &[Node],
    ) -> Result<(), StepError> {
        let destination = self.order.destination.join(prefix);
        let into_folder = self.order.into_folder || self.order.parents || found.is_folder;
        let target = self.prepare(&destination, into_folder)?;
        if found.is_folder {
            for node in nodes {
                self.node(node, &target.join(&node.relative))?;
            }
            return Ok(());
        }
        for node in nodes {
            if self.order.unpack && unpack::is_archive(&node.path)? {
                self.make_folders(&target)?;
                unpack::unpack(&node.path, &target, self.owner)?;
                continue;
            }
            let name = found.path.file_name().unwrap_or_default();
            let target = if target.is_dir() {
                target.join(name)
            } else {
                target.clone()
            };
            self.node(node, &target)?;
        }
        Ok(())
    }

    /// Writes a file that the Dockerfile itself holds.
    pub(super) fn inline(&mut self, name: &str, text: &str) -> Result<(), StepError> {
        let target = self.prepare(&self.order.destination, self.order.into_folder)?;
        let target = if target.is_dir() {
            // The parser refused other names; what writes to the disk does not rely on that.
            if Path::new(name).file_name() != Some(OsStr::new(name)) {
                let name = name.to_owned();
                return Err(SyntaxError::HeredocName { name }.into());
            }
            target.join(name)
        } else {
            target
        };
        self.clear(&target, "file")?;
        fs::write(&target, text).map_err(IoError::new("write", &target))?;
        self.settle(&target, 0o644, self.owner.unwrap_or(ROOT))
    }

    /// Makes the destination a folder.
    pub(super) fn prepare_destination(&self) -> Result<(), StepError> {
        self.prepare(&self.order.destination, true).map(drop)
    }

    /// Makes the folders that must exist and gives the real path of `destination`.
    fn prepare(&self, destination: &Path, into_folder: bool) -> Result<PathBuf, StepError> {
        let target = self.resolve(destination)?;
        let folder = if into_folder {
            Some(target.as_path())
        } else {
            target.parent()
        };
        if let Some(folder) = folder.filter(|folder| folder.starts_with(self.root)) {
            self.make_folders(folder)?;
        }
        Ok(target)
    }

    fn resolve(&self, path: &Path) -> Result<PathBuf, StepError> {
        Ok(resolve(self.root, path).map_err(IoError::new("resolve", path))?)
    }

    /// Makes a folder, whose path holds no links, and those above it that do not exist.
    fn make_folders(&self, folder: &Path) -> Result<(), StepError> {
        if folder.is_dir() {
            return Ok(());
        }
        if let Some(parent) = folder
            .parent()
            .filter(|parent| parent.starts_with(self.root))
        {
            self.make_folders(parent)?;
        }
        if fs::symlink_metadata(folder).is_ok() {
            return Err(self.occupied(folder, "folder"));
        }
        fs::create_dir(folder).map_err(IoError::new("create", folder))?;
        let mode = self
            .order
            .mode
            .as_ref()
            .map_or(0o755, |mode| mode.apply(0o755, true));
        self.settle_as(folder, mode, self.owner.unwrap_or(ROOT))
    }

    fn node(&mut self, node: &Node, target: &Path) -> Result<(), StepError> {
        let metadata = &node.metadata;
        let kind = metadata.file_type();
        if kind.is_dir() {
            if !fs::symlink_metadata(target).is_ok_and(|existing| existing.is_dir()) {
                if fs::symlink_metadata(target).is_ok() {
                    return Err(self.occupied(target, "folder"));
                }
                fs::create_dir(target).map_err(IoError::new("create", target))?;
            }
        } else if kind.is_socket() {
            // A socket means nothing without the process that listens.
            return Ok(());
        } else {
            self.clear(target, "file")?;
            if kind.is_symlink() {
                return self.link(node, target);
            }
            if self.is_linked(metadata, target)? {
                return Ok(());
            }
            if kind.is_file() {
                copy_content(&node.path, target).map_err(IoError::new("copy", &node.path))?;
            } else {
                make_special(metadata, target).map_err(IoError::new("create", target))?;
            }
        }
        self.settle(target, metadata.mode() & 0o7777, self.owner_of(metadata))?;
        attributes::copy(&node.path, metadata, target)
    }

    fn link(&self, node: &Node, target: &Path) -> Result<(), StepError> {
        let points_to = fs::read_link(&node.path).map_err(IoError::new("read", &node.path))?;
        symlink(points_to, target).map_err(IoError::new("create", target))?;
        let owner = self.owner_of(&node.metadata);
        lchown(target, Some(owner.uid), Some(owner.gid)).map_err(IoError::new("chown", target))?;
        Ok(())
    }

    /// Makes a further name of a file that was copied before under another one.
    fn is_linked(&mut self, metadata: &Metadata, target: &Path) -> Result<bool, StepError> {
        if metadata.nlink() < 2 || !metadata.is_file() {
            return Ok(false);
        }
        let identity = (metadata.dev(), metadata.ino());
        if let Some(first) = self.links.get(&identity) {
            fs::hard_link(first, target).map_err(IoError::new("link", target))?;
            return Ok(true);
        }
        self.links.insert(identity, target.to_owned());
        Ok(false)
    }

    fn owner_of(&self, metadata: &Metadata) -> Owner {
        let own = Owner {
            uid: metadata.uid(),
            gid: metadata.gid(),
        };
        self.owner
            .unwrap_or(if self.order.keep_owner { own } else { ROOT })
    }

    /// Makes room for a file: removes what is there, unless it is a folder.
    fn clear(&self, target: &Path, what: &'static str) -> Result<(), StepError> {
        match fs::symlink_metadata(target) {
            Ok(existing) if existing.is_dir() => Err(self.occupied(target, what)),
            Ok(_) => Ok(fs::remove_file(target).map_err(IoError::new("replace", target))?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                Err(self.occupied(target, what))
            }
            Err(error) => Err(IoError::new("look at", target)(error).into()),
        }
    }

    fn settle(&self, target: &Path, mode: u32, owner: Owner) -> Result<(), StepError> {
        let is_folder = target.is_dir();
        let mode = self
            .order
            .mode
            .as_ref()
            .map_or(mode, |change| change.apply(mode, is_folder));
        self.settle_as(target, mode, owner)
    }

    #[expect(clippy::unused_self, reason = "reads like its neighbours")]
    fn settle_as(&self, target: &Path, mode: u32, owner: Owner) -> Result<(), StepError> {
        lchown(target, Some(owner.uid), Some(owner.gid)).map_err(IoError::new("chown", target))?;
        fs::set_permissions(target, Permissions::from_mode(mode))
            .map_err(IoError::new("chmod", target))?;
        Ok(())
    }

    fn occupied(&self, target: &Path, what: &'static str) -> StepError {
        let below = target.strip_prefix(self.root).unwrap_or(target);
        StepError::Occupied {
            what,
            path: Path::new("/").join(below).display().to_string(),
        }
    }
}

/// Copies the bytes; file systems that can share them do.
fn copy_content(source: &Path, target: &Path) -> io::Result<()> {
    let mut from = File::open(source)?;
    let mut to = File::options().write(true).create_new(true).open(target)?;
    io::copy(&mut from, &mut to)?;
    Ok(())
}

fn make_special(metadata: &Metadata, target: &Path) -> io::Result<()> {
    let kind = SFlag::from_bits_truncate(metadata.mode()) & SFlag::S_IFMT;
    let mode = FileMode::from_bits_truncate(metadata.mode());
    Ok(mknod(target, kind, mode, metadata.rdev())?)
}
