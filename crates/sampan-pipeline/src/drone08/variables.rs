//! The variables of Drone 0.8: `CI_*` and `DRONE_*`.

use std::collections::BTreeMap;

use crate::build::{Build, Commit, Event};

/// What Drone 0.8 calls an event; what it did not know counts as a push, so that conditions for pushes hold.
pub(super) fn event_word(event: &Event) -> &str {
    match event {
        Event::Push | Event::Manual | Event::Release => "push",
        Event::PullRequest | Event::PullRequestClosed | Event::PullRequestMetadata => {
            "pull_request"
        }
        Event::Tag => "tag",
        Event::Promote | Event::Rollback => "deployment",
        Event::Cron => "cron",
        Event::Other(name) => name,
    }
}

/// All variables of a stage; those of the matrix come on top.
pub(super) fn variables(build: &Build, stage_number: usize) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    of_repository(build, &mut variables);
    of_commit(build, &mut variables);
    of_build(build, stage_number, &mut variables);
    of_previous(build, &mut variables);
    variables
}

fn set<const N: usize>(
    variables: &mut BTreeMap<String, String>,
    values: [(&'static str, String); N],
) {
    variables.extend(values.map(|(name, value)| (name.to_owned(), value)));
}

fn of_repository(build: &Build, variables: &mut BTreeMap<String, String>) {
    let repository = &build.repository;
    let slug = repository.slug();
    set(
        variables,
        [
            ("CI_REPO", slug.clone()),
            ("CI_REPO_NAME", slug.clone()),
            ("CI_REPO_LINK", repository.link.clone()),
            ("CI_REPO_REMOTE", repository.clone_url.clone()),
            ("CI_REMOTE_URL", repository.clone_url.clone()),
            ("CI_REPO_PRIVATE", repository.private.to_string()),
            ("DRONE_REPO", slug),
            ("DRONE_REPO_SCM", "git".to_owned()),
            ("DRONE_REPO_OWNER", repository.owner.clone()),
            ("DRONE_REPO_NAME", repository.name.clone()),
            ("DRONE_REPO_LINK", repository.link.clone()),
            ("DRONE_REPO_BRANCH", repository.default_branch.clone()),
            ("DRONE_REPO_PRIVATE", repository.private.to_string()),
            ("DRONE_REPO_TRUSTED", "false".to_owned()),
            ("DRONE_REMOTE_URL", repository.clone_url.clone()),
        ],
    );
}

fn login(commit: &Commit) -> String {
    let author = &commit.author;
    if author.login.is_empty() {
        author.name.clone()
    } else {
        author.login.clone()
    }
}

fn of_commit(build: &Build, variables: &mut BTreeMap<String, String>) {
    let commit = &build.commit;
    set(
        variables,
        [
            ("CI_COMMIT_SHA", commit.sha.clone()),
            ("CI_COMMIT_REF", commit.reference.clone()),
            ("CI_COMMIT_REFSPEC", commit.refspec.clone()),
            ("CI_COMMIT_BRANCH", commit.branch.clone()),
            ("CI_COMMIT_MESSAGE", commit.message.clone()),
            ("CI_COMMIT_AUTHOR", login(commit)),
            ("CI_COMMIT_AUTHOR_NAME", login(commit)),
            ("CI_COMMIT_AUTHOR_EMAIL", commit.author.email.clone()),
            ("CI_COMMIT_AUTHOR_AVATAR", commit.author.avatar.clone()),
            ("DRONE_COMMIT", commit.sha.clone()),
            ("DRONE_COMMIT_SHA", commit.sha.clone()),
            ("DRONE_COMMIT_REF", commit.reference.clone()),
            ("DRONE_COMMIT_REFSPEC", commit.refspec.clone()),
            ("DRONE_COMMIT_BRANCH", commit.branch.clone()),
            ("DRONE_BRANCH", commit.branch.clone()),
            ("DRONE_COMMIT_LINK", build.link.clone()),
            ("DRONE_COMMIT_MESSAGE", commit.message.clone()),
            ("DRONE_COMMIT_AUTHOR", login(commit)),
            ("DRONE_COMMIT_AUTHOR_EMAIL", commit.author.email.clone()),
            ("DRONE_COMMIT_AUTHOR_AVATAR", commit.author.avatar.clone()),
        ],
    );
    if build.event == Event::Tag {
        let tag = commit.tag().unwrap_or(&commit.reference);
        set(variables, [("CI_TAG", tag.to_owned())]);
    }
    if let Some(tag) = commit.tag() {
        set(variables, [("DRONE_TAG", tag.to_owned())]);
    }
    if build.event.is_pull_request() {
        let number = crate::build::pull_request_number(build);
        set(
            variables,
            [
                ("CI_PULL_REQUEST", number.clone()),
                ("DRONE_PULL_REQUEST", number),
            ],
        );
    }
}

fn of_build(build: &Build, stage_number: usize, variables: &mut BTreeMap<String, String>) {
    let event = event_word(&build.event).to_owned();
    let instance = &build.instance;
    let link = format!(
        "{}/{}/{}",
        instance.link(),
        build.repository.slug(),
        build.number
    );
    let number = build.number.to_string();
    set(
        variables,
        [
            ("CI", "drone".to_owned()),
            ("CI_SYSTEM", "drone".to_owned()),
            ("CI_SYSTEM_NAME", "drone".to_owned()),
            ("CI_SYSTEM_LINK", instance.link()),
            ("CI_SYSTEM_HOST", instance.host.clone()),
            ("CI_SYSTEM_ARCH", "linux/amd64".to_owned()),
            ("CI_SYSTEM_VERSION", instance.version.clone()),
            ("CI_JOB_NUMBER", stage_number.to_string()),
            ("CI_BUILD_NUMBER", number.clone()),
            ("CI_PARENT_BUILD_NUMBER", build.parent.to_string()),
            ("CI_BUILD_CREATED", build.created.to_string()),
            ("CI_BUILD_STARTED", build.started.to_string()),
            ("CI_BUILD_FINISHED", "0".to_owned()),
            ("CI_BUILD_STATUS", "success".to_owned()),
            ("CI_BUILD_EVENT", event.clone()),
            ("CI_BUILD_LINK", build.link.clone()),
            ("CI_BUILD_TARGET", build.deploy_target.clone()),
            ("DRONE", "true".to_owned()),
            ("DRONE_ARCH", "linux/amd64".to_owned()),
            ("DRONE_VERSION", instance.version.clone()),
            ("DRONE_JOB_NUMBER", stage_number.to_string()),
            ("DRONE_JOB_STARTED", build.started.to_string()),
            ("DRONE_BUILD_NUMBER", number),
            ("DRONE_PARENT_BUILD_NUMBER", build.parent.to_string()),
            ("DRONE_BUILD_EVENT", event),
            ("DRONE_BUILD_LINK", link),
            ("DRONE_BUILD_CREATED", build.created.to_string()),
            ("DRONE_BUILD_STARTED", build.started.to_string()),
            ("DRONE_BUILD_FINISHED", "0".to_owned()),
            ("DRONE_DEPLOY_TO", build.deploy_target.clone()),
        ],
    );
}

fn of_previous(build: &Build, variables: &mut BTreeMap<String, String>) {
    let previous = build.previous.as_deref().cloned().unwrap_or_default();
    let commit = &previous.commit;
    let number = previous.number.to_string();
    let event = if previous.number == 0 {
        String::new()
    } else {
        event_word(&previous.event).to_owned()
    };
    set(
        variables,
        [
            ("CI_PREV_BUILD_NUMBER", number.clone()),
            ("CI_PREV_BUILD_CREATED", previous.created.to_string()),
            ("CI_PREV_BUILD_STARTED", previous.started.to_string()),
            ("CI_PREV_BUILD_FINISHED", previous.finished.to_string()),
            ("CI_PREV_BUILD_STATUS", previous.status.clone()),
            ("CI_PREV_BUILD_EVENT", event),
            ("CI_PREV_BUILD_LINK", previous.link.clone()),
            ("CI_PREV_COMMIT_SHA", commit.sha.clone()),
            ("CI_PREV_COMMIT_REF", commit.reference.clone()),
            ("CI_PREV_COMMIT_REFSPEC", commit.refspec.clone()),
            ("CI_PREV_COMMIT_BRANCH", commit.branch.clone()),
            ("CI_PREV_COMMIT_MESSAGE", commit.message.clone()),
            ("CI_PREV_COMMIT_AUTHOR", login(commit)),
            ("CI_PREV_COMMIT_AUTHOR_NAME", login(commit)),
            ("CI_PREV_COMMIT_AUTHOR_EMAIL", commit.author.email.clone()),
            ("CI_PREV_COMMIT_AUTHOR_AVATAR", commit.author.avatar.clone()),
            ("DRONE_PREV_BUILD_STATUS", previous.status),
            ("DRONE_PREV_BUILD_NUMBER", number),
            ("DRONE_PREV_COMMIT_SHA", commit.sha.clone()),
        ],
    );
}
