//! Messages to groups of `DingTalk`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::parameters::{Parameters, is_file, read_text};
use super::{BuiltInError, Definition, message, percent};
use crate::run::{Done, Scene};

/// `lddsb/drone-dingtalk-message`.
pub(super) const DEFINITION: Definition = Definition {
    names: &[
        "lddsb/drone-dingtalk-message",
        "guoxudongdocker/drone-dingtalk",
        "lddsb/drone-dingtalk",
    ],
    parameters: &[
        "token",
        "access_token",
        "secret",
        "type",
        "msg_type",
        "message_type",
        "tips_title",
        "msg_at_all",
        "msg_at_mobiles",
        "tpl",
        "custom_tpl",
        "tpl_repo_full_name",
        "tpl_repo_short_name",
        "tpl_commit_branch_name",
        "tpl_build_status_success",
        "tpl_build_status_failure",
        "success_pic",
        "failure_pic",
        "success_color",
        "failure_color",
        "custom_started",
        "custom_finished",
    ],
    harmless: &["debug"],
    run,
};

const SERVICE: &str = "DingTalk";
const ADDRESS: &str = "https://oapi.dingtalk.com/robot/send";

fn run(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    let token = parameters.require("token", &["PLUGIN_ACCESS_TOKEN", "PLUGIN_TOKEN"])?;
    let mut url = address(token);
    if let Some(secret) = parameters.text(&["PLUGIN_SECRET"]) {
        let milliseconds = parameters.now.saturating_mul(1000);
        let signature = signature(secret, milliseconds);
        url = format!(
            "{url}&timestamp={milliseconds}&sign={}",
            percent::encoded(&signature)
        );
    }
    let text = text(parameters, scene)?;
    let response = message::post(scene, SERVICE, &url, &payload(parameters, &text)?)?;
    message::check_code(SERVICE, &response, &["errcode"])?;
    scene.say("The message is sent.");
    Ok(Done::default())
}

/// The robot's address. In place of the token there may be an address with one, for a gateway within the site.
fn address(token: &str) -> String {
    if token.starts_with("http://") || token.starts_with("https://") {
        token.to_owned()
    } else {
        format!("{ADDRESS}?access_token={token}")
    }
}

/// By which a robot with a secret knows its sender: an HMAC with SHA-256 over time and secret, in base64.
fn signature(secret: &str, milliseconds: i64) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(ring::hmac::sign(
        &key,
        format!("{milliseconds}\n{secret}").as_bytes(),
    ))
}

fn payload(parameters: &Parameters, text: &str) -> Result<Value, BuiltInError> {
    let kind = parameters.text_or_empty(&["PLUGIN_MSG_TYPE", "PLUGIN_TYPE", "PLUGIN_MESSAGE_TYPE"]);
    let at = json!({
        "atMobiles": parameters.list(&["PLUGIN_MSG_AT_MOBILES"]),
        "isAtAll": parameters.switch(&["PLUGIN_MSG_AT_ALL"], false)?,
    });
    let title = parameters
        .text(&["PLUGIN_TIPS_TITLE"])
        .unwrap_or("you have a new message");
    Ok(match kind.to_lowercase().as_str() {
        "markdown" => {
            json!({"msgtype": "markdown", "markdown": {"title": title, "text": text}, "at": at})
        }
        "text" => json!({"msgtype": "text", "text": {"content": text}, "at": at}),
        "link" => json!({"msgtype": "link", "link": {
            "title": status(parameters),
            "text": text,
            "picUrl": parameters.text_or_empty(&["DRONE_COMMIT_AUTHOR_AVATAR"]),
            "messageUrl": parameters.text_or_empty(&["DRONE_BUILD_LINK"]),
        }}),
        _ => return Err(parameters.invalid("PLUGIN_TYPE", "`markdown`, `text` or `link`")),
    })
}

fn status(parameters: &Parameters) -> String {
    parameters
        .text(&["DRONE_BUILD_STATUS"])
        .unwrap_or("success")
        .to_owned()
}

