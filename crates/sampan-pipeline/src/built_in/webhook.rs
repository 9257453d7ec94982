//! Requests to any address.

use serde_json::json;

use super::parameters::Parameters;
use super::template::Value;
use super::{BuiltInError, Definition, drone_data, message};
use crate::run::{Done, HttpRequest, Login, Scene};

/// `plugins/webhook`.
pub(super) const DEFINITION: Definition = Definition {
    names: &["plugins/webhook", "plugins/drone-webhook"],
    parameters: &[
        "urls",
        "method",
        "username",
        "password",
        "token_value",
        "token_type",
        "content_type",
        "template",
        "headers",
        "valid_response_codes",
        "debug",
        "skip_verify",
        "signature_header",
        "signature_secret",
    ],
    harmless: &[],
    run,
};

fn run(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    let urls = parameters.list(&["PLUGIN_URLS", "WEBHOOK_URLS"]);
    if urls.is_empty() {
        parameters.require("urls", &["PLUGIN_URLS", "WEBHOOK_URLS"])?;
    }
    let body = body(parameters, scene)?.into_bytes();
    let headers = headers(parameters, &body)?;
    let username = parameters.text(&["PLUGIN_USERNAME", "WEBHOOK_USERNAME"]);
    let password = parameters.text(&["PLUGIN_PASSWORD", "WEBHOOK_PASSWORD"]);
    let login = username.zip(password).map(|(username, password)| Login {
        registry: None,
        username: username.to_owned(),
        password: password.to_owned(),
    });
    let debug = parameters.switch(&["PLUGIN_DEBUG"], false)?;
    let valid = parameters.list(&["PLUGIN_VALID_RESPONSE_CODES"]);
    for (index, url) in urls.iter().enumerate() {
        let request = HttpRequest {
            method: parameters
                .text(&["PLUGIN_METHOD"])
                .unwrap_or("POST")
                .to_owned(),
            url: url.clone(),
            headers: headers.clone(),
            body: body.clone(),
            login: login.clone(),
            insecure: parameters.switch(&["PLUGIN_SKIP_VERIFY"], false)?,
        };
        let service = format!("webhook {}", index + 1);
        let response = message::send(scene, &service, &request)?;
        let status = response.status;
        if debug || status >= 400 {
            let answer = String::from_utf8_lossy(&response.body).into_owned();
            scene.say(format_args!(
                "Webhook {} answered with status {status}: {answer}",
                index + 1
            ));
        }
        if !valid.is_empty() && !valid.contains(&status.to_string()) {
            return Err(message::refused(&service, &response));
        }
    }
    Ok(Done::default())
}

fn headers(parameters: &Parameters, body: &[u8]) -> Result<Vec<(String, String)>, BuiltInError> {
    let content_type = parameters
        .text(&["PLUGIN_CONTENT_TYPE"])
        .unwrap_or("application/json");
    let mut headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
    if let Some(secret) = parameters.text(&["PLUGIN_SIGNATURE_SECRET", "WEBHOOK_SIGNATURE_SECRET"])
    {
        let name = parameters
            .text(&["PLUGIN_SIGNATURE_HEADER", "WEBHOOK_SIGNATURE_HEADER"])
            .unwrap_or("X-Drone-Signature");
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
        let signature = hex::encode(ring::hmac::sign(&key, body));
        headers.push((name.to_owned(), format!("sha256={signature}")));
    }
    for item in parameters.list(&["PLUGIN_HEADERS"]) {
        let (name, value) = item
            .split_once('=')
            .ok_or_else(|| parameters.invalid("PLUGIN_HEADERS", "a list of `NAME=VALUE`"))?;
        headers.push((name.to_owned(), value.to_owned()));
    }
    if let Some(token) = parameters.text(&["PLUGIN_TOKEN_VALUE", "WEBHOOK_TOKEN_VALUE"]) {
        let kind = parameters
            .text(&["PLUGIN_TOKEN_TYPE", "WEBHOOK_TOKEN_TYPE"])
            .unwrap_or("Bearer");
        headers.push(("Authorization".to_owned(), format!("{kind} {token}")));
    }
    Ok(headers)
}

fn body(parameters: &Parameters, scene: &Scene<'_>) -> Result<String, BuiltInError> {
    let variable = |name: &str| parameters.text_or_empty(&[name]);
    if let Some(template) = parameters.text(&["PLUGIN_TEMPLATE"]) {
        let author = Value::Text(variable("DRONE_COMMIT_AUTHOR"));
        let text = Value::Text(variable("DRONE_COMMIT_MESSAGE"));
        let context = Value::record([
            ("Repo", drone_data::repository(parameters)),
            ("Build", drone_data::build(parameters, author, text)),
            ("Job", drone_data::job(parameters)),
        ]);
        return parameters.render("template", template, &context, scene);
    }
    let or = |name: &str, otherwise: &str| parameters.text(&[name]).unwrap_or(otherwise).to_owned();
    let number = |name: &str| variable(name).trim().parse::<i64>().unwrap_or(0);
    let data = json!({
        "repo": {"owner": variable("DRONE_REPO_OWNER"), "name": variable("DRONE_REPO_NAME")},
        "build": {
            "tag": variable("DRONE_TAG"),
            "event": or("DRONE_BUILD_EVENT", "push"),
            "number": number("DRONE_BUILD_NUMBER"),
            "commit": variable("DRONE_COMMIT_SHA"),
            "ref": or("DRONE_COMMIT_REF", "refs/heads/master"),
            "branch": or("DRONE_COMMIT_BRANCH", "master"),
            "author": variable("DRONE_COMMIT_AUTHOR"),
            "message": variable("DRONE_COMMIT_MESSAGE"),
            "status": or("DRONE_BUILD_STATUS", "success"),
            "link": variable("DRONE_BUILD_LINK"),
            "deployTo": variable("DRONE_DEPLOY_TO"),
            "started": number("DRONE_BUILD_STARTED"),
            "created": number("DRONE_BUILD_CREATED"),
        },
    });
    Ok(format!("{data}\n"))
}
