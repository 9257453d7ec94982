//! The source tree of a run: a copy of the working tree, uncommitted changes included.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use sampan_model::Causes;
use sampan_pipeline::run::{PortError, SourceTarget, SourceTree};

use super::git::Git;
use super::tree::Tree;

/// Parts of a repository that a copy has no use for, or that lead out of it.
const LEFT_OUT: [&str; 3] = ["hooks", "worktrees", "commondir"];

/// A working tree as the steps of a run get it.
#[derive(Debug)]
pub(super) struct WorkingTree<'a> {
    tree: &'a Tree,
    /// The data folder, which is never a source.
    data: &'a Path,
}

impl<'a> WorkingTree<'a> {
    pub(super) fn new(tree: &'a Tree, data: &'a Path) -> Self {
        Self { tree, data }
    }

    fn fill_from_git(&self, git: &Git, (target, to): Place<'_>) -> Result<(), PortError> {
        for path in git.files().map_err(|error| failed(&error))? {
            let from = git.root().join(&path);
            if from.starts_with(self.data) {
                continue;
            }
            let to = to.join(&path);
            let found = match from.symlink_metadata() {
                Ok(found) => found,
                // It is deleted, and that is not committed yet.
                Err(error) if is_absent(&error) => continue,
                Err(error) => return Err(cannot("read", &from, &error)),
            };
            if found.is_dir() {
                self.fill_from_inner(&from, (target, &to))?;
            } else {
                copy(&from, &found, (target, &to))?;
            }
        }
        copy_repository(git, (target, &to.join(".git")))
    }

    /// A repository within the tree, such as a submodule.
    fn fill_from_inner(&self, from: &Path, (target, to): Place<'_>) -> Result<(), PortError> {
        make_folder((target, to))?;
        if !from.join(".git").exists() {
            // A submodule that is not checked out.
            return Ok(());
        }
        self.fill_from_git(&Git::of(from), (target, to))
    }

    fn fill_from_folder(&self, from: &Path, (target, to): Place<'_>) -> Result<(), PortError> {
        for (path, found) in entries(from)? {
            let to = to.join(path.file_name().unwrap_or_default());
            if path.starts_with(self.data) {
                continue;
            }
            if found.is_dir() {
                make_folder((target, &to))?;
                self.fill_from_folder(&path, (target, &to))?;
            } else {
                copy(&path, &found, (target, &to))?;
            }
        }
        Ok(())
    }
}

impl SourceTree for WorkingTree<'_> {
    fn fill(&self, target: &SourceTarget) -> Result<(), PortError> {
        let place = (target, Path::new(""));
        match self.tree.git() {
            Some(git) => self.fill_from_git(git, place),
            None => self.fill_from_folder(self.tree.root(), place),
        }
    }
}

/// What is filled, and a path in it.
type Place<'a> = (&'a SourceTarget, &'a Path);

fn make_folder((target, to): Place<'_>) -> Result<(), PortError> {
    let made = target.make_folder(to);
    made.map_err(|error| cannot("make", to, &error))
}

/// Copies the repository, so that steps may do with it what they like. Nothing in it is linked with the original: who
/// changes owner or mode of the copy would change those of the original too.
fn copy_repository(git: &Git, (target, to): Place<'_>) -> Result<(), PortError> {
    let (own, shared) = git.folders().map_err(|error| failed(&error))?;
    copy_folder(&shared, (target, to), &LEFT_OUT)?;
    if own != shared && own.canonicalize().ok() != shared.canonicalize().ok() {
        // One of several working trees of a repository, with its own place in it.
        for (path, found) in entries(&own)? {
            let name = path.file_name().unwrap_or_default();
            if found.is_file() && !["commondir", "gitdir"].iter().any(|other| name == *other) {
                copy(&path, &found, (target, &to.join(name)))?;
            }
        }
    }
    Ok(())
}

