//! COPY and ADD: what is copied decides the key, and a miss copies it into an overlay.

mod attributes;
mod copier;
mod mode;
mod unpack;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sampan_oci::Digest;

pub(crate) use copier::Owner;
pub(crate) use mode::Mode;

use crate::error::{IoError, StepError};
use crate::files::{Digests, Files, Found, Node, is_pattern};
use crate::fingerprint::Fingerprint;
use crate::ignore::Ignore;
use copier::Copier;

/// A COPY or an ADD with its variables expanded.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches, as the instructions have them"
)]
#[derive(Debug)]
pub(crate) struct Order {
    /// The paths or patterns to copy.
    pub(crate) sources: Vec<String>,
    /// Files written in the Dockerfile: name and content.
    pub(crate) inline: Vec<(String, String)>,
    /// The absolute path to copy to.
    pub(crate) destination: PathBuf,
    /// Whether the destination was written as a folder (with a slash at its end).
    pub(crate) into_folder: bool,
    /// `--chown`.
    pub(crate) owner: Option<String>,
    /// `--chmod`.
    pub(crate) mode: Option<Mode>,
    /// `--exclude`.
    pub(crate) excludes: Ignore,
    /// The text of `--exclude`, for the key.
    pub(crate) exclude_patterns: Vec<String>,
    /// `--parents`.
    pub(crate) parents: bool,
    /// Whether archives are unpacked.
    pub(crate) unpack: bool,
    /// Whether files keep the owner that they have (those of other stages), or belong to root.
    pub(crate) keep_owner: bool,
}

/// The files of an order, found and listed.
#[derive(Debug)]
pub(crate) struct Selection {
    sources: Vec<Source>,
}

#[derive(Debug)]
struct Source {
    found: Found,
    /// With `--parents`: where below the destination it goes.
    prefix: PathBuf,
    nodes: Vec<Node>,
}

impl Order {
    /// An order to copy `sources` as they are.
    pub(crate) fn of(sources: Vec<String>) -> Self {
        Self {
            sources,
            inline: Vec::new(),
            destination: PathBuf::from("/"),
            into_folder: true,
            owner: None,
            mode: None,
            excludes: Ignore::default(),
            exclude_patterns: Vec::new(),
            parents: false,
            unpack: false,
            keep_owner: true,
        }
    }

    /// The part of the key that does not look into files.
    pub(crate) fn fingerprint(&self, kind: &str, parent: &str) -> Fingerprint {
        Fingerprint::new(kind)
            .field(parent)
            .list(&self.sources)
            .list(self.inline.iter().flat_map(|(name, text)| [name, text]))
            .field(self.destination.as_os_str().as_bytes())
            .list(
                [self.into_folder, self.parents, self.unpack, self.keep_owner]
                    .map(|flag| [u8::from(flag)]),
            )
            .list(self.owner.iter())
            .list(self.mode.iter().map(Mode::text))
            .list(&self.exclude_patterns)
    }

    /// Finds and lists the files.
    pub(crate) fn select(&self, files: &Files<'_>) -> Result<Selection, StepError> {
        let mut sources = Vec::new();
        for source in &self.sources {
            let (pattern, pivot) = self.split_pivot(source);
            for found in files.select(&pattern)? {
                let mut prefix = PathBuf::new();
                if self.parents {
                    let below = found.path.strip_prefix(&pivot).unwrap_or(&found.path);
                    let kept = if found.is_folder {
                        Some(below)
                    } else {
                        below.parent()
                    };
                    kept.unwrap_or(Path::new("")).clone_into(&mut prefix);
                }
                let nodes = files.list(&found, &self.excludes)?;
                if files.is_left_out(&found, &nodes) {
                    if is_pattern(&pattern) {
                        continue;
                    }
                    let path = found.path.display().to_string();
                    return Err(StepError::IgnoredSource { path });
                }
                sources.push(Source {
                    found,
                    prefix,
                    nodes,
                });
            }
        }
        Ok(Selection { sources })
    }

