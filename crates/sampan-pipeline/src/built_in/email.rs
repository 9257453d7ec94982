//! Mails.

use super::parameters::{Parameters, is_file, read_bytes, read_text};
use super::template::Value;
use super::{BuiltInError, Definition, drone_data};
use crate::run::{Attachment, Done, Login, Mail, Scene};

/// The longest file that goes with a mail; servers take less.
const LIMIT_ATTACHMENT_BYTES: u64 = 64 << 20;

/// `drillster/drone-email`.
pub(super) const DEFINITION: Definition = Definition {
    names: &["drillster/drone-email", "plugins/email"],
    parameters: &[
        "from",
        "from.address",
        "from.name",
        "from_address",
        "from_name",
        "host",
        "port",
        "username",
        "password",
        "skip_verify",
        "recipients",
        "recipients_file",
        "recipients_only",
        "subject",
        "body",
        "attachment",
        "attachments",
    ],
    harmless: &["no_starttls", "clienthostname", "env_file"],
    run,
};

const SUBJECT: &str = "[{{ build.status }}] {{ repo.owner }}/{{ repo.name }} ({{ commit.branch }} - {{ truncate commit.sha 8 }})";
/// What is said without a template.
const BODY: &str = "<!DOCTYPE html>
<html>
  <body>
    <h2><a href=\"{{ build.link }}\">{{#success build.status}}Build {{ build.number }} went well{{else}}Build {{ build.number }} failed{{/success}}</a></h2>
    <table>
      <tr><td>Repository</td><td>{{ repo.owner }}/{{ repo.name }}</td></tr>
      <tr><td>Author</td><td>{{ commit.author.name }} ({{ commit.author.email }})</td></tr>
      <tr><td>Branch</td><td>{{ commit.branch }}</td></tr>
      <tr><td>Commit</td><td>{{ truncate commit.sha 8 }}</td></tr>
      <tr><td>Began</td><td>{{ datetime build.created \"Mon Jan 2 15:04:05 MST 2006\" \"Local\" }}</td></tr>
    </table>
    <p>{{ commit.message }}</p>
  </body>
</html>
";

fn run(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    let host = parameters.require("host", &["EMAIL_HOST", "PLUGIN_HOST"])?;
    let address = parameters.require("from", &["PLUGIN_FROM", "PLUGIN_FROM_ADDRESS"])?;
    let from = match parameters.text(&["PLUGIN_FROM_NAME"]) {
        Some(name) => format!("{name} <{address}>"),
        None => address.to_owned(),
    };
    let username = parameters.text(&["EMAIL_USERNAME", "PLUGIN_USERNAME"]);
    let password = parameters.text(&["EMAIL_PASSWORD", "PLUGIN_PASSWORD"]);
    let login = username.zip(password).map(|(username, password)| Login {
        registry: None,
        username: username.to_owned(),
        password: password.to_owned(),
    });
    let context = context(parameters);
    let template = |variable: &str, otherwise: &'static str| {
        parameters.text(&[variable]).unwrap_or(otherwise).to_owned()
    };
    let subject = parameters.render(
        "subject",
        &template("PLUGIN_SUBJECT", SUBJECT),
        &context,
        scene,
    )?;
    let html = parameters.render("body", &template("PLUGIN_BODY", BODY), &context, scene)?;
    let mut attachments = parameters.list(&["PLUGIN_ATTACHMENTS"]);
    attachments.extend(parameters.text(&["PLUGIN_ATTACHMENT"]).map(str::to_owned));
    let mut files = Vec::new();
    for path in &attachments {
        if scene.inside(path).is_none() || is_file(scene, path) {
            let name = path.rsplit('/').next().unwrap_or(path);
            files.push(Attachment {
                name: name.to_owned(),
                content: read_bytes(scene, path, LIMIT_ATTACHMENT_BYTES)?,
            });
        }
    }
    let mail = Mail {
        host: host.to_owned(),
        port: parameters.number(&["EMAIL_PORT", "PLUGIN_PORT"], 587)?,
        login,
        insecure: parameters.switch(&["PLUGIN_SKIP_VERIFY"], false)?,
        from,
        to: Vec::new(),
        // A line break would begin another header.
        subject: subject.replace(['\r', '\n'], " "),
        html,
        attachments: files,
    };
    // Each gets a mail of its own, and does not see the others.
    for recipient in recipients(parameters, scene)? {
        if scene.interrupt.is_triggered() {
            return Err(BuiltInError::Interrupted);
        }
        let mail = Mail {
            to: vec![recipient.clone()],
            ..mail.clone()
        };
        let sent = scene.ports.send_mail(&mail);
        sent.map_err(BuiltInError::port(format!("send a mail to `{recipient}`")))?;
        scene.say(format_args!("A mail to `{recipient}` is sent."));
    }
    Ok(Done::default())
}

fn recipients(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Vec<String>, BuiltInError> {
    let mut recipients = parameters.list(&["EMAIL_RECIPIENTS", "PLUGIN_RECIPIENTS"]);
    if !parameters.switch(&["PLUGIN_RECIPIENTS_ONLY"], false)?
        && let Some(author) = parameters.text(&["DRONE_COMMIT_AUTHOR_EMAIL"])
        && !recipients.iter().any(|recipient| recipient == author)
    {
        recipients.push(author.to_owned());
    }
    if let Some(file) = parameters.text(&["EMAIL_RECIPIENTS_FILE", "PLUGIN_RECIPIENTS_FILE"]) {
        let text = read_text(scene, file)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        recipients.extend(lines.map(str::to_owned));
    }
    Ok(recipients)
}

fn context(parameters: &Parameters) -> Value {
    let text = |variable: &str| drone_data::text(parameters, variable, "");
    let or = |variable: &str, otherwise: &str| drone_data::text(parameters, variable, otherwise);
    let number = |variable: &str| drone_data::number(parameters, variable);
    let author = Value::record([
        ("Name", text("DRONE_COMMIT_AUTHOR")),
        ("Email", text("DRONE_COMMIT_AUTHOR_EMAIL")),
        ("Avatar", text("DRONE_COMMIT_AUTHOR_AVATAR")),
    ]);
    let repository = Value::record([
        ("FullName", text("DRONE_REPO")),
        ("Owner", text("DRONE_REPO_OWNER")),
        ("Name", text("DRONE_REPO_NAME")),
        ("SCM", or("DRONE_REPO_SCM", "git")),
        ("Link", text("DRONE_REPO_LINK")),
        ("Avatar", text("DRONE_REPO_AVATAR")),
        ("Branch", or("DRONE_REPO_BRANCH", "master")),
        (
            "Private",
            drone_data::switch(parameters, "DRONE_REPO_PRIVATE"),
        ),
        (
            "Trusted",
            drone_data::switch(parameters, "DRONE_REPO_TRUSTED"),
        ),
    ]);
    let commit = Value::record([
        ("Sha", text("DRONE_COMMIT_SHA")),
        ("Ref", or("DRONE_COMMIT_REF", "refs/heads/master")),
        ("Branch", or("DRONE_COMMIT_BRANCH", "master")),
        ("Link", text("DRONE_COMMIT_LINK")),
        ("Message", text("DRONE_COMMIT_MESSAGE")),
        ("Author", author),
    ]);
    let build = Value::record([
        ("Number", number("DRONE_BUILD_NUMBER")),
        ("Event", or("DRONE_BUILD_EVENT", "push")),
        ("Status", or("DRONE_BUILD_STATUS", "success")),
        ("Link", text("DRONE_BUILD_LINK")),
        ("Created", number("DRONE_BUILD_CREATED")),
        ("Started", number("DRONE_BUILD_STARTED")),
        ("Finished", number("DRONE_BUILD_FINISHED")),
    ]);
    let job = Value::record([
        ("Status", text("DRONE_JOB_STATUS")),
        ("ExitCode", number("DRONE_JOB_EXIT_CODE")),
        ("Started", number("DRONE_JOB_STARTED")),
        ("Finished", number("DRONE_JOB_FINISHED")),
    ]);
    Value::record([
        ("Repo", repository),
        ("Remote", Value::record([("URL", text("DRONE_REMOTE_URL"))])),
        ("Commit", commit),
        ("Build", build),
        ("Prev", previous(parameters)),
        ("Job", job),
        ("Tag", text("DRONE_TAG")),
        ("PullRequest", number("DRONE_PULL_REQUEST")),
        ("DeployTo", text("DRONE_DEPLOY_TO")),
    ])
}

/// The run before.
fn previous(parameters: &Parameters) -> Value {
    let text = |variable: &str| drone_data::text(parameters, variable, "");
    let number = |variable: &str| drone_data::number(parameters, variable);
    Value::record([
        (
            "Build",
            Value::record([
                ("Status", text("DRONE_PREV_BUILD_STATUS")),
                ("Number", number("DRONE_PREV_BUILD_NUMBER")),
            ]),
        ),
        (
            "Commit",
            Value::record([("Sha", text("DRONE_PREV_COMMIT_SHA"))]),
        ),
    ])
}
