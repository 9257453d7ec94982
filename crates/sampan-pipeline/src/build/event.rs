//! What causes runs.

use serde::{Deserialize, Serialize};

/// What caused a run. Each dialect has its own words; these are the things that the words stand for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Commits were pushed to a branch.
    #[default]
    Push,
    /// A pull request was opened or got commits.
    PullRequest,
    /// A pull request was closed or merged.
    PullRequestClosed,
    /// Title, labels or other properties of a pull request changed.
    PullRequestMetadata,
    /// A tag was pushed.
    Tag,
    /// A release was published.
    Release,
    /// A build was brought to an environment.
    Promote,
    /// An environment was brought back to a build.
    Rollback,
    /// A schedule's time came.
    Cron,
    /// A user asked for it.
    Manual,
    /// Anything else by the forge's name for it, such as `workflow_run` or `issues`.
    #[serde(untagged)]
    Other(String),
}

impl Event {
    /// Whether the run is about a pull request.
    #[must_use]
    pub fn is_pull_request(&self) -> bool {
        matches!(
            self,
            Self::PullRequest | Self::PullRequestClosed | Self::PullRequestMetadata
        ) || self.is_pull_request_target()
    }

    /// Whether the run is about a pull request, on the side of the branch that it is made for.
    #[must_use]
    pub fn is_pull_request_target(&self) -> bool {
        matches!(self, Self::Other(name) if name == "pull_request_target")
    }
}
