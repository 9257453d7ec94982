//! The environment of a container. Pure.

mod services;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, EnvVarSource, Pod, Secret};

use super::expansion::expand;
use super::fields::{self, Surroundings};
use super::sources::Sources;

/// Why an environment cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EnvironmentError {
    /// A config map or secret does not exist.
    #[error("{kind} \"{name}\" not found")]
    NoSource {
        /// `configmap` or `secret`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// It does not have the key.
    #[error("couldn't find key {key} in {kind} {namespace}/{name}")]
    NoKey {
        /// `ConfigMap` or `Secret`.
        kind: &'static str,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The key.
        key: String,
    },
    /// A path that pods do not offer.
    #[error("unsupported fieldPath `{0}`")]
    NoField(String),
    /// A resource of a container that is not there.
    #[error("unsupported resource `{0}`")]
    NoResource(String),
    /// The variable gets its value from something that is not supported.
    #[error("variable `{0}` has no value that is supported")]
    Unsupported(String),
}

/// Makes the environment of a container, in the order in which it was written: what the image says, the
/// services, `envFrom`, `env`.
pub(crate) fn build(
    pod: &Pod,
    container: &Container,
    image: &[String],
    sources: &Sources,
    around: &Surroundings,
) -> Result<BTreeMap<String, String>, EnvironmentError> {
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    for line in image {
        if let Some((name, value)) = line.split_once('=') {
            variables.insert(name.to_owned(), value.to_owned());
        }
    }
    variables.extend(services::variables(pod, &sources.services));
    let mut own: BTreeMap<String, String> = BTreeMap::new();
    from_sources(container, sources, &mut own)?;
    for variable in container.env.iter().flatten() {
        let value = match (&variable.value, &variable.value_from) {
            (_, Some(from)) => {
                match referred(pod, container, sources, around, from, &variable.name)? {
                    Some(value) => value,
                    None => continue,
                }
            }
            (value, None) => expand(value.as_deref().unwrap_or_default(), |name| {
                own.get(name).or_else(|| variables.get(name)).cloned()
            }),
        };
        own.insert(variable.name.clone(), value);
    }
    variables.extend(own);
    Ok(variables)
}

fn from_sources(
    container: &Container,
    sources: &Sources,
    own: &mut BTreeMap<String, String>,
) -> Result<(), EnvironmentError> {
    for from in container.env_from.iter().flatten() {
        let prefix = from.prefix.as_deref().unwrap_or_default();
        if let Some(wanted) = &from.config_map_ref {
            match sources.config_maps.get(&wanted.name) {
                Some(map) => own.extend(
                    map.data
                        .iter()
                        .flatten()
                        .map(|(k, v)| (format!("{prefix}{k}"), v.clone())),
                ),
                None if wanted.optional == Some(true) => {}
                None => return Err(missing("configmap", &wanted.name)),
            }
        }
        if let Some(wanted) = &from.secret_ref {
            match sources.secrets.get(&wanted.name) {
                Some(secret) => own.extend(
                    secret
                        .data
                        .iter()
                        .flatten()
                        .map(|(k, v)| (format!("{prefix}{k}"), text(&v.0))),
                ),
                None if wanted.optional == Some(true) => {}
                None => return Err(missing("secret", &wanted.name)),
            }
        }
    }
    Ok(())
}

fn missing(kind: &'static str, name: &str) -> EnvironmentError {
    EnvironmentError::NoSource {
        kind,
        name: name.to_owned(),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The value that a variable refers to; `None` for an optional one that is not there.
fn referred(
    pod: &Pod,
    container: &Container,
    sources: &Sources,
    around: &Surroundings,
    from: &EnvVarSource,
    variable: &str,
) -> Result<Option<String>, EnvironmentError> {
    let no_key = |kind: &'static str, name: &str, key: &str| EnvironmentError::NoKey {
        kind,
        namespace: pod.metadata.namespace.clone().unwrap_or_default(),
        name: name.to_owned(),
        key: key.to_owned(),
    };
    if let Some(wanted) = &from.field_ref {
        let value = fields::field(pod, around, &wanted.field_path);
        return value
            .map(Some)
            .ok_or(EnvironmentError::NoField(wanted.field_path.clone()));
    }
    if let Some(wanted) = &from.resource_field_ref {
        let value = fields::resource(pod, &container.name, around, wanted);
        return value
            .map(Some)
            .ok_or(EnvironmentError::NoResource(wanted.resource.clone()));
    }
    if let Some(wanted) = &from.config_map_key_ref {
        let optional = wanted.optional == Some(true);
        return match sources.config_maps.get(&wanted.name) {
            None if optional => Ok(None),
            None => Err(missing("configmap", &wanted.name)),
            Some(map) => match map.data.as_ref().and_then(|data| data.get(&wanted.key)) {
                None if optional => Ok(None),
                None => Err(no_key("ConfigMap", &wanted.name, &wanted.key)),
                Some(value) => Ok(Some(value.clone())),
            },
        };
    }
    if let Some(wanted) = &from.secret_key_ref {
        let optional = wanted.optional == Some(true);
        return match sources.secrets.get(&wanted.name) {
            None if optional => Ok(None),
            None => Err(missing("secret", &wanted.name)),
            Some(secret) => match secret_value(secret, &wanted.key) {
                None if optional => Ok(None),
                None => Err(no_key("Secret", &wanted.name, &wanted.key)),
                Some(value) => Ok(Some(value)),
            },
        };
    }
    Err(EnvironmentError::Unsupported(variable.to_owned()))
}

fn secret_value(secret: &Secret, key: &str) -> Option<String> {
    secret.data.as_ref()?.get(key).map(|value| text(&value.0))
}

#[cfg(test)]
mod tests;
