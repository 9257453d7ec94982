//! Messages to groups of Feishu (Lark).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::parameters::Parameters;
use super::{BuiltInError, Definition, drone_data, message, slack};
use crate::run::{Done, Scene};

/// Plugins that send to the webhook of a group's robot.
pub(super) const DEFINITION: Definition = Definition {
    names: &[
        "ydq1234/drone-lark",
        "drizztdu/drone-feishu",
        "keepchen/drone-feishu",
        "serialt/drone-feishu-message",
        "sinlov/drone-feishu-group-robot",
    ],
    parameters: &[
        "webhook",
        "feishu_webhook",
        "url",
        "token",
        "secret",
        "feishu_secret",
        "title",
        "feishu_msg_title",
        "template",
        "message",
        "content",
    ],
    harmless: &["debug", "sha_link", "timeout_second", "feishu_ntp_target"],
    run,
};

const SERVICE: &str = "Feishu";
const ADDRESS: &str = "https://open.feishu.cn/open-apis/bot/v2/hook/";

fn run(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    let webhook = parameters.require(
        "webhook",
        &[
            "PLUGIN_WEBHOOK",
            "PLUGIN_FEISHU_WEBHOOK",
            "PLUGIN_URL",
            "PLUGIN_TOKEN",
        ],
    )?;
    let url = if webhook.starts_with("http://") || webhook.starts_with("https://") {
        webhook.to_owned()
    } else {
        format!("{ADDRESS}{webhook}")
    };
    let payload = payload(parameters, scene)?;
    let response = message::post(scene, SERVICE, &url, &payload)?;
    message::check_code(SERVICE, &response, &["code", "StatusCode"])?;
    scene.say("The message is sent.");
    Ok(Done::default())
}

fn payload(parameters: &Parameters, scene: &Scene<'_>) -> Result<Value, BuiltInError> {
    let (author, text) = (
        drone_data::author(parameters),
        drone_data::message(parameters),
    );
    let context = super::template::Value::record([
        ("Repo", drone_data::repository(parameters)),
        ("Build", drone_data::build(parameters, author, text)),
        ("Job", drone_data::job(parameters)),
    ]);
    let given = parameters.text(&["PLUGIN_TEMPLATE", "PLUGIN_MESSAGE", "PLUGIN_CONTENT"]);
    let text = match given {
        Some(template) => parameters.render("template", template, &context, scene)?,
        None => format!(
            "{}\n{}",
            slack::plain(parameters, false),
            parameters.text_or_empty(&["DRONE_BUILD_LINK"])
        ),
    };
    let title = parameters.text(&["PLUGIN_TITLE", "PLUGIN_FEISHU_MSG_TITLE"]);
    let mut payload = Map::new();
    if let Some(secret) = parameters.text(&["PLUGIN_SECRET", "PLUGIN_FEISHU_SECRET"]) {
        payload.insert("timestamp".to_owned(), json!(parameters.now.to_string()));
        payload.insert("sign".to_owned(), json!(signature(secret, parameters.now)));
    }
    let (kind, name, message) = match title {
        Some(title) => {
            let color = match parameters
                .text(&["DRONE_BUILD_STATUS"])
                .unwrap_or("success")
            {
                "success" => "green",
                _ => "red",
            };
            let card = json!({
                "header": {"title": {"tag": "plain_text", "content": title}, "template": color},
                "elements": [{"tag": "markdown", "content": text}],
            });
            ("interactive", "card", card)
        }
        None => ("text", "content", json!({ "text": text })),
    };
    payload.insert("msg_type".to_owned(), json!(kind));
    payload.insert(name.to_owned(), message);
    Ok(Value::Object(payload))
}

/// By which a robot with a secret knows its sender: an HMAC with SHA-256 over nothing, with time and secret as its key.
fn signature(secret: &str, seconds: i64) -> String {
    let key = format!("{seconds}\n{secret}");
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key.as_bytes());
    STANDARD.encode(ring::hmac::sign(&key, b""))
}

#[cfg(test)]
mod tests {
    #[test]
    fn robots_know_their_sender() {
        // Computed with Python's `hmac`.
        assert_eq!(
            super::signature("demo", 1_599_360_473),
            "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="
        );
    }
}
