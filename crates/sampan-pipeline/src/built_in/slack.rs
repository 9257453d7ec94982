//! Messages to Slack, and to what understands its webhooks.

use serde_json::{Map, Value as Json, json};

use super::parameters::Parameters;
use super::template::Value;
use super::{BuiltInError, Definition, drone_data, message};
use crate::run::{Done, Scene};

/// `plugins/slack`.
pub(super) const DEFINITION: Definition = Definition {
    names: &["plugins/slack", "plugins/drone-slack"],
    parameters: &[
        "webhook",
        "channel",
        "recipient",
        "username",
        "template",
        "fallback",
        "image_url",
        "icon_url",
        "icon_emoji",
        "color",
        "link_names",
        "custom_block",
        "mentions",
        "message",
        "custom_template",
        "access_token",
        "file_path",
        "slack_user_email_id",
        "committers_slack_id",
    ],
    harmless: &[
        "file_name",
        "title",
        "initial_comment",
        "fail_on_error",
        "git_repo_path",
    ],
    run,
};

fn run(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    parameters.refuse(&[
        "PLUGIN_ACCESS_TOKEN",
        "PLUGIN_FILE_PATH",
        "PLUGIN_SLACK_USER_EMAIL_ID",
        "PLUGIN_COMMITTERS_SLACK_ID",
        "PLUGIN_CUSTOM_TEMPLATE",
    ])?;
    let webhook = parameters.require("webhook", &["SLACK_WEBHOOK", "PLUGIN_WEBHOOK"])?;
    let payload = payload(parameters, scene)?;
    message::post(scene, "the webhook of Slack", webhook, &payload)?;
    scene.say("The message is sent.");
    Ok(Done::default())
}

fn context(parameters: &Parameters) -> Value {
    let (author, text) = (
        drone_data::author(parameters),
        drone_data::message(parameters),
    );
    Value::record([
        ("Repo", drone_data::repository(parameters)),
        ("Build", drone_data::build(parameters, author, text)),
        ("Job", drone_data::job(parameters)),
    ])
}

fn payload(parameters: &Parameters, scene: &Scene<'_>) -> Result<Json, BuiltInError> {
    let context = context(parameters);
    let text = text(parameters, &context, scene)?;
    let fallback = match parameters.text(&["PLUGIN_FALLBACK"]) {
        Some(template) => parameters.render("fallback", template, &context, scene)?,
        None => plain(parameters, false),
    };
    let color = match parameters.text(&["PLUGIN_COLOR"]) {
        Some(color) => color,
        None => match parameters
            .text(&["DRONE_BUILD_STATUS"])
            .unwrap_or("success")
        {
            "success" => "good",
            "failure" | "error" | "killed" => "danger",
            _ => "warning",
        },
    };
    let mut attachment = Map::new();
    attachment.insert("color".to_owned(), json!(color));
    attachment.insert("fallback".to_owned(), json!(fallback));
    attachment.insert("text".to_owned(), json!(text));
    put(
        &mut attachment,
        "image_url",
        parameters.text(&["PLUGIN_IMAGE_URL"]),
    );
    attachment.insert("mrkdwn_in".to_owned(), json!(["text", "fallback"]));
    let mut payload = Map::new();
    put(
        &mut payload,
        "username",
        parameters.text(&["PLUGIN_USERNAME"]),
    );
    put(
        &mut payload,
        "icon_emoji",
        parameters.text(&["PLUGIN_ICON_EMOJI"]),
    );
    put(
        &mut payload,
        "icon_url",
        parameters.text(&["PLUGIN_ICON_URL"]),
    );
    put(&mut payload, "channel", channel(parameters).as_deref());
    if parameters.switch(&["PLUGIN_LINK_NAMES"], false)? {
        payload.insert("link_names".to_owned(), json!(true));
    }
    payload.insert("attachments".to_owned(), json!([attachment]));
    if let Some(blocks) = parameters.text(&["PLUGIN_CUSTOM_BLOCK"]) {
        let blocks: Json = serde_json::from_str(blocks)
            .map_err(|_| parameters.invalid("PLUGIN_CUSTOM_BLOCK", "JSON with a list `blocks`"))?;
        payload.insert(
            "blocks".to_owned(),
            blocks.get("blocks").cloned().unwrap_or_default(),
        );
    }
    Ok(Json::Object(payload))
}

/// What is said, with those who are called.
fn text(
    parameters: &Parameters,
    context: &Value,
    scene: &Scene<'_>,
) -> Result<String, BuiltInError> {
    let mut text = match (
        parameters.text(&["PLUGIN_TEMPLATE"]),
        parameters.text(&["PLUGIN_MESSAGE"]),
    ) {
        (Some(template), _) => parameters.render("template", template, context, scene)?,
        (None, Some(message)) => message.to_owned(),
        (None, None) => plain(parameters, true),
    };
    let mentions = parameters.list(&["PLUGIN_MENTIONS"]);
    if !mentions.is_empty() {
        let mentions: Vec<_> = mentions
            .iter()
            .map(|id| format!("<@{}>:", id.trim_start_matches('@')))
            .collect();
        text = format!("{} {text}", mentions.join(" "));
    }
    Ok(text)
}

fn put(map: &mut Map<String, Json>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        map.insert(name.to_owned(), json!(value));
    }
}

/// `@WHO` or `#CHANNEL`.
fn channel(parameters: &Parameters) -> Option<String> {
    let with = |prefix: char, name: &str| {
        if name.starts_with(prefix) {
            name.to_owned()
        } else {
            format!("{prefix}{name}")
        }
    };
    match parameters.text(&["PLUGIN_RECIPIENT"]) {
        Some(recipient) => Some(with('@', recipient)),
        None => parameters
            .text(&["PLUGIN_CHANNEL"])
            .map(|channel| with('#', channel)),
    }
}

/// What is said without a template.
pub(super) fn plain(parameters: &Parameters, has_link: bool) -> String {
    let variable =
        |name: &str, otherwise: &str| parameters.text(&[name]).unwrap_or(otherwise).to_owned();
    let commit = drone_data::commit(parameters);
    let repository = format!(
        "{}/{}#{}",
        variable("DRONE_REPO_OWNER", ""),
        variable("DRONE_REPO_NAME", ""),
        commit.get(..8).unwrap_or(&commit),
    );
    let status = variable("DRONE_BUILD_STATUS", "success");
    let branch = variable("DRONE_COMMIT_BRANCH", "master");
    let author = variable("DRONE_COMMIT_AUTHOR", "");
    if has_link {
        let link = variable("DRONE_BUILD_LINK", "");
        format!("*{status}* <{link}|{repository}> ({branch}) by {author}")
    } else {
        format!("{status} {repository} ({branch}) by {author}")
    }
}
