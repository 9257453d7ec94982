//! What git knows of a working tree: asked of the program `git`, without a network, and never as root for others' trees.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sampan_model::Hint;

/// Variables by which git would look at another repository, such as those that it sets for its hooks.
const LEADING_ASTRAY: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
];

/// A repository with a working tree.
#[derive(Debug, Clone)]
pub(super) struct Git {
    root: PathBuf,
    /// The owner of the tree, when this process is root and the owner is not.
    owner: Option<(u32, u32)>,
}

/// What a commit is, as git tells it.
#[derive(Debug, Clone, Default)]
pub(super) struct Commit {
    pub(super) sha: String,
    /// The first of the commits that it follows.
    pub(super) parent: String,
    pub(super) name: String,
    pub(super) email: String,
    /// In seconds since 1970.
    pub(super) time: i64,
    pub(super) message: String,
}

/// Why git did not answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum GitError {
    /// The program is not there.
    #[error("`{}` is a repository of git, and the program `git` is not installed", .root.display())]
    NotInstalled {
        /// The working tree.
        root: PathBuf,
    },
    /// The program cannot be started.
    #[error("cannot start `git`")]
    Start(#[source] std::io::Error),
    /// The program refuses.
    #[error("`git {arguments}` failed in `{}`: {message}", .root.display())]
    Refused {
        /// What was asked.
        arguments: String,
        /// The working tree.
        root: PathBuf,
        /// What the program said.
        message: String,
    },
}

impl Hint for GitError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotInstalled { .. } => Some(
                "install `git`, for example with `apt-get install git`: it says which files belong to the tree"
                    .to_owned(),
            ),
            Self::Start(_) | Self::Refused { .. } => None,
        }
    }
}

impl Git {
    /// The repository whose working tree is this folder.
    pub(super) fn of(root: &Path) -> Self {
        let as_root = nix::unistd::geteuid().is_root();
        let owner = std::fs::metadata(root)
            .ok()
            .map(|folder| (folder.uid(), folder.gid()))
            .filter(|(user, _)| as_root && *user != 0);
        Self {
            root: root.to_owned(),
            owner,
        }
    }

    /// The folder of the working tree.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The commit that is checked out; `None` before the first one.
    pub(super) fn commit(&self) -> Result<Option<Commit>, GitError> {
        if self.revision("HEAD")?.is_none() {
            return Ok(None);
        }
        let format = "--format=%H%n%P%n%an%n%ae%n%ct%n%B";
        let text = self.required(&["log", "-1", "--no-show-signature", format])?;
        let mut lines = text.splitn(6, '\n');
        let mut next = || lines.next().unwrap_or_default().to_owned();
        let (sha, parents, name, email, time) = (next(), next(), next(), next(), next());
        Ok(Some(Commit {
            sha,
            parent: parents.split(' ').next().unwrap_or_default().to_owned(),
            name,
            email,
            time: time.parse().unwrap_or_default(),
            message: next().trim_end().to_owned(),
        }))
    }

    /// The branch that is checked out; `None` when a commit is, by itself.
    pub(super) fn branch(&self) -> Result<Option<String>, GitError> {
        self.line(&["symbolic-ref", "--quiet", "--short", "HEAD"])
    }

    /// The address of the remote `origin`, or of the first one.
    pub(super) fn remote(&self) -> Result<Option<(String, String)>, GitError> {
        let names = self.required(&["remote"])?;
        let names: Vec<_> = names.lines().collect();
        let name = names.iter().find(|name| **name == "origin");
        let Some(name) = name.or(names.first()) else {
            return Ok(None);
        };
        let key = format!("remote.{name}.url");
        let url = self.line(&["config", "--get", &key])?;
        Ok(url.map(|url| ((*name).to_owned(), url)))
    }

    /// The branch that clones of the remote get, as far as this clone knows it.
    pub(super) fn default_branch(&self, remote: Option<&str>) -> Result<Option<String>, GitError> {
        if let Some(remote) = remote {
            let head = format!("refs/remotes/{remote}/HEAD");
            if let Some(full) = self.line(&["symbolic-ref", "--quiet", &head])? {
                let start = format!("refs/remotes/{remote}/");
                return Ok(full.strip_prefix(&start).map(str::to_owned));
            }
        }
        for name in ["main", "master"] {
            if self.revision(&format!("refs/heads/{name}"))?.is_some() {
                return Ok(Some(name.to_owned()));
            }
        }
        Ok(None)
    }

    /// The hash of what a name stands for.
    pub(super) fn revision(&self, name: &str) -> Result<Option<String>, GitError> {
        let commit = format!("{name}^{{commit}}");
        self.line(&[
            "rev-parse",
            "--quiet",
            "--verify",
            "--end-of-options",
            &commit,
        ])
    }

