//! The files that COPY and ADD take: found by name or pattern, then listed with what is below them.

mod digests;
mod resolve;

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use sampan_model::nearest;

pub(crate) use digests::Digests;
pub(crate) use resolve::resolve;

use crate::error::{IoError, StepError};
use crate::ignore::pattern::Pattern;
use crate::ignore::{Ignore, Matches};

/// A tree of files to copy from.
#[derive(Debug)]
pub(crate) struct Files<'a> {
    /// Its root on this machine; links are resolved as if it were `/`.
    pub(crate) root: PathBuf,
    /// What of it does not take part.
    pub(crate) ignore: Option<&'a Ignore>,
    /// What it is, for messages: `the context`.
    pub(crate) place: String,
}

/// A file or folder that a source names.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Its path below the root, as it was found.
    pub(crate) path: PathBuf,
    /// Its path on this machine, with links resolved.
    pub(crate) real: PathBuf,
    pub(crate) is_folder: bool,
}

/// Something below a folder.
#[derive(Debug)]
pub(crate) struct Node {
    /// The path below the folder; empty for a lone file.
    pub(crate) relative: PathBuf,
    /// The path on this machine.
    pub(crate) path: PathBuf,
    pub(crate) metadata: Metadata,
}

impl Files<'_> {
    /// What `source` names: one file, or all that match it when it is a pattern.
    pub(crate) fn select(&self, source: &str) -> Result<Vec<Found>, StepError> {
        let parts: Vec<String> = clean(source);
        if !parts.iter().any(|part| is_pattern(part)) {
            return self
                .single(source, &parts.iter().collect::<PathBuf>())
                .map(|found| vec![found]);
        }
        let mut candidates = vec![PathBuf::new()];
        for part in &parts {
            let mut next = Vec::new();
            for folder in &candidates {
                next.extend(self.matching(folder, part)?);
            }
            candidates = next;
        }
        candidates
            .iter()
            .map(|path| self.single(source, path))
            // A pattern asks for what there is, and what is left out is not there.
            .filter(|found| !matches!(found, Err(StepError::IgnoredSource { .. })))
            .collect()
    }

    /// The entries of `folder` that match one component of a pattern, in order.
    fn matching(&self, folder: &Path, part: &str) -> Result<Vec<PathBuf>, StepError> {
        let real = resolve(&self.root, folder).map_err(IoError::new("resolve", folder))?;
        if !real.is_dir() {
            return Ok(Vec::new());
        }
        if !is_pattern(part) {
            let exists = fs::symlink_metadata(real.join(part)).is_ok();
            return Ok(exists.then(|| folder.join(part)).into_iter().collect());
        }
        let invalid = || StepError::NoSource {
            path: part.to_owned(),
            place: self.place.clone(),
            suggestion: None,
        };
        let pattern = Pattern::parse(part).ok_or_else(invalid)?;
        let matches = names(&real)?
            .into_iter()
            .filter(|name| pattern.matches(&name.to_string_lossy()))
            .map(|name| folder.join(name))
            .filter(|path| !self.is_ignored(path) || self.has_exceptions());
        Ok(matches.collect())
    }

    fn single(&self, source: &str, path: &Path) -> Result<Found, StepError> {
        let real = resolve(&self.root, path).map_err(IoError::new("resolve", path))?;
        let metadata = match fs::symlink_metadata(&real) {
            Ok(metadata) => metadata,
            Err(error) if is_absent(&error) => return Err(self.no_source(source, path)),
            Err(error) => return Err(IoError::new("look at", &real)(error).into()),
        };
        let is_folder = metadata.is_dir();
        // A folder that is left out may hold files that are taken back in.
        let exceptions = is_folder && self.has_exceptions();
        if self.is_ignored(path) && !exceptions {
            return Err(StepError::IgnoredSource {
                path: path.display().to_string(),
            });
        }
        Ok(Found {
            path: path.to_owned(),
            real,
            is_folder,
        })
    }

    /// Whether `found` is a folder that is left out and holds nothing that is taken back in.
    pub(crate) fn is_left_out(&self, found: &Found, nodes: &[Node]) -> bool {
        nodes.is_empty() && found.is_folder && self.is_ignored(&found.path)
    }

    /// Whether something in a folder that is left out may still take part.
    fn has_exceptions(&self) -> bool {
        self.ignore.is_some_and(Ignore::has_exceptions)
    }

    fn is_ignored(&self, path: &Path) -> bool {
        self.ignore.is_some_and(|ignore| ignore.ignores(path))
    }

    fn no_source(&self, source: &str, path: &Path) -> StepError {
        let parent = path.parent().unwrap_or(Path::new(""));
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let siblings = resolve(&self.root, parent)
            .ok()
            .and_then(|real| names(&real).ok());
        let siblings: Vec<String> = siblings
            .unwrap_or_default()
            .iter()
            .map(|sibling| sibling.to_string_lossy().into_owned())
            .collect();
        let suggestion = nearest(&name, siblings.iter().map(String::as_str))
            .map(|sibling| parent.join(sibling).display().to_string());
        StepError::NoSource {
            path: source.to_owned(),
            place: self.place.clone(),
            suggestion,
        }
    }

    /// `found` itself, when it is a file, or all that is below it: folders before what they hold,
    /// siblings in the order of their names.
    pub(crate) fn list(&self, found: &Found, excludes: &Ignore) -> Result<Vec<Node>, StepError> {
        if !found.is_folder {
            let metadata = stat(&found.real)?;
            let name = PathBuf::from(found.path.file_name().unwrap_or_default());
            if excludes.ignores(&name) {
                return Ok(Vec::new());
            }
            return Ok(vec![Node {
                relative: PathBuf::new(),
                path: found.real.clone(),
                metadata,
            }]);
        }
        let below_root = found.real.strip_prefix(&self.root).unwrap_or(Path::new(""));
        let mut listing = Listing {
            ignore: self.ignore,
            excludes,
            nodes: Vec::new(),
        };
        let (_, ignored) = match self.ignore {
            Some(ignore) => matches_of(ignore, below_root),
            None => (false, Matches::default()),
        };
        let place = Place {
            real: found.real.clone(),
            in_root: below_root.to_owned(),
            relative: PathBuf::new(),
            ignored,
            excluded: Matches::default(),
        };
        listing.descend(&place)?;
        Ok(listing.nodes)
    }
}

