//! Charts in folders.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::archive::without_mark;
use super::ignore::Rules;
use super::limits::Limits;
use super::{Error, File};
use crate::values::system_text;

/// What a killed `dependency update` may leave in a chart; it belongs to no chart.
const LEFT: [&str; 3] = [
    ".charts.partial",
    "Chart.lock.partial",
    "requirements.lock.partial",
];

/// Walks a folder in the order of names, as Helm does, and follows links that stay inside.
pub(super) struct Walk<'a> {
    /// The folder without links in it.
    root: PathBuf,
    rules: Rules,
    limits: &'a mut Limits,
    warnings: &'a mut Vec<String>,
    files: Vec<File>,
}

impl<'a> Walk<'a> {
    /// The files of a folder that belong to its chart.
    pub(super) fn run(
        root: &Path,
        limits: &'a mut Limits,
        warnings: &'a mut Vec<String>,
    ) -> Result<Vec<File>, Error> {
        let root = root
            .canonicalize()
            .map_err(|error| unreadable("lstat", root, &error))?;
        let rules = match read_inside(&root, ".helmignore")? {
            Some(content) => Rules::parse(&content)?,
            None => Rules::none(),
        };
        let folder = root.clone();
        let mut walk = Self {
            root,
            rules,
            limits,
            warnings,
            files: Vec::new(),
        };
        walk.folder(&folder, "", &mut Vec::new())?;
        Ok(walk.files)
    }

    fn folder(
        &mut self,
        folder: &Path,
        name: &str,
        within: &mut Vec<PathBuf>,
    ) -> Result<(), Error> {
        self.limits.enter()?;
        let entries = fs::read_dir(folder).map_err(|error| unreadable("open", folder, &error))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| unreadable("open", folder, &error))?;
            names.push(entry.file_name());
            self.limits.entry()?;
        }
        names.sort();
        for entry in names {
            let path = folder.join(&entry);
            let entry = entry.to_string_lossy();
            let name = if name.is_empty() {
                entry.into_owned()
            } else {
                format!("{name}/{entry}")
            };
            self.entry(&path, &name, within)?;
        }
        self.limits.leave();
        Ok(())
    }

    fn entry(&mut self, path: &Path, name: &str, within: &mut Vec<PathBuf>) -> Result<(), Error> {
        if LEFT.contains(&name) {
            return Ok(());
        }
        let link = path
            .symlink_metadata()
            .map_err(|error| unreadable("lstat", path, &error))?;
        let is_link = link.is_symlink();
        let (target, metadata) = if is_link {
            let evaluating = |error| {
                let problem = unreadable("lstat", path, &error);
                Error::Read(format!(
                    "error evaluating symlink {}: {problem}",
                    path.display()
                ))
            };
            let target = path.canonicalize().map_err(evaluating)?;
            let metadata = target.metadata().map_err(evaluating)?;
            (target, metadata)
        } else {
            (path.to_owned(), link)
        };
        if self.rules.ignores(name, metadata.is_dir()) {
            return Ok(());
        }
        if is_link {
            self.check_link(path, &target)?;
        }
        if metadata.is_dir() {
            if is_link
                && within
                    .iter()
                    .chain([&self.root])
                    .any(|folder| folder.starts_with(&target))
            {
                return Err(Error::LinkLoop(path.display().to_string()));
            }
            within.push(target);
            self.folder(path, name, within)?;
            within.pop();
            return Ok(());
        }
        if !metadata.is_file() {
            let path = path.display();
            return Err(Error::Read(format!(
                "cannot load irregular file {path} as it has file mode type bits set"
            )));
        }
        if metadata.len() > Limits::FILE_BYTES {
            return Err(Limits::large_file(name.rsplit('/').next().unwrap_or(name)));
        }
        self.limits.bytes(metadata.len())?;
        let reading = |error| {
            Error::Read(format!(
                "error reading {name}: {}",
                unreadable("open", path, &error)
            ))
        };
        let data = fs::read(&target).map_err(reading)?;
        self.files.push(File {
            name: name.to_owned(),
            data: without_mark(&data).into(),
        });
        Ok(())
    }

    /// Links may lead about in the chart, not out of it: a chart must not show the machine that renders it.
    fn check_link(&mut self, path: &Path, target: &Path) -> Result<(), Error> {
        let (link, shown) = (path.display(), target.display());
        if !target.starts_with(&self.root) {
            return Err(Error::LinkOut {
                link: link.to_string(),
                target: shown.to_string(),
            });
        }
        let found = format!("found symbolic link in path: {link} resolves to {shown}.");
        self.warnings
            .push(format!("{found} Contents of linked file included and used"));
        Ok(())
    }
}

/// A file directly in the folder of a chart, with the bounds of all its files: it leads nowhere else and is not too large.
/// None when no file is there.
///
/// # Errors
/// When it is there and cannot be taken.
pub(crate) fn read_inside(folder: &Path, name: &str) -> Result<Option<Vec<u8>>, Error> {
    let path = folder.join(name);
    let (Ok(root), Ok(target)) = (folder.canonicalize(), path.canonicalize()) else {
        return Ok(None);
    };
    if !target.starts_with(&root) {
        return Err(Error::LinkOut {
            link: path.display().to_string(),
            target: target.display().to_string(),
        });
    }
    // What is no file could make the reader wait for ever.
    if !target.is_file() {
        return Ok(None);
    }
    let mut content = Vec::new();
    fs::File::open(&target)
        .and_then(|file| file.take(Limits::FILE_BYTES + 1).read_to_end(&mut content))
        .map_err(|error| unreadable("open", &path, &error))?;
    if content.len() as u64 > Limits::FILE_BYTES {
        return Err(Limits::large_file(name));
    }
    Ok(Some(content))
}

fn unreadable(operation: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::Read(format!(
        "{operation} {}: {}",
        path.display(),
        system_text(error)
    ))
}
