//! Logins to registries, as plugins and actions of Docker are given them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::BuiltInError;
use super::parameters::Parameters;
use crate::run::Login;

/// Where the registry of a plugin stands.
pub(super) const VARIABLES: &[&str] = &["PLUGIN_REGISTRY", "DOCKER_REGISTRY", "CI_REGISTRY"];

/// The host of a registry that may be written as an address.
pub(super) fn registry_host(registry: &str) -> &str {
    let host = registry
        .strip_prefix("https://")
        .or_else(|| registry.strip_prefix("http://"))
        .unwrap_or(registry);
    let host = match host.find('/') {
        // Of Docker's own registry only the host is meant; others may have a folder.
        Some(slash) if host[slash..].starts_with("/v1") || host[slash..].starts_with("/v2") => {
            &host[..slash]
        }
        _ => host,
    };
    match host.trim_end_matches('/') {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        host => host,
    }
}

/// The login of a registry: given as such, or in a configuration file of Docker.
pub(super) fn login(
    parameters: &Parameters,
    repository: &str,
) -> Result<Option<Login>, BuiltInError> {
    let registry = match parameters.text(VARIABLES) {
        Some(registry) => registry_host(registry).to_owned(),
        None => host_of_image(repository).to_owned(),
    };
    let username = parameters.text(&["PLUGIN_USERNAME", "DOCKER_USERNAME"]);
    let password = parameters.text(&["PLUGIN_PASSWORD", "DOCKER_PASSWORD"]);
    let key = parameters.text(&[
        "PLUGIN_JSON_KEY",
        "GCR_JSON_KEY",
        "GOOGLE_CREDENTIALS",
        "TOKEN",
    ]);
    let pair = match (username, password, key) {
        (Some(username), Some(password), _) => Some((username.to_owned(), password.to_owned())),
        (_, _, Some(key)) if parameters.built_in.ends_with("cr") => {
            Some(("_json_key".to_owned(), key.to_owned()))
        }
        _ => match parameters.text(&["PLUGIN_CONFIG", "DOCKER_PLUGIN_CONFIG"]) {
            Some(config) => of_configuration(parameters, config, &registry)?,
            None => of_logins(parameters, &registry)?,
        },
    };
    Ok(pair.map(|(username, password)| Login {
        registry: Some(registry),
        username,
        password,
    }))
}

/// The registry of an image's name.
pub(super) fn host_of_image(name: &str) -> &str {
    match name.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}

/// The login of a registry in a `config.json` of Docker.
pub(super) fn of_configuration(
    parameters: &Parameters,
    config: &str,
    registry: &str,
) -> Result<Option<(String, String)>, BuiltInError> {
    let invalid = || parameters.invalid("PLUGIN_CONFIG", "a configuration file of Docker in JSON");
    let config: Value = serde_json::from_str(config).map_err(|_| invalid())?;
    let Some(logins) = config.get("auths").and_then(Value::as_object) else {
        return Ok(None);
    };
    let Some((_, login)) = logins
        .iter()
        .find(|(name, _)| registry_host(name) == registry)
    else {
        return Ok(None);
    };
    let field = |name: &str| login.get(name).and_then(Value::as_str).map(str::to_owned);
    if let (Some(username), Some(password)) = (field("username"), field("password")) {
        return Ok(Some((username, password)));
    }
    let Some(both) = field("auth") else {
        return Ok(None);
    };
    let both = STANDARD
        .decode(both.trim())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = both
        .as_deref()
        .and_then(|both| both.split_once(':'))
        .ok_or_else(invalid)?;
    Ok(Some((pair.0.to_owned(), pair.1.to_owned())))
}

/// The login of a registry in the list `logins` of the plugins over buildx.
fn of_logins(
    parameters: &Parameters,
    registry: &str,
) -> Result<Option<(String, String)>, BuiltInError> {
    let Some(logins) = parameters.text(&["PLUGIN_LOGINS"]) else {
        return Ok(None);
    };
    let invalid = || parameters.invalid("PLUGIN_LOGINS", "a list of logins");
    let logins: Vec<BTreeMap<String, Value>> =
        serde_json::from_str(logins).map_err(|_| invalid())?;
    let found = logins.iter().find(|login| {
        let name = login.get("registry").and_then(Value::as_str);
        registry_host(name.unwrap_or("docker.io")) == registry
    });
    let field = |name: &str| found?.get(name)?.as_str().map(str::to_owned);
    Ok(field("username").zip(field("password")))
}