struct Listing<'a> {
    ignore: Option<&'a Ignore>,
    excludes: &'a Ignore,
    nodes: Vec<Node>,
}

/// A folder on the way, under the names that the patterns see.
struct Place {
    real: PathBuf,
    in_root: PathBuf,
    relative: PathBuf,
    ignored: Matches,
    excluded: Matches,
}

impl Listing<'_> {
    fn descend(&mut self, folder: &Place) -> Result<(), StepError> {
        for name in names(&folder.real)? {
            let mut place = Place {
                real: folder.real.join(&name),
                in_root: folder.in_root.join(&name),
                relative: folder.relative.join(&name),
                ignored: Matches::default(),
                excluded: Matches::default(),
            };
            let (mut left_out, mut exceptions) = (false, false);
            if let Some(ignore) = self.ignore {
                let path = place.in_root.to_string_lossy();
                (left_out, place.ignored) = ignore.check(&path, &folder.ignored);
                exceptions = ignore.has_exceptions();
            }
            let (excluded, matches) = self
                .excludes
                .check(&place.relative.to_string_lossy(), &folder.excluded);
            place.excluded = matches;
            left_out |= excluded;
            exceptions |= self.excludes.has_exceptions();
            if left_out && !exceptions {
                continue;
            }
            let metadata = stat(&place.real)?;
            if metadata.is_dir() {
                self.folder(&place, metadata, left_out)?;
            } else if !left_out {
                self.nodes.push(Node {
                    relative: place.relative,
                    path: place.real,
                    metadata,
                });
            }
        }
        Ok(())
    }

    /// A folder that is left out appears only when something below it is taken back in.
    fn folder(
        &mut self,
        place: &Place,
        metadata: Metadata,
        left_out: bool,
    ) -> Result<(), StepError> {
        let position = self.nodes.len();
        let node = Node {
            relative: place.relative.clone(),
            path: place.real.clone(),
            metadata,
        };
        self.nodes.push(node);
        self.descend(place)?;
        if left_out && self.nodes.len() == position + 1 {
            self.nodes.pop();
        }
        Ok(())
    }
}

fn matches_of(ignore: &Ignore, path: &Path) -> (bool, Matches) {
    let mut prefix = PathBuf::new();
    let mut answer = (false, Matches::default());
    for component in path.components() {
        prefix.push(component);
        answer = ignore.check(&prefix.to_string_lossy(), &answer.1);
    }
    answer
}

/// The names in a folder, in the order of their bytes.
fn names(folder: &Path) -> Result<Vec<std::ffi::OsString>, StepError> {
    let read = || -> io::Result<Vec<_>> {
        fs::read_dir(folder)?
            .map(|entry| Ok(entry?.file_name()))
            .collect()
    };
    let mut names = read().map_err(IoError::new("list", folder))?;
    names.sort_unstable_by(|left, right| left.as_bytes().cmp(right.as_bytes()));
    Ok(names)
}

fn stat(path: &Path) -> Result<Metadata, StepError> {
    Ok(fs::symlink_metadata(path).map_err(IoError::new("look at", path))?)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// The components of a path that cannot leave its root.
fn clean(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            Component::ParentDir => drop(parts.pop()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    parts
}

/// Whether the source, or a part of it, stands for whatever matches it.
pub(crate) fn is_pattern(part: &str) -> bool {
    part.contains(['*', '?', '[', '\\'])
}