fn copy_folder(from: &Path, (target, to): Place<'_>, left_out: &[&str]) -> Result<(), PortError> {
    make_folder((target, to))?;
    for (path, found) in entries(from)? {
        let name = path.file_name().unwrap_or_default();
        let is_lock = path
            .extension()
            .is_some_and(|extension| extension == "lock");
        if left_out.iter().any(|other| name == *other) || is_lock {
            continue;
        }
        let to = to.join(name);
        if found.is_dir() {
            copy_folder(&path, (target, &to), &[])?;
        } else if found.is_file() && name == "config" {
            copy_config(&path, (target, &to))?;
        } else if found.is_file() || found.is_symlink() {
            copy(&path, &found, (target, &to))?;
        }
    }
    Ok(())
}

/// Copies the settings of a repository, or of a submodule's; logins never get to where steps could read them.
fn copy_config(from: &Path, (target, to): Place<'_>) -> Result<(), PortError> {
    let text = match fs::read(from) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if is_absent(&error) => return Ok(()),
        Err(error) => return Err(cannot("read", from, &error)),
    };
    let written = target.write(to, without_logins(&text).as_bytes());
    written.map_err(|error| cannot("write", to, &error))
}

/// The settings of a repository without what logs in somewhere: steps get the secrets that they name, and no others.
fn without_logins(config: &str) -> String {
    let mut kept = String::new();
    for line in config.lines() {
        let key = line.trim_start().to_ascii_lowercase();
        if key.starts_with("extraheader") || key.starts_with("helper") {
            continue;
        }
        let login = line.find("://").and_then(|scheme| {
            let begin = scheme + 3;
            let authority = &line[begin..];
            let end = authority.find('/').unwrap_or(authority.len());
            let at = authority[..end].rfind('@')?;
            // A name alone, as in addresses of SSH, proves nothing.
            authority[..at]
                .contains(':')
                .then_some(begin..begin + at + 1)
        });
        match login {
            Some(login) => {
                kept.push_str(&line[..login.start]);
                kept.push_str(&line[login.end..]);
            }
            None => kept.push_str(line),
        }
        kept.push('\n');
    }
    kept
}

fn entries(folder: &Path) -> Result<Vec<(PathBuf, Metadata)>, PortError> {
    let failed = |error: io::Error| cannot("list", folder, &error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        match path.symlink_metadata() {
            Ok(metadata) => found.push((path, metadata)),
            // It went away in this moment.
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(cannot("read", &path, &error)),
        }
    }
    Ok(found)
}

/// Copies a file with its mode and time, or a symbolic link; sockets and their like are no sources.
fn copy(from: &Path, found: &Metadata, (target, to): Place<'_>) -> Result<(), PortError> {
    let outcome = if found.is_symlink() {
        fs::read_link(from).and_then(|link| target.link(&link, to))
    } else if found.is_file() {
        target.copy(from, to).map(drop)
    } else {
        Ok(())
    };
    match outcome {
        Err(error) if is_absent(&error) => Ok(()),
        outcome => outcome.map_err(|error| cannot("copy", from, &error)),
    }
}

fn is_absent(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound
}

fn cannot(operation: &str, path: &Path, error: &io::Error) -> PortError {
    PortError::new(format!("cannot {operation} `{}`: {error}", path.display()))
}

fn failed(error: &impl sampan_model::Hint) -> PortError {
    PortError::new(Causes(error).to_string()).with_hint(error.hint())
}

#[cfg(test)]
mod tests {
    use super::without_logins;

    #[test]
    fn logins_are_left_out_of_the_copy() {
        let config = "\
[remote \"origin\"]
\turl = https://robot:secret@git.example/team/shop.git
\tfetch = +refs/heads/*:refs/remotes/origin/*
[remote \"other\"]
\turl = ssh://git@git.example/team/shop.git
[http \"https://git.example/\"]
\textraHeader = AUTHORIZATION: basic secret
[credential]
\thelper = store
";
        let kept = without_logins(config);
        assert!(!kept.contains("secret"), "{kept}");
        assert!(kept.contains("https://git.example/team/shop.git"), "{kept}");
        assert!(kept.contains("ssh://git@git.example"), "{kept}");
        assert!(!kept.contains("store"), "{kept}");
    }
}
