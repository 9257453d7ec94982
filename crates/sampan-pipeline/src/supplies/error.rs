//! What a run lacks.

use sampan_model::Hint;
use sampan_model::yaml::Location;

use crate::lock;

/// Something that a run cannot begin without.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SupplyError {
    /// An image that is not here.
    #[error("{location}: the image `{name}` is not here{}", instead(.name, .mapped))]
    NoImage {
        /// Where it is named.
        location: Location,
        /// Its name in the pipeline.
        name: String,
        /// The image that the table has in its place; the same name without one.
        mapped: String,
    },
    /// An image that is here, but not the one of the lock file.
    #[error(
        "{location}: the image `{name}` with the digest of the lock file, `{digest}`, is not here"
    )]
    OtherImage {
        /// Where it is named.
        location: Location,
        /// Its name in the pipeline.
        name: String,
        /// The digest that the lock file has for it.
        digest: String,
    },
    /// A name that is none of an image.
    #[error("{location}: {problem}")]
    ImageName {
        /// Where it stands.
        location: Location,
        /// What is wrong.
        problem: String,
    },
    /// An action that is not here.
    #[error("{location}: the action `{name}` is not here")]
    NoAction {
        /// Where it is named.
        location: Location,
        /// Its name, with the version.
        name: String,
    },
    /// An action that is here, but not the one of the lock file.
    #[error(
        "{location}: the action `{name}` with the digest of the lock file, `{digest}`, is not here"
    )]
    OtherAction {
        /// Where it is named.
        location: Location,
        /// Its name, with the version.
        name: String,
        /// The digest that the lock file has for it.
        digest: String,
    },
    /// An image or action that the lock file should have.
    #[error("{location}: the {kind} `{name}` is not in `{}`", lock::FILE_NAME)]
    NotLocked {
        /// Where it is named.
        location: Location,
        /// `image` or `action`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A job for whose machine the configuration has no image.
    #[error("{location}: there is no image for jobs that run on `{labels}`")]
    NoMachine {
        /// Where the job is.
        location: Location,
        /// The labels, joined by commas.
        labels: String,
    },
    /// An action that needs Node.js, and there is no image with it.
    #[error("{location}: the action needs `{version}`, and there is no image with Node.js")]
    NoNode {
        /// Where the action is used.
        location: Location,
        /// The version.
        version: String,
    },
}

fn instead(name: &str, mapped: &str) -> String {
    if name == mapped {
        String::new()
    } else {
        format!(" (by the table of `ci.yaml` it is `{mapped}`)")
    }
}

impl Hint for SupplyError {
    fn hint(&self) -> Option<String> {
        const BUNDLE: &str =
            "take in what `sampan ci vendor` has packed elsewhere with `sampan load`";
        Some(match self {
            Self::NoImage { mapped, .. } => format!(
                "bring it here with `sampan pull {mapped}`, {BUNDLE}, or name another image for it under `images` in `ci.yaml`"
            ),
            Self::OtherImage { name, digest, .. } => {
                let name = name.split_once('@').map_or(name.as_str(), |(name, _)| name);
                format!("bring it here with `sampan pull {name}@{digest}`, or {BUNDLE}")
            }
            Self::ImageName { .. } => "write a name such as `golang:1.21`".to_owned(),
            Self::NoAction { name, .. } => {
                format!(
                    "with its repository in a folder, bring it here with `sampan ci action {name} FOLDER`, or {BUNDLE}"
                )
            }
            Self::OtherAction { .. } => {
                format!("{BUNDLE}, or pin what is here with `sampan ci lock`")
            }
            Self::NotLocked { .. } => "pin what is here with `sampan ci lock`".to_owned(),
            Self::NoMachine { labels, .. } => {
                format!("name an image for `{labels}` under `runners` in `ci.yaml`")
            }
            Self::NoNode { .. } => "name one under `node` in `ci.yaml`".to_owned(),
        })
    }
}
