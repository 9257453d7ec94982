//! The keys that requests to a bucket are signed with.
//!
//! Source: "Configuration and credential file settings" of the AWS command line, the shared credentials file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sampan_model::Hint;

use crate::secret::Secret;

/// Who signs.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: Secret,
    pub(super) token: Option<Secret>,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file cannot be read.
    #[error("cannot read the keys of the bucket from `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A line is of another form.
    #[error("{}:{line}: `name = value` or `[section]` is expected", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// The section lacks something, or is not there.
    #[error("`{}` has no `{name}` in its section `[{profile}]`", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        name: &'static str,
        /// The section.
        profile: String,
    },
}

impl Hint for KeysError {
    fn hint(&self) -> Option<String> {
        Some(
            "`storage.s3.credentials` names a file, relative to the data folder, with a line `[default]` and below it \
             `aws_access_key_id = …` and `aws_secret_access_key = …`"
                .to_owned(),
        )
    }
}

impl Keys {
    /// Reads the section `profile` of a shared credentials file.
    pub(super) fn read(path: &Path, profile: &str) -> Result<Self, KeysError> {
        let text = fs::read_to_string(path).map_err(|source| KeysError::Read {
            path: path.to_owned(),
            source,
        })?;
        let [mut id, mut secret, mut token] = [const { None }; 3];
        let mut inside = false;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(section) = line
                .strip_prefix('[')
                .and_then(|line| line.strip_suffix(']'))
            {
                inside = section.trim() == profile;
                continue;
            }
            let Some((name, value)) = line.split_once('=') else {
                let (path, line) = (path.to_owned(), index + 1);
                return Err(KeysError::Line { path, line });
            };
            let value = Some(value.trim().to_owned()).filter(|value| inside && !value.is_empty());
            match name.trim() {
                "aws_access_key_id" if inside => id = value,
                "aws_secret_access_key" if inside => secret = value,
                "aws_session_token" if inside => token = value,
                // Other programs keep other things there.
                _ => {}
            }
        }
        let missing = |name| KeysError::Missing {
            path: path.to_owned(),
            name,
            profile: profile.to_owned(),
        };
        Ok(Self {
            id: id.ok_or_else(|| missing("aws_access_key_id"))?,
            secret: Secret::new(secret.ok_or_else(|| missing("aws_secret_access_key"))?),
            token: token.map(Secret::new),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_section_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        let text = "# ours\n[default]\naws_access_key_id=one\naws_secret_access_key = a=b\nregion = x\n\n\
                    [site]\naws_access_key_id = two\naws_secret_access_key = c\naws_session_token = t\n";
        fs::write(&path, text).unwrap();
        let keys = Keys::read(&path, "default").unwrap();
        assert_eq!((keys.id.as_str(), keys.secret.reveal()), ("one", "a=b"));
        assert!(keys.token.is_none());
        assert!(!format!("{keys:?}").contains("a=b"));
        let site = Keys::read(&path, "site").unwrap();
        assert_eq!(site.token.unwrap().reveal(), "t");
        let error = Keys::read(&path, "other").unwrap_err().to_string();
        assert!(
            error.contains("no `aws_access_key_id` in its section `[other]`"),
            "{error}"
        );
        fs::write(&path, "[default]\nsecret\n").unwrap();
        let error = Keys::read(&path, "default").unwrap_err().to_string();
        assert!(error.contains("credentials:2: "), "{error}");
    }
}
