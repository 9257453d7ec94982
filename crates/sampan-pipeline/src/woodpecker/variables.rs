//! The variables of Woodpecker: `CI_*`, and `DRONE_*` for plugins of Drone.

use std::collections::BTreeMap;

use crate::build::{Build, Commit, Event, Previous};

/// How many changed files are told.
const LIMIT_FILES: usize = 500;

/// What Woodpecker calls an event.
pub(super) fn event_word(event: &Event) -> &str {
    match event {
        Event::Push => "push",
        Event::PullRequest => "pull_request",
        Event::PullRequestClosed => "pull_request_closed",
        Event::PullRequestMetadata => "pull_request_metadata",
        Event::Tag => "tag",
        Event::Release => "release",
        Event::Promote | Event::Rollback => "deployment",
        Event::Cron => "cron",
        Event::Manual => "manual",
        Event::Other(name) => name,
    }
}

/// The variables of a workflow; what is empty is not set.
pub(super) fn variables(build: &Build, workflow: &str, number: usize) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    of_system(build, &mut variables);
    of_repository(build, &mut variables);
    of_pipeline(build, &mut variables);
    of_commit("CI_COMMIT", &build.commit, &mut variables);
    of_change(build, &mut variables);
    of_previous(build, &mut variables);
    set(
        &mut variables,
        [
            ("CI_WORKFLOW_NAME", workflow.to_owned()),
            ("CI_WORKFLOW_NUMBER", number.to_string()),
        ],
    );
    variables
}

/// The variables of a step.
pub(super) fn of_step(
    build: &Build,
    name: &str,
    number: usize,
    variables: &mut BTreeMap<String, String>,
) {
    set(
        variables,
        [
            ("CI_STEP_NAME", name.to_owned()),
            ("CI_STEP_NUMBER", number.to_string()),
            (
                "CI_STEP_URL",
                format!("{}/{number}", link(build, build.number)),
            ),
            ("CI_PIPELINE_STATUS", "success".to_owned()),
        ],
    );
}

