//! Where in the layer the next file goes.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

use rustix::fs::Mode;
use rustix::io::Errno;

use super::{attributes, failure};
use crate::snapshot::UnpackError;
use crate::snapshot::root::{self, Existing, Root};

/// The parts of a path, without empty ones and `.`.
pub(super) fn components(path: &[u8]) -> Result<Vec<&[u8]>, UnpackError> {
    let parts: Vec<&[u8]> = path
        .split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
        .collect();
    if parts.contains(&b"..".as_slice()) || path.contains(&0) {
        return Err(UnpackError::Path {
            path: String::from_utf8_lossy(path).into_owned(),
        });
    }
    Ok(parts)
}

/// The parts as one relative path.
pub(super) fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.join(&b'/')
}

/// The layer's directory and those below it.
pub(super) struct Place {
    root: Root,
    lower: Vec<Root>,
    /// The directory that was asked for last: the next file is mostly in the same.
    last: Option<(Vec<u8>, Rc<OwnedFd>)>,
}

impl Place {
    pub(super) fn new(root: Root, lower: Vec<Root>) -> Self {
        Self {
            root,
            lower,
            last: None,
        }
    }

    pub(super) fn root(&self) -> &Root {
        &self.root
    }

    /// Must be called when a directory was removed.
    pub(super) fn forget(&mut self) {
        self.last = None;
    }

    /// Opens a directory that must be there.
    pub(super) fn existing(&mut self, parts: &[&[u8]]) -> Result<Rc<OwnedFd>, Errno> {
        let path = join(parts);
        if let Some((_, directory)) = self.last.as_ref().filter(|(last, _)| *last == path) {
            return Ok(Rc::clone(directory));
        }
        let directory = Rc::new(self.root.directory(&path)?);
        self.last = Some((path, Rc::clone(&directory)));
        Ok(directory)
    }

    /// Opens a directory and makes what is missing of it, to look as in the layers below.
    pub(super) fn parent(&mut self, parts: &[&[u8]]) -> Result<Rc<OwnedFd>, UnpackError> {
        match self.existing(parts) {
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            other => {
                return other.map_err(|source| {
                    failure("open", &String::from_utf8_lossy(&join(parts)), source)
                });
            }
        }
        for depth in 1..=parts.len() {
            self.make_missing(&parts[..depth]).map_err(|source| {
                failure(
                    "make",
                    &String::from_utf8_lossy(&join(&parts[..depth])),
                    source,
                )
            })?;
        }
        self.existing(parts)
            .map_err(|source| failure("open", &String::from_utf8_lossy(&join(parts)), source))
    }

    fn make_missing(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        let Some((name, parents)) = parts.split_last() else {
            return Ok(());
        };
        let path = join(parts);
        if self.root.directory(&path).is_ok() {
            return Ok(());
        }
        let parent = self.root.directory(&join(parents))?;
        let hidden = match root::kind(parent.as_fd(), name) {
            Ok(Existing::Whiteout) => {
                root::remove(parent.as_fd(), name)?;
                true
            }
            Ok(Existing::Directory | Existing::Other) => return Err(Errno::NOTDIR.into()),
            Err(Errno::NOENT) => false,
            Err(error) => return Err(error.into()),
        };
        rustix::fs::mkdirat(&parent, *name, Mode::RWXU)?;
        let directory = root::child(parent.as_fd(), name)?;
        if hidden {
            attributes::set_opaque(directory.as_fd())?;
        }
        match self
            .lower
            .iter()
            .find_map(|lower| lower.directory(&path).ok())
        {
            Some(below) if !hidden => attributes::inherit(directory.as_fd(), below.as_fd()),
            _ => {
                let mode = Mode::RWXU | Mode::RGRP | Mode::XGRP | Mode::ROTH | Mode::XOTH;
                Ok(rustix::fs::fchmod(&directory, mode)?)
            }
        }
    }
}
