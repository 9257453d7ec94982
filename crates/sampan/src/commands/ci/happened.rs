//! What a pipeline runs for: what the working tree tells, and what the user says of it.

use std::path::PathBuf;

use sampan_pipeline::build::{
    Author, Build, Commit, Event, Instance, PullRequest, Release, Repository,
};
use sampan_supervise::clock;
use serde_json::Value;

use super::git;
use super::remote;
use super::tree::Tree;
use crate::config;
use crate::context::Context;
use crate::failure::{Exit, Failure, OrFail as _};

/// Options about what happened; what is not given is asked of git.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "What happened")]
pub(super) struct Happened {
    /// The event: `push`, `pull_request`, `tag`, `release`, `promote`, `rollback`, `cron`, `manual`, or any other by the
    /// forge's name [default: push, or what other options tell]
    #[arg(long, value_name = "EVENT")]
    event: Option<String>,
    /// What happened in detail, such as `opened`
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// The branch; of a pull request the one that it is made for [default: the one that is checked out]
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,
    /// The tag; the event is then `tag`
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// The number of the pull request; the event is then `pull_request`
    #[arg(long, value_name = "NUMBER")]
    pull_request: Option<u64>,
    /// The environment to which is promoted; the event is then `promote`
    #[arg(long, value_name = "ENVIRONMENT", visible_alias = "deploy-to")]
    target: Option<String>,
    /// The name of the schedule, or its times in a workflow of GitHub; the event is then `cron`
    #[arg(long, value_name = "NAME")]
    cron: Option<String>,
    /// The value of an input of a workflow, or a parameter; the event is then `manual`
    #[arg(long, value_name = "NAME=VALUE", visible_alias = "param", value_parser = super::pair)]
    input: Vec<(String, String)>,
    /// A file with the JSON that a forge would send
    #[arg(long, value_name = "FILE", visible_alias = "eventpath")]
    payload: Option<PathBuf>,
    /// The repository [default: by the address of the remote, or the name of the folder]
    #[arg(long, value_name = "OWNER/NAME")]
    repo: Option<String>,
    /// The branch that clones get [default: as far as git knows it]
    #[arg(long, value_name = "BRANCH", visible_alias = "defaultbranch")]
    default_branch: Option<String>,
    /// The revision since which files count as changed [default: the commit before; of a pull request where its branch
    /// parted]
    #[arg(long, value_name = "REVISION")]
    since: Option<String>,
}

impl Happened {
    /// Everything that conditions and variables are made from.
    pub(super) fn build(&self, tree: &Tree, context: &Context) -> Result<Build, Failure> {
        let now = clock::now().as_second();
        let mut build = Build {
            number: 1,
            attempt: 1,
            event: self.event(),
            action: self.action.clone(),
            trigger: config::user_name(),
            created: now,
            started: now,
            deploy_target: self.target.clone().unwrap_or_default(),
            cron: self.cron.clone(),
            parameters: self.input.iter().cloned().collect(),
            local: true,
            instance: instance(),
            ..Build::default()
        };
        if let Some(path) = &self.payload {
            build.payload = payload(path)?;
        }
        self.repository_and_commit(tree, context, &mut build)?;
        self.details(&mut build);
        Ok(build)
    }

    /// The event that other options tell.
    fn implied(&self) -> Option<Event> {
        if self.tag.is_some() {
            Some(Event::Tag)
        } else if self.pull_request.is_some() {
            Some(Event::PullRequest)
        } else if self.target.is_some() {
            Some(Event::Promote)
        } else if self.cron.is_some() {
            Some(Event::Cron)
        } else if !self.input.is_empty() {
            Some(Event::Manual)
        } else {
            None
        }
    }

    fn event(&self) -> Event {
        match self.event.as_deref() {
            Some(name) => event(name),
            None => self.implied().unwrap_or_default(),
        }
    }

