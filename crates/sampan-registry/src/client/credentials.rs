//! Who asks: the configuration file of docker, podman's, and the helpers that keep secrets for both.

mod file;
mod program;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use sampan_model::Hint;

pub use crate::secret::Secret;

/// What proves to a registry who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A name and a password.
    Password {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A token that is exchanged for others (OAuth 2's refresh token).
    Identity(Secret),
    /// A token that is shown as it is.
    Bearer(Secret),
}

/// Where credentials are found, in this order.
#[derive(Debug, Clone, Default)]
pub struct CredentialFiles {
    /// A file of the same form that the user named; only read.
    pub explicit: Option<PathBuf>,
    /// The `config.json` of docker; the one that `login` and `logout` write.
    pub docker: Option<PathBuf>,
    /// Others of the same form that are only read, such as podman's `auth.json`.
    pub others: Vec<PathBuf>,
}

/// Why credentials cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The file cannot be read or written.
    #[error("cannot {action} `{}`", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file is not what docker writes.
    #[error("`{}` is no configuration of docker", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The entry of a registry cannot be understood.
    #[error("the credentials of `{host}` in `{}` are damaged", path.display())]
    Entry {
        /// The registry.
        host: String,
        /// The file.
        path: PathBuf,
    },
    /// A helper cannot be started.
    #[error("cannot run the credential helper `{program}`")]
    Start {
        /// The helper.
        program: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A helper reports a failure.
    #[error("the credential helper `{program}` fails: {message}")]
    Helper {
        /// The helper.
        program: String,
        /// Its words.
        message: String,
    },
    /// A helper does not end.
    #[error("the credential helper `{program}` has not answered for {} s", deadline.as_secs())]
    Silent {
        /// The helper.
        program: String,
        /// How long it was waited for.
        deadline: Duration,
    },
    /// There is no memory for what a helper says.
    #[error("cannot prepare for a credential helper")]
    Memory {
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// There is no file to write to.
    #[error("there is no file to keep credentials in")]
    Nowhere,
    /// There are no credentials to forget.
    #[error("nobody is logged in to `{host}`")]
    NotLoggedIn {
        /// The registry.
        host: String,
        /// A file that is only read, and has some.
        elsewhere: Option<PathBuf>,
    },
}

impl Hint for CredentialError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::File { .. } => "check the rights of the file, or name another folder with the variable DOCKER_CONFIG".to_owned(),
            Self::Parse { path, .. } => format!("correct `{}` or move it away", path.display()),
            Self::Entry { host, .. } => format!("log in again with `sampan login {host}`"),
            Self::Start { .. } | Self::Helper { .. } => {
                "install the helper, or take `credsStore` and `credHelpers` out of docker's config.json".to_owned()
            }
            Self::Nowhere => "set the variable HOME or DOCKER_CONFIG".to_owned(),
            Self::Silent { program, .. } => format!(
                "it may wait for somebody: run `{program} list` by hand, and then the same command again"
            ),
            Self::NotLoggedIn { host, elsewhere: Some(path) } => format!(
                "`{}` has credentials for it, which `podman logout {host}` takes away",
                path.display()
            ),
            Self::Memory { .. } | Self::NotLoggedIn { .. } => return None,
        })
    }
}

impl CredentialFiles {
    /// The credentials for `repository` at the registry `host`; the most specific entry of the first file that has one.
    ///
    /// Blocks: files are read, and a helper may be run.
    ///
    /// # Errors
    /// When a file or a helper fails; a missing file does not.
    pub fn find(
        &self,
        host: &str,
        repository: &str,
    ) -> Result<Option<Credential>, CredentialError> {
        let usual = self.docker.iter().chain(&self.others);
        for path in self.explicit.iter().chain(usual) {
            let file = file::File::read(path)?;
            if let Some(credential) = file.find(host, repository)? {
                return Ok(Some(credential));
            }
        }
        Ok(None)
    }

    /// Keeps the credentials for `host`, with the helper that is configured for it or in the file, and says where.
    ///
    /// # Errors
    /// When the file or the helper fails.
    pub fn keep(
        &self,
        host: &str,
        username: &str,
        password: &Secret,
    ) -> Result<Kept, CredentialError> {
        let path = self.docker.as_ref().ok_or(CredentialError::Nowhere)?;
        let _lock = file::lock(path)?;
        let mut file = file::File::read(path)?;
        let helper = file.helper(host);
        if let Some(helper) = &helper {
            program::store(helper, &file::server(host), username, password)?;
            file.set_empty(host);
        } else {
            file.set(host, username, password);
        }
        file.write()?;
        Ok(helper.map_or_else(|| Kept::File(path.clone()), Kept::Helper))
    }

    /// Forgets the credentials for `host`.
    ///
    /// # Errors
    /// When there are none, or the file or the helper fails.
    pub fn forget(&self, host: &str) -> Result<(), CredentialError> {
        let path = self.docker.as_ref().ok_or(CredentialError::Nowhere)?;
        let _lock = file::lock(path)?;
        let mut file = file::File::read(path)?;
        let kept = file.remove(host);
        // First: a helper that fails must not keep the entry of the file alive.
        if kept {
            file.write()?;
        }
        let erased = match file.helper(host) {
            Some(helper) if program::get(&helper, &file::server(host))?.is_some() => {
                program::erase(&helper, &file::server(host))?;
                true
            }
            _ => false,
        };
        if kept || erased {
            Ok(())
        } else {
            Err(CredentialError::NotLoggedIn {
                host: host.to_owned(),
                elsewhere: self.elsewhere(host)?,
            })
        }
    }

    /// A file that is only read, and that has credentials for `host` as well.
    ///
    /// # Errors
    /// When a file cannot be read; a missing one can.
    pub fn elsewhere(&self, host: &str) -> Result<Option<PathBuf>, CredentialError> {
        for path in self.explicit.iter().chain(&self.others) {
            if self.docker.as_ref() != Some(path) && file::File::read(path)?.has(host) {
                return Ok(Some(path.clone()));
            }
        }
        Ok(None)
    }
}

/// Where credentials were put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Into this file, legible for who may read it.
    File(PathBuf),
    /// With this credential helper.
    Helper(String),
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_helper_that_fails_keeps_no_password_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        let text = r#"{"auths":{"site:5000":{"auth":"YTpi"}},"credsStore":"sampan-has-no-such"}"#;
        fs::write(&path, text).unwrap();
        let files = CredentialFiles {
            docker: Some(path.clone()),
            ..CredentialFiles::default()
        };
        let error = files.forget("site:5000").unwrap_err();
        assert!(matches!(error, CredentialError::Start { .. }), "{error:?}");
        assert!(!fs::read_to_string(&path).unwrap().contains("YTpi"));
    }

    #[test]
    fn entries_of_other_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("auth.json");
        let text = r#"{"auths":{"site:5000/team":{"auth":"YTpi"},"empty:5000":{}}}"#;
        fs::write(&other, text).unwrap();
        let files = CredentialFiles {
            docker: Some(folder.path().join("config.json")),
            others: vec![other.clone()],
            ..CredentialFiles::default()
        };
        let error = files.forget("site:5000").unwrap_err();
        let hint = error.hint().unwrap();
        assert!(hint.contains("podman logout site:5000"), "{hint}");
        assert_eq!(files.elsewhere("site:5000").unwrap(), Some(other));
        assert_eq!(files.elsewhere("empty:5000").unwrap(), None);
    }
}