    /// Where the histories of two commits part.
    pub(super) fn merge_base(&self, one: &str, other: &str) -> Result<Option<String>, GitError> {
        self.line(&["merge-base", one, other])
    }

    /// The files of the working tree that differ from a commit; without one, all files.
    pub(super) fn changed_since(&self, commit: Option<&str>) -> Result<Vec<String>, GitError> {
        let Some(commit) = commit else {
            return Ok(names(&self.files()?));
        };
        let listing = ["--name-only", "--no-renames", "--no-ext-diff", "-z", commit];
        let mut changed = self.bytes(&[&["diff"][..], &listing].concat())?;
        changed.extend(self.bytes(&["ls-files", "--others", "--exclude-standard", "-z"])?);
        Ok(names(&paths(&changed)))
    }

    /// What differs from a commit, without lines around it.
    pub(super) fn diff_since(&self, commit: &str) -> Result<String, GitError> {
        self.required(&[
            "diff",
            "--unified=0",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            commit,
        ])
    }

    /// The files of the working tree that are tracked, or would be: what is ignored is left out. Some may be gone;
    /// folders are repositories of their own.
    pub(super) fn files(&self) -> Result<Vec<PathBuf>, GitError> {
        let listing = ["--cached", "--others", "--exclude-standard", "-z"];
        let text = self.bytes(&[&["ls-files"][..], &listing].concat())?;
        Ok(paths(&text))
    }

    /// The folder of the repository's own files for this working tree, and the one that all its working trees share.
    pub(super) fn folders(&self) -> Result<(PathBuf, PathBuf), GitError> {
        let own = self.required(&["rev-parse", "--absolute-git-dir"])?;
        let shared = self.required(&["rev-parse", "--git-common-dir"])?;
        // The latter may be relative to where git was asked.
        Ok((
            PathBuf::from(own.trim_end_matches('\n')),
            self.root.join(shared.trim_end_matches('\n')),
        ))
    }

    fn line(&self, arguments: &[&str]) -> Result<Option<String>, GitError> {
        let answer = self.ask(arguments)?;
        let text = answer.map(|bytes| String::from_utf8_lossy(&bytes).trim_end().to_owned());
        Ok(text.filter(|text| !text.is_empty()))
    }

    fn required(&self, arguments: &[&str]) -> Result<String, GitError> {
        let bytes = self.bytes(arguments)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn bytes(&self, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
        self.ask(arguments)?
            .ok_or_else(|| self.refused(arguments, "it found nothing".to_owned()))
    }

    /// What git prints; `None` when it says by its exit code that there is nothing.
    fn ask(&self, arguments: &[&str]) -> Result<Option<Vec<u8>>, GitError> {
        let output = self.command(arguments).output().map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound && self.root.is_dir() {
                GitError::NotInstalled {
                    root: self.root.clone(),
                }
            } else {
                GitError::Start(error)
            }
        })?;
        match output.status.code() {
            Some(0) => Ok(Some(output.stdout)),
            Some(1) => Ok(None),
            _ => {
                let said = String::from_utf8_lossy(&output.stderr);
                Err(self.refused(arguments, said.trim().to_owned()))
            }
        }
    }

    fn refused(&self, arguments: &[&str], message: String) -> GitError {
        GitError::Refused {
            arguments: arguments.join(" "),
            root: self.root.clone(),
            message,
        }
    }

    /// Asking must not run what the settings of a tree name.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(&self.root)
            .args(["-c", "core.fsmonitor=false", "-c", "core.quotePath=false"])
            .args(["-c", "core.hooksPath=/dev/null"])
            .args(arguments)
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        for variable in LEADING_ASTRAY {
            command.env_remove(variable);
        }
        if let Some((user, group)) = self.owner {
            // As its owner, git trusts the tree; but it cannot read the settings of root.
            command
                .uid(user)
                .gid(group)
                .env("GIT_CONFIG_GLOBAL", "/dev/null")
                .env("HOME", "/");
        }
        command
    }
}

/// Paths that end with a zero byte each, in order and without repetition.
fn paths(text: &[u8]) -> Vec<PathBuf> {
    let parts = text.split(|byte| *byte == 0);
    let mut paths: Vec<_> = parts
        .filter(|part| !part.is_empty())
        .map(|part| PathBuf::from(OsStr::from_bytes(part)))
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

fn names(paths: &[PathBuf]) -> Vec<String> {
    let names = paths.iter().map(|path| path.to_string_lossy().into_owned());
    names.collect()
}