    fn repository_and_commit(
        &self,
        tree: &Tree,
        context: &Context,
        build: &mut Build,
    ) -> Result<(), Failure> {
        let mut branch = self.branch.clone();
        match tree.git() {
            None => build.repository.name = tree.name(),
            Some(git) => {
                let remote = git.remote()?;
                build.repository = match &remote {
                    Some((_, url)) => remote::repository(url),
                    None => Repository {
                        name: tree.name(),
                        ..Repository::default()
                    },
                };
                let current = git.branch()?;
                if current.is_none() && branch.is_none() {
                    context.ui().note(
                        "no branch is checked out; conditions on branches see none unless `--branch` names one",
                    );
                }
                let remote = remote.as_ref().map(|(name, _)| name.as_str());
                build.repository.default_branch = self
                    .default_branch
                    .clone()
                    .or(git.default_branch(remote)?)
                    .or_else(|| current.clone())
                    .unwrap_or_default();
                build.source_branch = current.clone().unwrap_or_default();
                if build.event.is_pull_request() {
                    branch.get_or_insert_with(|| build.repository.default_branch.clone());
                }
                build.commit = commit(git.commit()?.unwrap_or_default());
                build.commit.branch = branch.take().or(current).unwrap_or_default();
                build.changed_files = self.changed(git, build)?;
            }
        }
        if let Some(branch) = branch {
            build.commit.branch = branch;
        }
        if !build.event.is_pull_request() {
            build.source_branch.clone_from(&build.commit.branch);
        }
        if let Some(repo) = &self.repo {
            let (owner, name) = repo.rsplit_once('/').unwrap_or(("", repo));
            owner.clone_into(&mut build.repository.owner);
            name.clone_into(&mut build.repository.name);
        }
        Ok(())
    }

    /// The files that differ, where the event is about a change.
    fn changed(&self, git: &git::Git, build: &Build) -> Result<Option<Vec<String>>, Failure> {
        let base = if let Some(revision) = &self.since {
            let found = git.revision(revision)?;
            Some(found.ok_or_else(|| {
                Failure::new(format!("there is no revision `{revision}`"))
                    .with_hint("give a commit, a branch or a tag, as git knows it")
                    .with_exit(Exit::NotFound)
            })?)
        } else if build.event.is_pull_request() {
            let branch = &build.commit.branch;
            let tips = [
                format!("refs/heads/{branch}"),
                format!("refs/remotes/origin/{branch}"),
            ];
            let mut base = None;
            for tip in tips {
                if base.is_none() && git.revision(&tip)?.is_some() {
                    base = git.merge_base(&tip, "HEAD")?;
                }
            }
            if base.is_none() {
                return Ok(None);
            }
            base
        } else if build.event == Event::Push {
            Some(build.commit.before.clone()).filter(|parent| !parent.is_empty())
        } else {
            return Ok(None);
        };
        Ok(Some(git.changed_since(base.as_deref())?))
    }