    /// With `--parents`, `a/./b/c` keeps `b` only.
    fn split_pivot(&self, source: &str) -> (String, PathBuf) {
        match source.split_once("/./").filter(|_| self.parents) {
            Some((pivot, rest)) => {
                let pivot = pivot.trim_start_matches('/');
                (format!("{pivot}/{rest}"), PathBuf::from(pivot))
            }
            None => (source.to_owned(), PathBuf::new()),
        }
    }

    /// Copies the selection below `root`, where the image's files are.
    pub(crate) fn carry_out(
        &self,
        selection: &Selection,
        root: &Path,
        owner: Option<Owner>,
    ) -> Result<(), StepError> {
        let mut copier = Copier::new(root, owner, self);
        let files = selection.sources.len() + self.inline.len();
        if files > 1 && !self.into_folder && !copier.is_folder(&self.destination)? {
            let only_folders = self.inline.is_empty()
                && selection
                    .sources
                    .iter()
                    .all(|source| source.found.is_folder);
            if !only_folders {
                let destination = self.destination.display().to_string();
                return Err(StepError::NotAFolder { destination });
            }
        }
        for source in &selection.sources {
            copier.source(&source.found, &source.prefix, &source.nodes)?;
        }
        for (name, text) in &self.inline {
            copier.inline(name, text)?;
        }
        Ok(())
    }
}

impl Selection {
    pub(crate) fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// How many files and folders are selected.
    pub(crate) fn count(&self) -> usize {
        self.sources.iter().map(|source| source.nodes.len()).sum()
    }

    /// The name of the one file that is selected; `None` for a folder.
    pub(crate) fn file_name(&self) -> Option<&OsStr> {
        let found = &self.sources.first()?.found;
        if found.is_folder {
            None
        } else {
            found.path.file_name()
        }
    }

    /// The key of copying this: everything that a copy takes over from the files, names, kinds,
    /// permissions, attributes and content, but no times.
    pub(crate) fn key(
        &self,
        order: &Order,
        parent: &str,
        digests: &mut Digests,
    ) -> Result<Digest, StepError> {
        let mut fingerprint = order.fingerprint("copy, 2", parent);
        for source in &self.sources {
            let name = source.found.path.file_name().unwrap_or_default();
            let name = if source.found.is_folder {
                &[][..]
            } else {
                name.as_bytes()
            };
            fingerprint.add(name);
            fingerprint.add(source.prefix.as_os_str().as_bytes());
            fingerprint.add((source.nodes.len() as u64).to_le_bytes());
            for node in &source.nodes {
                add_node(&mut fingerprint, node, order.keep_owner, digests)?;
            }
        }
        Ok(fingerprint.finish())
    }
}

fn add_node(
    fingerprint: &mut Fingerprint,
    node: &Node,
    keep_owner: bool,
    digests: &mut Digests,
) -> Result<(), StepError> {
    fingerprint.add(node.relative.as_os_str().as_bytes());
    // The mode holds the kind of the file too.
    fingerprint.add(node.metadata.mode().to_le_bytes());
    if keep_owner {
        fingerprint.add(node.metadata.uid().to_le_bytes());
        fingerprint.add(node.metadata.gid().to_le_bytes());
    }
    if node.metadata.is_symlink() {
        let target = std::fs::read_link(&node.path).map_err(IoError::new("read", &node.path))?;
        fingerprint.add(target.as_os_str().as_bytes());
    } else if node.metadata.is_file() {
        fingerprint.add(digests.digest(&node.path, &node.metadata)?.to_string());
    } else {
        fingerprint.add(node.metadata.rdev().to_le_bytes());
    }
    let attributes = attributes::read(&node.path, &node.metadata)?;
    fingerprint.add((attributes.len() as u64).to_le_bytes());
    for (name, value) in attributes {
        fingerprint.add(name);
        fingerprint.add(value);
    }
    Ok(())
}

/// Makes the folder `path` of the image whose files are below `root`, with those above it.
pub(crate) fn make_folder(root: &Path, path: &Path, owner: Option<Owner>) -> Result<(), StepError> {
    let order = Order {
        destination: path.to_owned(),
        ..Order::of(Vec::new())
    };
    Copier::new(root, owner, &order).prepare_destination()
}
