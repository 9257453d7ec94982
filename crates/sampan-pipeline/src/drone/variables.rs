//! The variables of Drone 1.x: `DRONE_*`, and `CI_*` for pipelines that were written for 0.8.

use std::collections::BTreeMap;

use super::conditions::event_word;
use super::{Trigger, version};
use crate::build::{Build, Event};

/// The variables of one stage, by where they stand in the order of precedence.
pub(super) struct Variables {
    /// What the user gave to the run.
    parameters: BTreeMap<String, String>,
    /// The system and the repository; the pipeline's own may replace them at a step.
    general: BTreeMap<String, String>,
    /// The build and the stage; nothing replaces them but secrets.
    firm: BTreeMap<String, String>,
}

impl Variables {
    pub(super) fn new(build: &Build, trigger: &Trigger, number: usize) -> Self {
        let mut general = BTreeMap::new();
        of_system(build, &mut general);
        of_repository(build, &mut general);
        let mut firm = BTreeMap::new();
        of_build(build, &mut firm);
        of_commit(build, &mut firm);
        of_stage(build, trigger, number, &mut firm);
        Self {
            parameters: build.parameters.clone(),
            general,
            firm,
        }
    }

    /// The value in the raw text, where the user's parameters come first.
    pub(super) fn for_substitution(&self, name: &str) -> Option<String> {
        [&self.parameters, &self.firm, &self.general]
            .iter()
            .find_map(|variables| variables.get(name))
            .cloned()
    }

    /// What all steps have before their own variables.
    pub(super) fn before_step(
        &self,
        pipeline: &BTreeMap<String, String>,
        added: BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let mut variables = self.parameters.clone();
        variables.extend(pipeline.clone());
        variables.extend(self.general.clone());
        variables.extend(self.firm.clone());
        variables.extend(added);
        variables
    }

    /// What a step has whatever it says itself.
    pub(super) fn of_step(&self, name: &str, number: usize) -> BTreeMap<String, String> {
        let mut variables = self.firm.clone();
        variables.remove("DRONE_BUILD_LINK");
        variables.insert("DRONE_STEP_NAME".to_owned(), name.to_owned());
        variables.insert("DRONE_STEP_NUMBER".to_owned(), number.to_string());
        variables
    }
}

