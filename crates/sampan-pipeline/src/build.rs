//! What a run is about: the event, the commit, the repository and the instance.
//!
//! Dialects decide conditions by it and make their variables (`DRONE_*`, `CI_*`, `GITHUB_*`) from it. It is data only:
//! who starts a run fills it in, from a working tree or from a webhook.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

mod event;

pub use event::Event;

/// Everything that conditions and variables are made from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Build {
    /// The number of the run in its repository, from 1.
    pub number: u64,
    /// The number of the run that this one repeats or promotes; 0 without one.
    pub parent: u64,
    /// How often the run has been started again.
    pub attempt: u32,
    /// What happened.
    pub event: Event,
    /// What happened in detail: `opened`, `synchronize` …
    pub action: Option<String>,
    /// Who or what caused the run.
    pub trigger: String,
    /// When the run was asked for, in seconds since 1970.
    pub created: i64,
    /// When the run began, in seconds since 1970.
    pub started: i64,
    /// The page that shows the change.
    pub link: String,
    /// The repository.
    pub repository: Repository,
    /// The commit.
    pub commit: Commit,
    /// The branch that the change comes from: for a pull request its own, otherwise that of the commit.
    pub source_branch: String,
    /// The target of a deployment, promotion or rollback.
    pub deploy_target: String,
    /// The number of the deployment; 0 without one.
    pub deploy_id: u64,
    /// What a deployment shall do.
    pub deploy_task: String,
    /// The name of the schedule that caused the run.
    pub cron: Option<String>,
    /// The pull request that the run is about.
    pub pull_request: Option<PullRequest>,
    /// The release that the run is about.
    pub release: Option<Release>,
    /// The files that differ from the last run; `None` when that is not known.
    pub changed_files: Option<Vec<String>>,
    /// Parameters that the user gave.
    pub parameters: BTreeMap<String, String>,
    /// What the forge sent, for dialects that can refer to all of it.
    pub payload: Value,
    /// Whether the user asked for more output.
    pub debug: bool,
    /// Whether a working tree is run where its user sits.
    pub local: bool,
    /// The run before in the same branch.
    pub previous: Option<Box<Previous>>,
    /// The installation that runs it.
    pub instance: Instance,
}

/// The number of the pull request: as it is given, or the first number in the reference.
pub(crate) fn pull_request_number(build: &Build) -> String {
    match &build.pull_request {
        Some(request) if request.number > 0 => request.number.to_string(),
        _ => build
            .commit
            .reference
            .split(|c: char| !c.is_ascii_digit())
            .find(|part| !part.is_empty())
            .unwrap_or_default()
            .to_owned(),
    }
}

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Repository {
    /// The user or group that it belongs to.
    pub owner: String,
    /// Its name without the owner.
    pub name: String,
    /// Its number here.
    pub id: u64,
    /// Its number in the forge.
    pub remote_id: String,
    /// Its page.
    pub link: String,
    /// From where it is cloned by HTTP.
    pub clone_url: String,
    /// From where it is cloned by SSH.
    pub clone_ssh_url: String,
    /// The branch that clones get.
    pub default_branch: String,
    /// Whether only members see it.
    pub private: bool,
    /// `public`, `private` or `internal`.
    pub visibility: String,
    /// Whether its pipelines may use the machine: privileged steps, folders and networks of the host.
    pub trusted: bool,
    /// The kind of forge: `gitea`, `gitlab`, `github` …
    pub forge: String,
    /// The address of the forge.
    pub forge_url: String,
}

impl Repository {
    /// `OWNER/NAME`, or the name when there is no owner.
    #[must_use]
    pub fn slug(&self) -> String {
        if self.owner.is_empty() {
            self.name.clone()
        } else {
            format!("{}/{}", self.owner, self.name)
        }
    }
}

/// A commit, with the place where it was made known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Commit {
    /// Its hash.
    pub sha: String,
    /// The hash that the branch pointed to before.
    pub before: String,
    /// The reference: `refs/heads/main`, `refs/tags/v1`, `refs/pull/1/head`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// `SOURCE:TARGET` of a pull request, as some forges give it.
    pub refspec: String,
    /// The branch; for a pull request the one that it is made for.
    pub branch: String,
    /// The message.
    pub message: String,
    /// When it was made, in seconds since 1970.
    pub timestamp: i64,
    /// Its author.
    pub author: Author,
}

impl Commit {
    /// The name of the tag, when the reference is one.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.reference.strip_prefix("refs/tags/")
    }
}

/// The author of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Author {
    /// The account in the forge.
    pub login: String,
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// The address of a picture.
    pub avatar: String,
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// Its milestone.
    pub milestone: String,
    /// Whether it is a draft.
    pub draft: bool,
    /// Whether it comes from another repository.
    pub from_fork: bool,
}

/// A release in a forge.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Release {
    /// Its title.
    pub title: String,
    /// Whether it is a preview.
    pub prerelease: bool,
}

/// A run before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Previous {
    /// Its number.
    pub number: u64,
    /// The number of its parent; 0 without one.
    pub parent: u64,
    /// What happened.
    pub event: Event,
    /// How it ended: `success`, `failure` …
    pub status: String,
    /// When it was asked for, in seconds since 1970.
    pub created: i64,
    /// When it began, in seconds since 1970.
    pub started: i64,
    /// When it ended, in seconds since 1970.
    pub finished: i64,
    /// The page that shows the change.
    pub link: String,
    /// The target of a deployment.
    pub deploy_target: String,
    /// The commit.
    pub commit: Commit,
}

/// The installation that runs pipelines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Instance {
    /// The name of the program, `sampan`.
    pub name: String,
    /// The host name, with a port where there is one.
    pub host: String,
    /// `http` or `https`.
    pub scheme: String,
    /// The program's version.
    pub version: String,
    /// The machine's operating system as Go names it.
    pub os: String,
    /// The machine's architecture as Go names it.
    pub arch: String,
}

impl Default for Instance {
    fn default() -> Self {
        Self {
            name: "sampan".to_owned(),
            host: "localhost".to_owned(),
            scheme: "http".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            os: "linux".to_owned(),
            arch: "amd64".to_owned(),
        }
    }
}

impl Instance {
    /// The address of the installation.
    #[must_use]
    pub fn link(&self) -> String {
        format!("{}://{}", self.scheme, self.host)
    }
}