    /// Reference, pull request and release, from options and the payload.
    fn details(&self, build: &mut Build) {
        let said = build.payload.clone();
        let text = |path: &str| {
            said.pointer(path)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        if build.action.is_none() {
            build.action = text("/action");
        }
        if build.event.is_pull_request() {
            let number = said.pointer("/number").and_then(Value::as_u64);
            let number = self.pull_request.or(number).unwrap_or(1);
            let title = build.commit.message.lines().next().unwrap_or_default();
            let request = PullRequest {
                number,
                title: text("/pull_request/title").unwrap_or_else(|| title.to_owned()),
                labels: labels(&said),
                draft: said.pointer("/pull_request/draft") == Some(&Value::Bool(true)),
                from_fork: is_from_fork(&said),
                ..PullRequest::default()
            };
            build.pull_request = Some(request);
            build.commit.reference = format!("refs/pull/{number}/head");
            build.commit.refspec = format!("{}:{}", build.source_branch, build.commit.branch);
            return;
        }
        let tag = self.tag.clone().or_else(|| text("/release/tag_name"));
        build.commit.reference = match tag {
            Some(tag) => format!("refs/tags/{tag}"),
            None if build.commit.branch.is_empty() => String::new(),
            None => format!("refs/heads/{}", build.commit.branch),
        };
        if build.event == Event::Release {
            build.release = Some(Release {
                title: text("/release/name").unwrap_or_default(),
                prerelease: said.pointer("/release/prerelease") == Some(&Value::Bool(true)),
            });
        }
    }
}

/// Whether a pull request comes from another repository, as forges say it; also where nobody says that it does not.
fn is_from_fork(said: &Value) -> bool {
    let same = |one: &str, other: &str| {
        let one = said.pointer(one).filter(|value| !value.is_null());
        one.map(|one| said.pointer(other) == Some(one))
    };
    let ways = [
        ("/pull_request/head/repo/id", "/pull_request/base/repo/id"),
        (
            "/pull_request/head/repo/full_name",
            "/pull_request/base/repo/full_name",
        ),
        (
            "/object_attributes/source_project_id",
            "/object_attributes/target_project_id",
        ),
    ];
    let mut told = ways.iter().filter_map(|(one, other)| same(one, other));
    told.next() != Some(true)
}

fn labels(said: &Value) -> Vec<String> {
    let labels = said
        .pointer("/pull_request/labels")
        .and_then(Value::as_array);
    let names = labels.into_iter().flatten().map(|label| &label["name"]);
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The event of a name as one of the dialects has it.
fn event(name: &str) -> Event {
    match name {
        "push" => Event::Push,
        "pull_request" | "pull-request" => Event::PullRequest,
        "pull_request_closed" => Event::PullRequestClosed,
        "pull_request_metadata" => Event::PullRequestMetadata,
        "tag" => Event::Tag,
        "release" => Event::Release,
        "promote" | "deployment" | "deploy" => Event::Promote,
        "rollback" => Event::Rollback,
        "cron" | "schedule" => Event::Cron,
        "manual" | "custom" | "workflow_dispatch" => Event::Manual,
        other => Event::Other(other.to_owned()),
    }
}

fn commit(found: git::Commit) -> Commit {
    // Forges know accounts; a tree knows addresses.
    let login = found.email.split('@').next().unwrap_or_default().to_owned();
    Commit {
        sha: found.sha,
        before: found.parent,
        message: found.message,
        timestamp: found.time,
        author: Author {
            login,
            name: found.name,
            email: found.email,
            avatar: String::new(),
        },
        ..Commit::default()
    }
}

fn payload(path: &std::path::Path) -> Result<Value, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).or_fail(format!("cannot read `{shown}`"))?;
    serde_json::from_str(&text).or_fail(format!("`{shown}` is not JSON"))
}

/// The machine, in Go's words.
fn instance() -> Instance {
    let host = nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned());
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    Instance {
        host: host.unwrap_or_else(|_| "localhost".to_owned()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        arch: arch.to_owned(),
        ..Instance::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::is_from_fork;

    #[test]
    fn pull_requests_come_from_forks_unless_somebody_says_otherwise() {
        let of = |head: Value| json!({"pull_request": {"head": {"repo": head}, "base": {"repo": {"id": 7, "full_name": "a/b"}}}});
        assert!(!is_from_fork(&of(json!({"id": 7, "fork": true}))));
        assert!(!is_from_fork(&of(json!({"full_name": "a/b"}))));
        assert!(is_from_fork(&of(json!({"id": 8, "full_name": "a/b"}))));
        assert!(is_from_fork(&of(json!({"full_name": "c/b", "fork": true}))));
        // The fork is gone, or the forge says nothing.
        assert!(is_from_fork(&of(Value::Null)));
        assert!(is_from_fork(&Value::Null));
        let gitlab = |source: u32| json!({"object_attributes": {"source_project_id": source, "target_project_id": 7}});
        assert!(!is_from_fork(&gitlab(7)));
        assert!(is_from_fork(&gitlab(8)));
    }
}
