//! Sending messages.

use serde_json::Value;

use super::BuiltInError;
use crate::run::{HttpRequest, HttpResponse, Scene};

/// Sends a request; the service is called by a name, as its address may hold a secret.
pub(super) fn send(
    scene: &Scene<'_>,
    service: &str,
    request: &HttpRequest,
) -> Result<HttpResponse, BuiltInError> {
    if scene.interrupt.is_triggered() {
        return Err(BuiltInError::Interrupted);
    }
    scene
        .ports
        .send(request)
        .map_err(BuiltInError::port(format!("reach {service}")))
}

/// Sends JSON; another status than 200 is an error.
pub(super) fn post(
    scene: &Scene<'_>,
    service: &str,
    url: &str,
    body: &Value,
) -> Result<HttpResponse, BuiltInError> {
    let request = HttpRequest {
        method: "POST".to_owned(),
        url: url.to_owned(),
        headers: vec![(
            "Content-Type".to_owned(),
            "application/json; charset=utf-8".to_owned(),
        )],
        body: body.to_string().into_bytes(),
        ..HttpRequest::default()
    };
    let response = send(scene, service, &request)?;
    if response.status != 200 {
        return Err(refused(service, &response));
    }
    Ok(response)
}

pub(super) fn refused(service: &str, response: &HttpResponse) -> BuiltInError {
    BuiltInError::Refused {
        service: service.to_owned(),
        status: response.status,
        answer: String::from_utf8_lossy(&response.body).into_owned(),
    }
}

/// Robots answer with status 200 and say in JSON, under one of some names, whether they have taken the message.
pub(super) fn check_code(
    service: &str,
    response: &HttpResponse,
    names: &[&str],
) -> Result<(), BuiltInError> {
    let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let code = names
        .iter()
        .find_map(|name| answer.get(name))
        .and_then(Value::as_i64);
    match code {
        Some(code) if code != 0 => Err(refused(service, response)),
        _ => Ok(()),
    }
}