fn set<const N: usize>(
    variables: &mut BTreeMap<String, String>,
    values: [(&'static str, String); N],
) {
    variables.extend(values.map(|(name, value)| (name.to_owned(), value)));
}

fn of_system(build: &Build, variables: &mut BTreeMap<String, String>) {
    let instance = &build.instance;
    set(
        variables,
        [
            ("CI", "true".to_owned()),
            ("DRONE", "true".to_owned()),
            ("DRONE_SYSTEM_PROTO", instance.scheme.clone()),
            ("DRONE_SYSTEM_HOST", instance.host.clone()),
            ("DRONE_SYSTEM_HOSTNAME", instance.host.clone()),
            ("DRONE_SYSTEM_VERSION", instance.version.clone()),
        ],
    );
}

fn of_repository(build: &Build, variables: &mut BTreeMap<String, String>) {
    let repository = &build.repository;
    let slug = repository.slug();
    let private = repository.private.to_string();
    set(
        variables,
        [
            ("DRONE_REPO", slug.clone()),
            ("DRONE_REPO_SCM", "git".to_owned()),
            ("DRONE_REPO_OWNER", repository.owner.clone()),
            ("DRONE_REPO_NAMESPACE", repository.owner.clone()),
            ("DRONE_REPO_NAME", repository.name.clone()),
            ("DRONE_REPO_LINK", repository.link.clone()),
            ("DRONE_REPO_BRANCH", repository.default_branch.clone()),
            ("DRONE_REMOTE_URL", repository.clone_url.clone()),
            ("DRONE_GIT_HTTP_URL", repository.clone_url.clone()),
            ("DRONE_GIT_SSH_URL", repository.clone_ssh_url.clone()),
            ("DRONE_REPO_VISIBILITY", repository.visibility.clone()),
            ("DRONE_REPO_PRIVATE", private.clone()),
            ("CI_REPO", slug.clone()),
            ("CI_REPO_NAME", slug),
            ("CI_REPO_LINK", repository.link.clone()),
            ("CI_REPO_REMOTE", repository.clone_url.clone()),
            ("CI_REMOTE_URL", repository.clone_url.clone()),
            ("CI_REPO_PRIVATE", private),
        ],
    );
}

fn of_build(build: &Build, variables: &mut BTreeMap<String, String>) {
    let event = event_word(&build.event).to_owned();
    let number = build.number.to_string();
    let link = format!(
        "{}/{}/{}",
        build.instance.link(),
        build.repository.slug(),
        build.number
    );
    set(
        variables,
        [
            ("DRONE_BUILD_NUMBER", number.clone()),
            ("DRONE_BUILD_PARENT", build.parent.to_string()),
            ("DRONE_BUILD_EVENT", event.clone()),
            (
                "DRONE_BUILD_ACTION",
                build.action.clone().unwrap_or_default(),
            ),
            ("DRONE_BUILD_STATUS", "success".to_owned()),
            ("DRONE_BUILD_DEBUG", build.debug.to_string()),
            ("DRONE_BUILD_CREATED", build.created.to_string()),
            ("DRONE_BUILD_STARTED", build.started.to_string()),
            ("DRONE_BUILD_FINISHED", build.started.to_string()),
            ("DRONE_BUILD_TRIGGER", build.trigger.clone()),
            ("DRONE_BUILD_LINK", link),
            ("DRONE_DEPLOY_TO", build.deploy_target.clone()),
            ("DRONE_DEPLOY_ID", build.deploy_id.to_string()),
            ("CI_BUILD_NUMBER", number),
            ("CI_PARENT_BUILD_NUMBER", build.parent.to_string()),
            ("CI_BUILD_CREATED", build.created.to_string()),
            ("CI_BUILD_STARTED", build.started.to_string()),
            ("CI_BUILD_FINISHED", "0".to_owned()),
            ("CI_BUILD_STATUS", "running".to_owned()),
            ("CI_BUILD_EVENT", event),
            ("CI_BUILD_LINK", build.link.clone()),
            ("CI_BUILD_TARGET", build.deploy_target.clone()),
        ],
    );
    if build.event.is_pull_request() {
        let title = build.pull_request.as_ref().map(|request| &request.title);
        set(
            variables,
            [
                (
                    "DRONE_PULL_REQUEST",
                    crate::build::pull_request_number(build),
                ),
                (
                    "DRONE_PULL_REQUEST_TITLE",
                    title.cloned().unwrap_or_default(),
                ),
            ],
        );
    }
}

fn of_commit(build: &Build, variables: &mut BTreeMap<String, String>) {
    let commit = &build.commit;
    let author = &commit.author;
    let source = if build.source_branch.is_empty() {
        &commit.branch
    } else {
        &build.source_branch
    };
    set(
        variables,
        [
            ("DRONE_BRANCH", commit.branch.clone()),
            ("DRONE_SOURCE_BRANCH", source.clone()),
            ("DRONE_TARGET_BRANCH", commit.branch.clone()),
            ("DRONE_COMMIT", commit.sha.clone()),
            ("DRONE_COMMIT_SHA", commit.sha.clone()),
            ("DRONE_COMMIT_BEFORE", commit.before.clone()),
            ("DRONE_COMMIT_AFTER", commit.sha.clone()),
            ("DRONE_COMMIT_REF", commit.reference.clone()),
            ("DRONE_COMMIT_BRANCH", commit.branch.clone()),
            ("DRONE_COMMIT_LINK", build.link.clone()),
            ("DRONE_COMMIT_MESSAGE", commit.message.clone()),
            ("DRONE_COMMIT_AUTHOR", author.login.clone()),
            ("DRONE_COMMIT_AUTHOR_EMAIL", author.email.clone()),
            ("DRONE_COMMIT_AUTHOR_AVATAR", author.avatar.clone()),
            ("DRONE_COMMIT_AUTHOR_NAME", author.name.clone()),
            ("CI_COMMIT_SHA", commit.sha.clone()),
            ("CI_COMMIT_REF", commit.reference.clone()),
            ("CI_COMMIT_BRANCH", commit.branch.clone()),
            ("CI_COMMIT_MESSAGE", commit.message.clone()),
            ("CI_COMMIT_AUTHOR", author.login.clone()),
            ("CI_COMMIT_AUTHOR_NAME", author.name.clone()),
            ("CI_COMMIT_AUTHOR_EMAIL", author.email.clone()),
            ("CI_COMMIT_AUTHOR_AVATAR", author.avatar.clone()),
        ],
    );
    if let Some(tag) = commit.tag().filter(|_| build.event != Event::PullRequest) {
        set(variables, [("DRONE_TAG", tag.to_owned())]);
        variables.extend(version::variables(tag));
    }
}

fn of_stage(
    build: &Build,
    trigger: &Trigger,
    number: usize,
    variables: &mut BTreeMap<String, String>,
) {
    let platform = &trigger.platform;
    let os = platform.os.clone().unwrap_or_else(|| "linux".to_owned());
    let arch = platform.arch.clone().unwrap_or_else(|| "amd64".to_owned());
    set(
        variables,
        [
            ("DRONE_STAGE_KIND", "pipeline".to_owned()),
            ("DRONE_STAGE_TYPE", trigger.kind_type.clone()),
            ("DRONE_STAGE_NAME", trigger.name.clone()),
            ("DRONE_STAGE_NUMBER", number.to_string()),
            ("DRONE_STAGE_MACHINE", build.instance.host.clone()),
            ("DRONE_STAGE_OS", os),
            ("DRONE_STAGE_ARCH", arch),
            (
                "DRONE_STAGE_VARIANT",
                platform.variant.clone().unwrap_or_default(),
            ),
            ("DRONE_STAGE_VERSION", "0".to_owned()),
            ("DRONE_STAGE_STATUS", "success".to_owned()),
            ("DRONE_STAGE_STARTED", build.started.to_string()),
            ("DRONE_STAGE_FINISHED", build.started.to_string()),
            ("DRONE_STAGE_DEPENDS_ON", trigger.needs.join(",")),
            ("DRONE_CARD_PATH", "/dev/stdout".to_owned()),
        ],
    );
}
