//! Why a step does not get a secret.

use sampan_model::Hint;
use sampan_model::yaml::Location;

/// Why somebody does not get a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// There is none of the name.
    #[error("there is no secret `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// The secret that was likely meant.
        nearest: Option<String>,
    },
    /// It is not for pull requests.
    #[error("the secret `{name}` is not for pull requests")]
    PullRequest {
        /// The name.
        name: String,
    },
    /// It is not for pull requests of other repositories.
    #[error("the secret `{name}` is not for pull requests of forks")]
    Fork {
        /// The name.
        name: String,
    },
    /// It is for other events.
    #[error("the secret `{name}` is not for the event `{event}`")]
    Event {
        /// The name.
        name: String,
        /// The event.
        event: String,
    },
    /// It is for other projects.
    #[error("the secret `{name}` is not for the project `{project}`")]
    Project {
        /// The name.
        name: String,
        /// The project.
        project: String,
    },
    /// It is for other images.
    #[error("the secret `{name}` is for `{allowed}` only{}", not_for(.image))]
    Image {
        /// The name.
        name: String,
        /// The image that asks; empty for a script.
        image: String,
        /// The images that may have it.
        allowed: String,
    },
    /// It is for an image that does what it is made for, not for commands in it.
    #[error(
        "the secret `{name}` is for `{image}` as a plugin only, not for commands or programs that run in it"
    )]
    NotPlugin {
        /// The name.
        name: String,
        /// The image.
        image: String,
    },
}

fn not_for(image: &str) -> String {
    if image.is_empty() {
        ", not for scripts".to_owned()
    } else {
        format!(", not for `{image}`")
    }
}

impl Hint for SecretError {
    fn hint(&self) -> Option<String> {
        let widen = |name: &str, what: &str| {
            Some(format!(
                "to change that, {what} of the secret `{name}` in `ci.yaml`"
            ))
        };
        match self {
            Self::Unknown {
                nearest: Some(nearest),
                ..
            } => Some(format!("did you mean `{nearest}`?")),
            Self::Unknown { name, .. } => Some(format!(
                "give it with `--secret {name}=…`, or put it under `secrets` in `ci.yaml`"
            )),
            Self::PullRequest { name } => widen(name, "add `pull_request` to `events`"),
            Self::Fork { name } => widen(name, "set `forks: true`"),
            Self::Event { name, event } => widen(name, &format!("add `{event}` to `events`")),
            Self::Project { name, .. } => widen(name, "add the project to `projects`"),
            Self::Image { name, .. } => widen(name, "add the image to `images`"),
            Self::NotPlugin { name, .. } => widen(name, "take `images` out"),
        }
    }
}

/// A secret that a step names and does not get.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{location}: {error}")]
pub struct SecretProblem {
    /// Where it is named.
    pub location: Location,
    /// The stage.
    pub stage: String,
    /// The step; `None` when it is no step that names it.
    pub step: Option<String>,
    /// Whether the step cannot run without it. In dialects that say nothing of it, the variable is then empty or unset.
    pub required: bool,
    /// Why it does not get it; printed with the place.
    pub error: SecretError,
}

impl Hint for SecretProblem {
    fn hint(&self) -> Option<String> {
        self.error.hint()
    }
}