/// The template with its `[NAMES]` replaced: a text, or the path of a file in the workspace.
fn text(parameters: &Parameters, scene: &Scene<'_>) -> Result<String, BuiltInError> {
    let template = match parameters.text(&["PLUGIN_TPL", "PLUGIN_CUSTOM_TPL"]) {
        None => DEFAULT.to_owned(),
        Some(address) if address.starts_with("http://") || address.starts_with("https://") => {
            return Err(parameters.unsupported(
                "a template from another machine, in `tpl`",
                Some("put the template into the source tree and name its path"),
            ));
        }
        Some(path) if !path.contains('\n') && is_file(scene, path) => read_text(scene, path)?,
        Some(template) => template.to_owned(),
    };
    Ok(filled(&template, &|name| value(parameters, name)))
}

/// What is said without a template.
const DEFAULT: &str = "### [TPL_REPO_SHORT_NAME]: [TPL_BUILD_STATUS] (`[TPL_BUILD_CONSUMING]s`)\n\n\
    [TPL_COMMIT_MSG]\n\n\
    Commit: [[TPL_COMMIT_SHA]]([TPL_COMMIT_LINK])\n\n\
    Author: [[TPL_AUTHOR_NAME]([TPL_AUTHOR_EMAIL])](mailto:[TPL_AUTHOR_EMAIL])\n\n\
    [Build [TPL_STATUS_EMOTICON]]([TPL_BUILD_LINK])\n";

/// A template with what stands in square brackets replaced where it is known.
pub(super) fn filled(template: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut result = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(open) = rest.find('[') {
        result.push_str(&rest[..open]);
        let inner = &rest[open + 1..];
        let known = inner
            .find(['[', ']'])
            .filter(|end| inner[*end..].starts_with(']'))
            .and_then(|end| value(&inner[..end]).map(|value| (value, end)));
        if let Some((value, end)) = known {
            result.push_str(&value);
            rest = &inner[end + 1..];
        } else {
            result.push('[');
            rest = inner;
        }
    }
    result + rest
}

