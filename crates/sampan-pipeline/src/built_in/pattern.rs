//! Patterns by which actions name files.
//!
//! Each line is a path or a pattern (`*`, `?`, `[…]`, `**`), `!` in front takes matches away again, `#` begins a comment.
//! Paths are relative to the source tree; `~` is the home folder.

use std::io;

use rustix::fs::FileType;

use super::files::{Root, normal};
use crate::glob::{Form, Glob};

/// How many files a search may look at.
const LIMIT_FILES: usize = 2_000_000;
/// How deep folders may lie in each other.
const LIMIT_DEPTH: usize = 200;

/// Patterns in the order of the lines.
pub(super) struct Patterns {
    items: Vec<Pattern>,
}

struct Pattern {
    excludes: bool,
    /// Where matches can lie: the part before the first special character.
    search: String,
    glob: Glob,
    /// What matches when everything below a match counts, too.
    below: Option<Glob>,
    only_folders: bool,
}

/// How patterns are meant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meaning<'a> {
    /// The folder of the source tree as steps see it.
    pub(super) from: &'a str,
    /// The home folder as steps see it.
    pub(super) home: &'a str,
    /// Whether what lies below a matching folder matches, too.
    pub(super) takes_descendants: bool,
}

impl Patterns {
    /// Reads lines.
    ///
    /// # Errors
    /// The line that is no pattern.
    pub(super) fn read(lines: &[String], meaning: Meaning<'_>) -> Result<Self, String> {
        let mut items = Vec::new();
        for line in lines {
            let mut text = line.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let mut excludes = false;
            while let Some(rest) = text.strip_prefix('!') {
                excludes = !excludes;
                text = rest.trim();
            }
            items.push(pattern(text, excludes, meaning).ok_or_else(|| line.clone())?);
        }
        Ok(Self { items })
    }

    /// The folders and files in which matches can lie, without those below others.
    pub(super) fn search_paths(&self) -> Vec<String> {
        let all: Vec<&String> = self
            .items
            .iter()
            .filter(|item| !item.excludes)
            .map(|item| &item.search)
            .collect();
        let mut kept: Vec<String> = Vec::new();
        for path in &all {
            let is_below = |other: &&&String| {
                other.as_str() != path.as_str()
                    && (other.as_str() == "/" || path.starts_with(&format!("{other}/")))
            };
            if !kept.contains(path) && !all.iter().any(|other| is_below(&other)) {
                kept.push((*path).clone());
            }
        }
        kept
    }

    fn matches(&self, path: &str, is_folder: bool) -> bool {
        let mut result = false;
        for item in &self.items {
            let itself = item.glob.matches(path) && (is_folder || !item.only_folders);
            let below = item.below.as_ref().is_some_and(|below| below.matches(path));
            if itself || below {
                result = !item.excludes;
            }
        }
        result
    }
}

fn pattern(text: &str, excludes: bool, meaning: Meaning<'_>) -> Option<Pattern> {
    let text = match text.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{}{rest}", meaning.home),
        _ => text.to_owned(),
    };
    let only_folders = text.ends_with('/') && text.len() > 1;
    let whole = normal(meaning.from, &text);
    let is_special = |part: &&str| part.contains(['*', '?', '[']);
    let search: Vec<&str> = whole
        .split('/')
        .take_while(|part| !is_special(part))
        .collect();
    let search = match search.join("/") {
        search if search.is_empty() => "/".to_owned(),
        search => search,
    };
    // Braces mean nothing here.
    let escaped = whole.replace('{', "\\{").replace('}', "\\}");
    let glob = Glob::new(&escaped, Form::Deep)?;
    let below = if meaning.takes_descendants && !escaped.ends_with("**") {
        Some(Glob::new(
            &format!("{}/**", escaped.trim_end_matches('/')),
            Form::Deep,
        )?)
    } else {
        None
    };
    Some(Pattern {
        excludes,
        search,
        glob,
        below,
        only_folders,
    })
}

