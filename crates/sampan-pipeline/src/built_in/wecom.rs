//! Messages to groups of `WeCom`.

use serde_json::{Map, Value, json};

use super::parameters::Parameters;
use super::{BuiltInError, Definition, go_template, message};
use crate::run::{Done, Scene};

/// Plugins that send to the webhook of a group's robot.
pub(super) const DEFINITION: Definition = Definition {
    names: &[
        "fifsky/drone-wechat-work",
        "kaynewang/drone-wechat-robot",
        "linhe0x0/drone-wechat-work",
    ],
    parameters: &[
        "url",
        "key",
        "webhook",
        "type",
        "msgtype",
        "content",
        "touser",
        "mentioned_list",
        "mentioned_mobile_list",
    ],
    harmless: &["debug"],
    run,
};

const SERVICE: &str = "WeCom";
const ADDRESS: &str = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=";

fn run(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    let urls = parameters.list(&["PLUGIN_URL", "PLUGIN_WEBHOOK", "PLUGIN_KEY"]);
    if urls.is_empty() {
        parameters.require("url", &["PLUGIN_URL"])?;
    }
    let template = parameters.require("content", &["PLUGIN_CONTENT"])?;
    let text = go_template::render(template, &|name| value(parameters, name), &|_, _| None)
        .map_err(|problem| BuiltInError::Content {
            problem: format!(
                "cannot render the parameter `content` of `{}`: {problem}",
                parameters.built_in
            ),
            hint: None,
        })?;
    let payload = payload(parameters, text.trim())?;
    for url in urls {
        let url = if url.starts_with("http://") || url.starts_with("https://") {
            url
        } else {
            format!("{ADDRESS}{url}")
        };
        let response = message::post(scene, SERVICE, &url, &payload)?;
        message::check_code(SERVICE, &response, &["errcode"])?;
    }
    scene.say("The message is sent.");
    Ok(Done::default())
}

fn payload(parameters: &Parameters, text: &str) -> Result<Value, BuiltInError> {
    let kind = parameters
        .text(&["PLUGIN_MSGTYPE", "PLUGIN_TYPE"])
        .unwrap_or("text");
    if !matches!(kind, "text" | "markdown") {
        return Err(parameters.invalid("PLUGIN_MSGTYPE", "`text` or `markdown`"));
    }
    let mut content = Map::from_iter([("content".to_owned(), json!(text))]);
    for (name, variables) in [
        ("mentioned_list", &["PLUGIN_MENTIONED_LIST"][..]),
        (
            "mentioned_mobile_list",
            &["PLUGIN_MENTIONED_MOBILE_LIST", "PLUGIN_TOUSER"],
        ),
    ] {
        let list = parameters.list(variables);
        if !list.is_empty() {
            content.insert(name.to_owned(), json!(list));
        }
    }
    Ok(json!({"msgtype": kind, kind: content}))
}

/// What templates can name.
fn value(parameters: &Parameters, name: &str) -> Option<String> {
    let (variable, otherwise) = match name {
        "Owner" => ("DRONE_REPO_OWNER", ""),
        "Name" => ("DRONE_REPO_NAME", ""),
        "Tag" => ("DRONE_TAG", ""),
        "Event" => ("DRONE_BUILD_EVENT", "push"),
        "Number" => ("DRONE_BUILD_NUMBER", "0"),
        "Commit" => ("DRONE_COMMIT_SHA", ""),
        "Ref" => ("DRONE_COMMIT_REF", "refs/heads/master"),
        "Branch" => ("DRONE_COMMIT_BRANCH", "master"),
        "Author" => ("DRONE_COMMIT_AUTHOR", ""),
        "Message" => ("DRONE_COMMIT_MESSAGE", ""),
        "Status" => ("DRONE_BUILD_STATUS", "success"),
        "Link" => ("DRONE_BUILD_LINK", ""),
        "Started" => ("DRONE_BUILD_STARTED", "0"),
        "Created" => ("DRONE_BUILD_CREATED", "0"),
        _ => return None,
    };
    Some(parameters.text(&[variable]).unwrap_or(otherwise).to_owned())
}
