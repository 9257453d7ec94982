//! What a run is about, in GitHub's words: the name of its event and the context `github`.

use serde_json::{Value as Json, json};

use crate::build::{Build, Event};
use crate::expression::{Object, Value};

/// GitHub's name of what caused a run.
#[must_use]
pub fn event_name(build: &Build) -> &str {
    match &build.event {
        Event::Push | Event::Tag => "push",
        Event::PullRequest | Event::PullRequestClosed | Event::PullRequestMetadata => {
            "pull_request"
        }
        Event::Release => "release",
        Event::Promote | Event::Rollback => "deployment",
        Event::Cron => "schedule",
        Event::Manual => "workflow_dispatch",
        Event::Other(name) => name,
    }
}

/// What happened in detail, where that is known.
pub(super) fn activity(build: &Build) -> Option<&str> {
    match (&build.action, &build.event) {
        (Some(action), _) => Some(action),
        (None, Event::PullRequestClosed) => Some("closed"),
        (None, Event::PullRequestMetadata) => Some("edited"),
        _ => None,
    }
}

/// The workflow that runs, as `github` names it.
#[derive(Debug, Clone, Copy)]
pub struct Running<'a> {
    /// Its name, or its file without one.
    pub name: &'a str,
    /// Its file from the root of the source tree.
    pub file: &'a str,
}

/// Properties of `github` that are there only while a job runs.
pub(super) const WHILE_RUNNING: [&str; 15] = [
    "action",
    "action_path",
    "action_ref",
    "action_repository",
    "action_status",
    "env",
    "event_path",
    "job",
    "output",
    "path",
    "state",
    "step_summary",
    "token",
    "workspace",
    "artifacts_list",
];

/// The context `github` without what is there only while a job runs.
#[must_use]
pub fn github(build: &Build, running: Running<'_>) -> Object {
    let repository = &build.repository;
    let server = server_url(build);
    let reference = reference(build);
    let (kind, short) = short_reference(&reference);
    let (base, head) = if build.event.is_pull_request() {
        (&*build.commit.branch, &*build.source_branch)
    } else {
        ("", "")
    };
    let actor = if build.trigger.is_empty() {
        &build.commit.author.login
    } else {
        &build.trigger
    };
    let text = |text: &str| Value::text(text);
    let workflow_ref = format!("{}/{}@{reference}", repository.slug(), running.file);
    Object::new([
        ("actor", text(actor)),
        ("actor_id", text("")),
        ("api_url", text(&format!("{server}/api/v3"))),
        ("base_ref", text(base)),
        ("event", Value::from(&event(build))),
        ("event_name", text(event_name(build))),
        ("graphql_url", text(&format!("{server}/api/graphql"))),
        ("head_ref", text(head)),
        ("ref", text(&reference)),
        ("ref_name", text(&short)),
        ("ref_protected", Value::Boolean(false)),
        ("ref_type", text(kind)),
        ("repository", text(&repository.slug())),
        ("repository_id", text(&repository.id.to_string())),
        ("repository_owner", text(&repository.owner)),
        ("repository_owner_id", text("")),
        ("repositoryUrl", text(&repository.clone_url)),
        ("retention_days", text("90")),
        ("run_attempt", text(&build.attempt.max(1).to_string())),
        ("run_id", text(&build.number.to_string())),
        ("run_number", text(&build.number.to_string())),
        ("secret_source", text("Actions")),
        ("server_url", text(&server)),
        ("sha", text(&build.commit.sha)),
        ("triggering_actor", text(actor)),
        ("workflow", text(running.name)),
        ("workflow_ref", text(&workflow_ref)),
        ("workflow_sha", text(&build.commit.sha)),
    ])
}

/// The forge's address; that of this installation when there is no forge.
fn server_url(build: &Build) -> String {
    if build.repository.forge_url.is_empty() {
        build.instance.link()
    } else {
        build.repository.forge_url.trim_end_matches('/').to_owned()
    }
}