/// The value of a name: a variable of the environment, or one of the plugin's own.
fn value(parameters: &Parameters, name: &str) -> Option<String> {
    if let Some(value) = parameters.text(&[name]) {
        return Some(value.to_owned());
    }
    let variable = |name: &str| parameters.text_or_empty(&[name]);
    let either = |first: &[&str], second: &str| {
        parameters
            .text(first)
            .map_or_else(|| variable(second), str::to_owned)
    };
    let by_status =
        |success: (&[&str], &str), failure: (&[&str], &str)| match status(parameters).as_str() {
            "success" => parameters.text(success.0).unwrap_or(success.1).to_owned(),
            "failure" => parameters.text(failure.0).unwrap_or(failure.1).to_owned(),
            _ => String::new(),
        };
    Some(match name {
        "TPL_REPO_FULL_NAME" => either(&["PLUGIN_TPL_REPO_FULL_NAME"], "DRONE_REPO"),
        "TPL_REPO_SHORT_NAME" => either(&["PLUGIN_TPL_REPO_SHORT_NAME"], "DRONE_REPO_NAME"),
        "TPL_REPO_GROUP_NAME" => variable("DRONE_REPO_NAMESPACE"),
        "TPL_REPO_OWNER_NAME" => variable("DRONE_REPO_OWNER"),
        "TPL_REPO_REMOTE_URL" => variable("DRONE_REMOTE_URL"),
        "TPL_BUILD_STATUS" => {
            let status = status(parameters);
            let name = if status == "success" {
                "SUCCESS"
            } else {
                "FAILURE"
            };
            let plugin = format!("PLUGIN_TPL_BUILD_STATUS_{name}");
            let own = format!("TPL_BUILD_STATUS_{name}");
            parameters
                .text(&[&own, &plugin])
                .unwrap_or(&status)
                .to_owned()
        }
        "TPL_BUILD_LINK" => variable("DRONE_BUILD_LINK"),
        "TPL_BUILD_EVENT" => variable("DRONE_BUILD_EVENT"),
        "TPL_BUILD_CONSUMING" => consumed(parameters).to_string(),
        "TPL_COMMIT_SHA" => variable("DRONE_COMMIT_SHA"),
        "TPL_COMMIT_REF" => variable("DRONE_COMMIT_REF"),
        "TPL_COMMIT_LINK" => variable("DRONE_COMMIT_LINK"),
        "TPL_COMMIT_MSG" => variable("DRONE_COMMIT_MESSAGE"),
        "TPL_COMMIT_BRANCH" => either(&["PLUGIN_TPL_COMMIT_BRANCH_NAME"], "DRONE_COMMIT_BRANCH"),
        "TPL_AUTHOR_NAME" | "TPL_AUTHOR_USERNAME" => variable("DRONE_COMMIT_AUTHOR"),
        "TPL_AUTHOR_EMAIL" => variable("DRONE_COMMIT_AUTHOR_EMAIL"),
        "TPL_AUTHOR_AVATAR" => variable("DRONE_COMMIT_AUTHOR_AVATAR"),
        "TPL_STATUS_PIC" => by_status(
            (&["SUCCESS_PICTURE_URL", "PLUGIN_SUCCESS_PIC"], ""),
            (&["FAILURE_PICTURE_URL", "PLUGIN_FAILURE_PIC"], ""),
        ),
        "TPL_STATUS_COLOR" => {
            let color = by_status(
                (&["SUCCESS_COLOR", "PLUGIN_SUCCESS_COLOR"], "#008000"),
                (&["FAILURE_COLOR", "PLUGIN_FAILURE_COLOR"], "#FF0000"),
            );
            if color.is_empty() || color.starts_with('#') {
                color
            } else {
                format!("#{color}")
            }
        }
        "TPL_STATUS_EMOTICON" => if status(parameters) == "success" {
            ":)"
        } else {
            ":("
        }
        .to_owned(),
        _ => return None,
    })
}

/// How many seconds the run took so far.
fn consumed(parameters: &Parameters) -> u64 {
    let moment = |variable: &str| -> u64 {
        let text = parameters.text(&[variable]).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    };
    let custom = parameters
        .text(&["PLUGIN_CUSTOM_STARTED"])
        .zip(parameters.text(&["PLUGIN_CUSTOM_FINISHED"]));
    if let Some((started, finished)) = custom {
        return moment(finished).saturating_sub(moment(started));
    }
    let build = moment("DRONE_BUILD_FINISHED").saturating_sub(moment("DRONE_BUILD_STARTED"));
    match build {
        0 => moment("DRONE_STAGE_FINISHED").saturating_sub(moment("DRONE_STAGE_STARTED")),
        build => build,
    }
}

#[cfg(test)]
mod tests {
    use super::{address, filled, signature};

    #[test]
    fn names_in_brackets_are_replaced() {
        let value = |name: &str| (name == "A").then(|| "[B]".to_owned());
        for (template, expected) in [
            ("a [A] b", "a [B] b"),
            ("[[A]](x)", "[[B]](x)"),
            ("[C] [", "[C] ["),
            ("[x [A]]([A])", "[x [B]]([B])"),
        ] {
            assert_eq!(filled(template, &value), expected);
        }
    }

    #[test]
    fn robots_know_their_sender() {
        // Computed with `openssl dgst -sha256 -hmac this`.
        assert_eq!(
            signature("this", 1_500_000_000_000),
            "6jof1YNYuEDjgDQ7nNcklM7cfIWgiLwHjOFM70D0v9o="
        );
        assert_eq!(
            address("x"),
            "https://oapi.dingtalk.com/robot/send?access_token=x"
        );
        assert_eq!(address("http://a/b"), "http://a/b");
    }
}
