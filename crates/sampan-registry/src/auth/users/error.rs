//! What can be wrong with a user file, and with changes to it.

use std::path::PathBuf;

use sampan_model::Hint;
use sampan_model::yaml::{Location, YamlError};

/// Why users cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// The file could not be read.
    #[error("cannot read the user file `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The file could not be written.
    #[error("cannot write the user file `{}`", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The text is not YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// The text is YAML but not what a user file holds.
    #[error("{location}: {problem}")]
    Content {
        /// Where.
        location: Location,
        /// What is wrong.
        problem: String,
        /// What to write instead.
        advice: String,
    },
    /// The name of a user is outside of the grammar.
    #[error("`{name}` cannot be the name of a user")]
    Name {
        /// The text.
        name: String,
    },
    /// There is no such user.
    #[error("there is no user `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// A user whose name is much like it.
        near: Option<String>,
    },
    /// There are users, so the registry cannot be open.
    #[error("there are still users: {}", names.join(", "))]
    Left {
        /// Their names.
        names: Vec<String>,
    },
    /// The password is empty or too long.
    #[error("a password of {length_bytes} bytes cannot be used")]
    PasswordLength {
        /// Its length.
        length_bytes: usize,
    },
    /// The password could not be hashed.
    #[error("cannot hash the password")]
    Hash(#[source] bcrypt::BcryptError),
}

impl Hint for UsersError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Read { .. } | Self::Write { .. } => {
                Some("run as the user that owns the data directory, usually root".to_owned())
            }
            Self::Yaml(error) => error.hint(),
            Self::Content { advice, .. } => Some(advice.clone()),
            Self::Name { .. } => Some(super::document::NAME_ADVICE.to_owned()),
            Self::Unknown { near, .. } => Some(near.as_ref().map_or_else(
                || "`sampan registry user ls` shows the users".to_owned(),
                |near| format!("did you mean `{near}`?"),
            )),
            Self::Left { .. } => {
                Some("nothing was changed; name all of them to remove them".to_owned())
            }
            Self::PasswordLength { .. } => Some(format!(
                "choose one of 1 to {} bytes",
                super::LONGEST_PASSWORD_BYTES
            )),
            Self::Hash(_) => None,
        }
    }
}
