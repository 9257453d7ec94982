//! The working tree: where it begins, and its files.

use std::path::{Path, PathBuf};

use super::git::{Git, GitError};
use crate::context::Context;
use crate::failure::{Failure, OrFail as _};

/// A folder with sources, mostly the working tree of a repository.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    root: PathBuf,
    git: Option<Git>,
}

impl Tree {
    /// The working tree around a folder; the folder itself where there is no repository.
    pub(super) fn around(folder: &Path, context: &Context) -> Result<Self, Failure> {
        let folder = std::path::absolute(folder)
            .or_fail(format!("cannot use the folder `{}`", folder.display()))?;
        let repository = folder.ancestors().find(|above| above.join(".git").exists());
        let Some(root) = repository.map(Path::to_owned) else {
            return Ok(Self {
                root: folder,
                git: None,
            });
        };
        let git = Git::of(&root);
        match git.branch() {
            Ok(_) => Ok(Self {
                root,
                git: Some(git),
            }),
            Err(error @ GitError::NotInstalled { .. }) => {
                context.ui().note(format!(
                    "{error}: branch, commit and changed files are not known, and ignored files count as sources"
                ));
                Ok(Self { root, git: None })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Where it begins.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The repository, where there is one that can be asked.
    pub(super) fn git(&self) -> Option<&Git> {
        self.git.as_ref()
    }

    /// The name of the folder.
    pub(super) fn name(&self) -> String {
        let name = self.root.file_name();
        name.map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }

    /// The path of a file from the root, with `/`; as it is for one that lies elsewhere.
    pub(super) fn relative(&self, path: &Path) -> Result<String, Failure> {
        let whole =
            std::path::absolute(path).or_fail(format!("cannot use `{}`", path.display()))?;
        let inside = whole.strip_prefix(&self.root).unwrap_or(path);
        Ok(inside.to_string_lossy().into_owned())
    }
}