/// The reference; for a pull request that of its merge.
fn reference(build: &Build) -> String {
    match &build.pull_request {
        // What `pull_request_target` runs is that of the branch the pull request is made for.
        Some(_) if build.event.is_pull_request_target() => {
            format!("refs/heads/{}", build.commit.branch)
        }
        Some(request) if build.event.is_pull_request() && request.number > 0 => {
            format!("refs/pull/{}/merge", request.number)
        }
        _ if build.commit.reference.is_empty() && !build.commit.branch.is_empty() => {
            format!("refs/heads/{}", build.commit.branch)
        }
        _ => build.commit.reference.clone(),
    }
}

fn short_reference(reference: &str) -> (&'static str, String) {
    if let Some(tag) = reference.strip_prefix("refs/tags/") {
        return ("tag", tag.to_owned());
    }
    let short = ["refs/heads/", "refs/pull/"]
        .iter()
        .find_map(|start| reference.strip_prefix(start))
        .unwrap_or(reference);
    ("branch", short.to_owned())
}

/// What the forge sent; where it sent nothing, or less, what is known of the run in GitHub's words.
fn event(build: &Build) -> Json {
    let repository = &build.repository;
    let author = json!({
        "name": build.commit.author.name,
        "email": build.commit.author.email,
        "username": build.commit.author.login,
    });
    let mut event = json!({
        "repository": {
            "name": repository.name,
            "full_name": repository.slug(),
            "owner": {"login": repository.owner, "name": repository.owner},
            "default_branch": repository.default_branch,
            "private": repository.private,
            "clone_url": repository.clone_url,
            "html_url": repository.link,
            "fork": false,
        },
        "sender": {"login": build.trigger},
    });
    let more = match event_name(build) {
        "push" => json!({
            "ref": build.commit.reference,
            "before": build.commit.before,
            "after": build.commit.sha,
            "forced": false,
            "deleted": false,
            "pusher": author,
            "head_commit": {
                "id": build.commit.sha,
                "message": build.commit.message,
                "author": author,
            },
        }),
        "pull_request" | "pull_request_target" => pull_request(build),
        "schedule" => json!({"schedule": build.cron}),
        "workflow_dispatch" => json!({"inputs": build.parameters, "ref": build.commit.reference}),
        "release" => json!({
            "action": activity(build).unwrap_or("published"),
            "release": {
                "tag_name": build.commit.tag(),
                "name": build.release.as_ref().map(|release| &release.title),
                "prerelease": build.release.as_ref().is_some_and(|release| release.prerelease),
                "draft": false,
            },
        }),
        _ => json!({"action": activity(build)}),
    };
    merge(&mut event, more);
    merge(&mut event, build.payload.clone());
    event
}

fn pull_request(build: &Build) -> Json {
    let Some(request) = &build.pull_request else {
        return json!({});
    };
    let labels: Vec<_> = request
        .labels
        .iter()
        .map(|name| json!({"name": name}))
        .collect();
    let own = json!({
        "name": build.repository.name,
        "full_name": build.repository.slug(),
        "owner": {"login": build.repository.owner},
        "fork": false,
    });
    // Of a fork no more is known than that it is one.
    let head = if request.from_fork {
        json!({"fork": true})
    } else {
        own.clone()
    };
    let closed = build.event == Event::PullRequestClosed;
    json!({
        "action": activity(build).unwrap_or("synchronize"),
        "number": request.number,
        "pull_request": {
            "number": request.number,
            "state": if closed { "closed" } else { "open" },
            "title": request.title,
            "draft": request.draft,
            "labels": labels,
            "user": {"login": build.commit.author.login},
            "head": {
                "ref": build.source_branch,
                "sha": build.commit.sha,
                "repo": head,
            },
            "base": {"ref": build.commit.branch, "sha": build.commit.before, "repo": own},
        },
    })
}

/// Puts the properties of one object into another, whose own give way.
fn merge(into: &mut Json, from: Json) {
    if let (Json::Object(into), Json::Object(from)) = (into, from) {
        into.extend(from);
    }
}
