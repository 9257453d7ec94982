//! The source tree of a run: a copy of the working tree, uncommitted changes included.

use std::fs::{self, File, FileTimes, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use sampan_model::Causes;
use sampan_pipeline::run::{PortError, SourceTree};

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

    fn fill_from_git(&self, git: &Git, folder: &Path) -> Result<(), PortError> {
        for path in git.files().map_err(|error| failed(&error))? {
            let from = git.root().join(&path);
            if from.starts_with(self.data) {
                continue;
            }
            let to = folder.join(&path);
            let found = match from.symlink_metadata() {
                Ok(found) => found,
                // It is deleted, and that is not committed yet.
                Err(error) if is_absent(&error) => continue,
                Err(error) => return Err(cannot("read", &from, &error)),
            };
            if let Some(above) = to.parent() {
                fs::create_dir_all(above).map_err(|error| cannot("make", above, &error))?;
            }
            if found.is_dir() {
                self.fill_from_inner(&from, &to)?;
            } else {
                copy(&from, &found, &to)?;
            }
        }
        copy_repository(git, &folder.join(".git"))
    }

    /// A repository within the tree, such as a submodule.
    fn fill_from_inner(&self, from: &Path, to: &Path) -> Result<(), PortError> {
        fs::create_dir_all(to).map_err(|error| cannot("make", to, &error))?;
        if !from.join(".git").exists() {
            // A submodule that is not checked out.
            return Ok(());
        }
        self.fill_from_git(&Git::of(from), to)
    }

    fn fill_from_folder(&self, from: &Path, to: &Path) -> Result<(), PortError> {
        for (path, found) in entries(from)? {
            let target = to.join(path.file_name().unwrap_or_default());
            if path.starts_with(self.data) {
                continue;
            }
            if found.is_dir() {
                fs::create_dir_all(&target).map_err(|error| cannot("make", &target, &error))?;
                self.fill_from_folder(&path, &target)?;
            } else {
                copy(&path, &found, &target)?;
            }
        }
        Ok(())
    }
}

impl SourceTree for WorkingTree<'_> {
    fn fill(&self, folder: &Path) -> Result<(), PortError> {
        match self.tree.git() {
            Some(git) => self.fill_from_git(git, folder),
            None => self.fill_from_folder(self.tree.root(), folder),
        }
    }
}

/// Copies the repository, so that steps may do with it what they like. Nothing in it is linked with the original: who
/// changes owner or mode of the copy would change those of the original too.
fn copy_repository(git: &Git, to: &Path) -> Result<(), PortError> {
    let (own, shared) = git.folders().map_err(|error| failed(&error))?;
    copy_folder(&shared, to, &LEFT_OUT)?;
    if own != shared && own.canonicalize().ok() != shared.canonicalize().ok() {
        // One of several working trees of a repository, with its own place in it.
        for (path, found) in entries(&own)? {
            let name = path.file_name().unwrap_or_default();
            if found.is_file() && !["commondir", "gitdir"].iter().any(|other| name == *other) {
                copy(&path, &found, &to.join(name))?;
            }
        }
    }
    let config = to.join("config");
    match fs::read_to_string(&config) {
        Ok(text) => fs::write(&config, without_logins(&text))
            .map_err(|error| cannot("write", &config, &error)),
        Err(error) if is_absent(&error) => Ok(()),
        Err(error) => Err(cannot("read", &config, &error)),
    }
}

fn copy_folder(from: &Path, to: &Path, left_out: &[&str]) -> Result<(), PortError> {
    fs::create_dir_all(to).map_err(|error| cannot("make", to, &error))?;
    for (path, found) in entries(from)? {
        let name = path.file_name().unwrap_or_default();
        let is_lock = path
            .extension()
            .is_some_and(|extension| extension == "lock");
        if left_out.iter().any(|other| name == *other) || is_lock {
            continue;
        }
        let target = to.join(name);
        if found.is_dir() {
            copy_folder(&path, &target, &[])?;
        } else if found.is_file() || found.is_symlink() {
            copy(&path, &found, &target)?;
        }
    }
    Ok(())
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
fn copy(from: &Path, found: &Metadata, to: &Path) -> Result<(), PortError> {
    let outcome = if found.is_symlink() {
        fs::read_link(from).and_then(|target| symlink(target, to))
    } else if found.is_file() {
        fs::copy(from, to).and_then(|_| {
            let times = FileTimes::new().set_modified(found.modified()?);
            match File::options().write(true).open(to) {
                Ok(file) => file.set_times(times),
                // A file that nobody may write, not even root on some file systems.
                Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
                Err(error) => Err(error),
            }
        })
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