fn set<const N: usize>(
    variables: &mut BTreeMap<String, String>,
    values: [(&'static str, String); N],
) {
    let values = values.into_iter().filter(|(_, value)| !value.is_empty());
    variables.extend(values.map(|(name, value)| (name.to_owned(), value)));
}

fn link(build: &Build, number: u64) -> String {
    format!(
        "{}/repos/{}/pipeline/{number}",
        build.instance.link(),
        build.repository.id
    )
}

fn of_system(build: &Build, variables: &mut BTreeMap<String, String>) {
    let instance = &build.instance;
    set(
        variables,
        [
            ("CI", "woodpecker".to_owned()),
            ("CI_SYSTEM_NAME", "woodpecker".to_owned()),
            ("CI_SYSTEM_URL", instance.link()),
            ("CI_SYSTEM_HOST", instance.host.clone()),
            (
                "CI_SYSTEM_PLATFORM",
                format!("{}/{}", instance.os, instance.arch),
            ),
            ("CI_SYSTEM_VERSION", instance.version.clone()),
            ("CI_FORGE_TYPE", build.repository.forge.clone()),
            ("CI_FORGE_URL", build.repository.forge_url.clone()),
        ],
    );
}

fn of_repository(build: &Build, variables: &mut BTreeMap<String, String>) {
    let repository = &build.repository;
    let trusted = repository.trusted.to_string();
    set(
        variables,
        [
            ("CI_REPO", repository.slug()),
            ("CI_REPO_NAME", repository.name.clone()),
            ("CI_REPO_OWNER", repository.owner.clone()),
            ("CI_REPO_REMOTE_ID", repository.remote_id.clone()),
            ("CI_REPO_URL", repository.link.clone()),
            ("CI_REPO_CLONE_URL", repository.clone_url.clone()),
            ("CI_REPO_CLONE_SSH_URL", repository.clone_ssh_url.clone()),
            ("CI_REPO_DEFAULT_BRANCH", repository.default_branch.clone()),
            ("CI_REPO_PRIVATE", repository.private.to_string()),
            ("CI_REPO_TRUSTED_NETWORK", trusted.clone()),
            ("CI_REPO_TRUSTED_VOLUMES", trusted.clone()),
            ("CI_REPO_TRUSTED_SECURITY", trusted.clone()),
            ("CI_REPO_TRUSTED", trusted),
        ],
    );
}

fn of_pipeline(build: &Build, variables: &mut BTreeMap<String, String>) {
    let author = &build.commit.author;
    set(
        variables,
        [
            ("CI_PIPELINE_NUMBER", build.number.to_string()),
            ("CI_PIPELINE_PARENT", build.parent.to_string()),
            ("CI_PIPELINE_EVENT", event_word(&build.event).to_owned()),
            (
                "CI_PIPELINE_EVENT_REASON",
                build.action.clone().unwrap_or_default(),
            ),
            ("CI_PIPELINE_URL", link(build, build.number)),
            ("CI_PIPELINE_FORGE_URL", build.link.clone()),
            ("CI_PIPELINE_DEPLOY_TARGET", build.deploy_target.clone()),
            ("CI_PIPELINE_DEPLOY_TASK", build.deploy_task.clone()),
            ("CI_PIPELINE_CREATED", build.created.to_string()),
            ("CI_PIPELINE_STARTED", build.started.to_string()),
            ("CI_PIPELINE_AUTHOR", author.login.clone()),
            ("CI_PIPELINE_AVATAR", author.avatar.clone()),
            ("CI_COMMIT_AUTHOR_AVATAR", author.avatar.clone()),
        ],
    );
    if build.attempt > 0 {
        set(
            variables,
            [("CI_PIPELINE_RERUNS", build.attempt.to_string())],
        );
    }
    if let Some(release) = &build.release {
        set(
            variables,
            [
                ("CI_PIPELINE_RELEASE_TITLE", release.title.clone()),
                ("CI_PIPELINE_RELEASE_PRE", release.prerelease.to_string()),
                ("CI_COMMIT_PRERELEASE", release.prerelease.to_string()),
            ],
        );
    }
}

fn of_commit(start: &str, commit: &Commit, variables: &mut BTreeMap<String, String>) {
    let values = [
        ("SHA", &commit.sha),
        ("REF", &commit.reference),
        ("REFSPEC", &commit.refspec),
        ("MESSAGE", &commit.message),
        ("BRANCH", &commit.branch),
        ("TIMESTAMP", &commit.timestamp.to_string()),
        ("AUTHOR", &commit.author.name),
        ("AUTHOR_EMAIL", &commit.author.email),
    ];
    for (name, value) in values.into_iter().filter(|(_, value)| !value.is_empty()) {
        variables.insert(format!("{start}_{name}"), value.clone());
    }
}

fn of_change(build: &Build, variables: &mut BTreeMap<String, String>) {
    let tag = build.commit.tag().unwrap_or_default().to_owned();
    set(variables, [("CI_COMMIT_TAG", tag)]);
    if build.event.is_pull_request() {
        let request = build.pull_request.clone().unwrap_or_default();
        let refspec = build.commit.refspec.split_once(':');
        let (source, target) = refspec.unwrap_or((&build.source_branch, &build.commit.branch));
        set(
            variables,
            [
                ("CI_COMMIT_SOURCE_BRANCH", source.to_owned()),
                ("CI_COMMIT_TARGET_BRANCH", target.to_owned()),
                (
                    "CI_COMMIT_PULL_REQUEST",
                    crate::build::pull_request_number(build),
                ),
                ("CI_COMMIT_PULL_REQUEST_LABELS", request.labels.join(",")),
                ("CI_COMMIT_PULL_REQUEST_MILESTONE", request.milestone),
                ("CI_COMMIT_PULL_REQUEST_DRAFT", request.draft.to_string()),
            ],
        );
    }
    let files = build.changed_files.as_deref().unwrap_or_default();
    if files.len() <= LIMIT_FILES {
        let list = serde_json::Value::from(files.to_vec()).to_string();
        set(variables, [("CI_PIPELINE_FILES", list)]);
    }
}

fn of_previous(build: &Build, variables: &mut BTreeMap<String, String>) {
    let Some(previous) = build.previous.as_deref() else {
        return;
    };
    let Previous { commit, .. } = previous;
    set(
        variables,
        [
            ("CI_PREV_PIPELINE_NUMBER", previous.number.to_string()),
            ("CI_PREV_PIPELINE_PARENT", previous.parent.to_string()),
            (
                "CI_PREV_PIPELINE_EVENT",
                event_word(&previous.event).to_owned(),
            ),
            ("CI_PREV_PIPELINE_URL", link(build, previous.number)),
            ("CI_PREV_PIPELINE_FORGE_URL", previous.link.clone()),
            ("CI_PREV_COMMIT_URL", previous.link.clone()),
            (
                "CI_PREV_PIPELINE_DEPLOY_TARGET",
                previous.deploy_target.clone(),
            ),
            ("CI_PREV_PIPELINE_STATUS", previous.status.clone()),
            ("CI_PREV_PIPELINE_CREATED", previous.created.to_string()),
            ("CI_PREV_PIPELINE_STARTED", previous.started.to_string()),
            ("CI_PREV_PIPELINE_FINISHED", previous.finished.to_string()),
            ("CI_PREV_PIPELINE_AUTHOR", commit.author.login.clone()),
            ("CI_PREV_PIPELINE_AVATAR", commit.author.avatar.clone()),
            ("CI_PREV_COMMIT_AUTHOR_AVATAR", commit.author.avatar.clone()),
        ],
    );
    of_commit("CI_PREV_COMMIT", commit, variables);
}

/// Names of Drone's variables with those of Woodpecker that hold the same.
const OF_DRONE: [(&str, &str); 33] = [
    ("DRONE_BRANCH", "CI_COMMIT_BRANCH"),
    ("DRONE_BUILD_CREATED", "CI_PIPELINE_CREATED"),
    ("DRONE_BUILD_EVENT", "CI_PIPELINE_EVENT"),
    ("DRONE_BUILD_LINK", "CI_PIPELINE_URL"),
    ("DRONE_BUILD_NUMBER", "CI_PIPELINE_NUMBER"),
    ("DRONE_BUILD_PARENT", "CI_PIPELINE_PARENT"),
    ("DRONE_BUILD_STARTED", "CI_PIPELINE_STARTED"),
    ("DRONE_COMMIT", "CI_COMMIT_SHA"),
    ("DRONE_COMMIT_AUTHOR", "CI_COMMIT_AUTHOR"),
    ("DRONE_COMMIT_AUTHOR_AVATAR", "CI_PIPELINE_AVATAR"),
    ("DRONE_COMMIT_AUTHOR_EMAIL", "CI_COMMIT_AUTHOR_EMAIL"),
    ("DRONE_COMMIT_AUTHOR_NAME", "CI_COMMIT_AUTHOR"),
    ("DRONE_COMMIT_BEFORE", "CI_PREV_COMMIT_SHA"),
    ("DRONE_COMMIT_BRANCH", "CI_COMMIT_BRANCH"),
    ("DRONE_COMMIT_LINK", "CI_PIPELINE_FORGE_URL"),
    ("DRONE_COMMIT_MESSAGE", "CI_COMMIT_MESSAGE"),
    ("DRONE_COMMIT_REF", "CI_COMMIT_REF"),
    ("DRONE_COMMIT_SHA", "CI_COMMIT_SHA"),
    ("DRONE_GIT_HTTP_URL", "CI_REPO_CLONE_URL"),
    ("DRONE_PULL_REQUEST", "CI_COMMIT_PULL_REQUEST"),
    ("DRONE_REMOTE_URL", "CI_REPO_CLONE_URL"),
    ("DRONE_REPO", "CI_REPO"),
    ("DRONE_REPO_BRANCH", "CI_REPO_DEFAULT_BRANCH"),
    ("DRONE_REPO_LINK", "CI_REPO_URL"),
    ("DRONE_REPO_NAME", "CI_REPO_NAME"),
    ("DRONE_REPO_OWNER", "CI_REPO_OWNER"),
    ("DRONE_REPO_PRIVATE", "CI_REPO_PRIVATE"),
    ("DRONE_SOURCE_BRANCH", "CI_COMMIT_SOURCE_BRANCH"),
    ("DRONE_STEP_NUMBER", "CI_STEP_NUMBER"),
    ("DRONE_SYSTEM_HOST", "CI_SYSTEM_HOST"),
    ("DRONE_TAG", "CI_COMMIT_TAG"),
    ("DRONE_TARGET_BRANCH", "CI_COMMIT_TARGET_BRANCH"),
    ("PULLREQUEST_DRONE_PULL_REQUEST", "CI_COMMIT_PULL_REQUEST"),
];

/// Adds the variables that plugins of Drone read.
pub(super) fn for_plugins_of_drone(variables: &mut BTreeMap<String, String>) {
    for (drone, woodpecker) in OF_DRONE {
        if let Some(value) = variables.get(woodpecker).cloned() {
            variables.insert(drone.to_owned(), value);
        }
    }
    set(
        variables,
        [
            ("DRONE_BUILD_STATUS", "success".to_owned()),
            ("DRONE_REPO_SCM", "git".to_owned()),
        ],
    );
    // Some plugins of Drone fail on an empty number.
    variables
        .entry("PULLREQUEST_DRONE_PULL_REQUEST".to_owned())
        .or_insert_with(|| "0".to_owned());
}