/// What a search has found; paths as steps see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) path: String,
    pub(super) is_folder: bool,
}

/// How a search goes.
pub(super) struct Search<'a> {
    pub(super) root: &'a Root,
    /// The path of the root as steps see it.
    pub(super) base: &'a str,
    /// Whether files and folders are left out whose names begin with a dot.
    pub(super) skips_hidden: bool,
    /// Whether links to files and folders count as what they lead to.
    pub(super) follows_links: bool,
}

impl Search<'_> {
    /// All matches below the root, and the search paths that lie outside of it.
    pub(super) fn run(&self, patterns: &Patterns) -> io::Result<(Vec<Match>, Vec<String>)> {
        let (mut found, mut outside) = (Vec::new(), Vec::new());
        let mut seen = 0;
        for path in patterns.search_paths() {
            match self.below_root(&path) {
                Some(relative) => {
                    let name = path.rsplit('/').next().unwrap_or_default();
                    if !(self.skips_hidden && name.starts_with('.')) {
                        self.visit(patterns, relative, &path, (0, &mut seen), &mut found)?;
                    }
                }
                None => outside.push(path),
            }
        }
        Ok((found, outside))
    }

    /// A path as steps see it, as one below the root.
    pub(super) fn below_root<'path>(&self, path: &'path str) -> Option<&'path str> {
        let base = self.base.trim_end_matches('/');
        let relative = path.strip_prefix(base)?;
        if relative.is_empty() {
            return Some("");
        }
        relative.strip_prefix('/')
    }

    fn visit(
        &self,
        patterns: &Patterns,
        relative: &str,
        path: &str,
        (depth, seen): (usize, &mut usize),
        found: &mut Vec<Match>,
    ) -> io::Result<()> {
        *seen += 1;
        if depth > LIMIT_DEPTH || *seen > LIMIT_FILES {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "there are too many files",
            ));
        }
        let Some(stat) = self.root.stat(relative.as_bytes())? else {
            return Ok(());
        };
        let kind = FileType::from_raw_mode(stat.st_mode);
        let is_folder = kind == FileType::Directory;
        if patterns.matches(path, is_folder) && (is_folder || kind == FileType::RegularFile) {
            found.push(Match {
                path: path.to_owned(),
                is_folder,
            });
        }
        if !is_folder {
            return Ok(());
        }
        for child in self.root.list(relative.as_bytes())? {
            // Names that are no text cannot be named by a pattern either.
            let Ok(name) = String::from_utf8(child.name.clone()) else {
                continue;
            };
            let is_link = child.kind() == FileType::Symlink;
            if (self.skips_hidden && name.starts_with('.')) || (is_link && !self.follows_links) {
                continue;
            }
            // A link to a folder may lead in a circle; what it leads to is found in its own place.
            let below = if relative.is_empty() {
                name.clone()
            } else {
                format!("{relative}/{name}")
            };
            if is_link {
                let target = self.root.stat(below.as_bytes())?;
                if target.is_none_or(|target| {
                    FileType::from_raw_mode(target.st_mode) == FileType::Directory
                }) {
                    continue;
                }
            }
            let path = format!("{}/{name}", path.trim_end_matches('/'));
            self.visit(patterns, &below, &path, (depth + 1, seen), found)?;
        }
        Ok(())
    }
}

/// The folder that all paths share.
pub(super) fn common_folder(paths: &[String]) -> String {
    let mut common: Vec<&str> = paths
        .first()
        .map_or(Vec::new(), |path| path.split('/').collect());
    for path in paths {
        let shared = common
            .iter()
            .zip(path.split('/'))
            .take_while(|(a, b)| **a == *b)
            .count();
        common.truncate(shared);
    }
    match common.join("/") {
        text if text.is_empty() => "/".to_owned(),
        text => text,
    }
}
