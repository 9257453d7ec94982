//! What Drone's plugins hand to their templates.

use super::parameters::Parameters;
use super::template::Value;

/// A variable as a text; what is not set has a default.
pub(super) fn text(parameters: &Parameters, variable: &str, otherwise: &str) -> Value {
    Value::text(parameters.text(&[variable]).unwrap_or(otherwise))
}

/// A variable as a number.
pub(super) fn number(parameters: &Parameters, variable: &str) -> Value {
    let text = parameters.text(&[variable]).unwrap_or_default();
    Value::Number(text.trim().parse().unwrap_or(0))
}

/// A variable as `true` or `false`.
pub(super) fn switch(parameters: &Parameters, variable: &str) -> Value {
    Value::Bool(matches!(parameters.text(&[variable]), Some("true" | "1")))
}

/// The hash of the commit; zeros without one.
pub(super) fn commit(parameters: &Parameters) -> String {
    let sha = parameters.text(&["DRONE_COMMIT_SHA"]);
    sha.map_or_else(|| "0".repeat(40), str::to_owned)
}

/// `repo.owner` and `repo.name`.
pub(super) fn repository(parameters: &Parameters) -> Value {
    Value::record([
        ("Owner", text(parameters, "DRONE_REPO_OWNER", "")),
        ("Name", text(parameters, "DRONE_REPO_NAME", "")),
    ])
}

/// `build.…`, with the author and the message in the form that the plugin has for them.
pub(super) fn build(parameters: &Parameters, author: Value, message: Value) -> Value {
    Value::record([
        ("Tag", text(parameters, "DRONE_TAG", "")),
        ("Event", text(parameters, "DRONE_BUILD_EVENT", "push")),
        ("Number", number(parameters, "DRONE_BUILD_NUMBER")),
        ("Parent", number(parameters, "DRONE_BUILD_PARENT")),
        ("Commit", Value::Text(commit(parameters))),
        (
            "Ref",
            text(parameters, "DRONE_COMMIT_REF", "refs/heads/master"),
        ),
        ("Branch", text(parameters, "DRONE_COMMIT_BRANCH", "master")),
        ("Author", author),
        ("Pull", text(parameters, "DRONE_PULL_REQUEST", "")),
        ("Message", message),
        ("DeployTo", text(parameters, "DRONE_DEPLOY_TO", "")),
        ("Status", text(parameters, "DRONE_BUILD_STATUS", "success")),
        ("Link", text(parameters, "DRONE_BUILD_LINK", "")),
        ("Started", number(parameters, "DRONE_BUILD_STARTED")),
        ("Created", number(parameters, "DRONE_BUILD_CREATED")),
    ])
}

/// `build.author`, which is the name when it is printed as a whole.
pub(super) fn author(parameters: &Parameters) -> Value {
    let name = parameters.text_or_empty(&["DRONE_COMMIT_AUTHOR"]);
    Value::printed(
        [
            ("Username", Value::text(&*name)),
            ("Name", text(parameters, "DRONE_COMMIT_AUTHOR_NAME", "")),
            ("Email", text(parameters, "DRONE_COMMIT_AUTHOR_EMAIL", "")),
            ("Avatar", text(parameters, "DRONE_COMMIT_AUTHOR_AVATAR", "")),
        ],
        Some(name),
    )
}

/// `build.message` with its first line and the rest.
pub(super) fn message(parameters: &Parameters) -> Value {
    let message = parameters.text_or_empty(&["DRONE_COMMIT_MESSAGE"]);
    let (title, body) = message.split_once('\n').unwrap_or((&message, ""));
    Value::printed(
        [
            ("Title", Value::text(title.trim())),
            ("Body", Value::text(body.trim())),
        ],
        Some(message.clone()),
    )
}

/// `job.started`.
pub(super) fn job(parameters: &Parameters) -> Value {
    Value::record([("Started", number(parameters, "DRONE_JOB_STARTED"))])
}
