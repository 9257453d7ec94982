//! Where steps that build images have their Dockerfiles, as far as that can be told before anything runs.

use std::collections::BTreeMap;

use super::parameters::{Parameters, normal};
use super::{BuiltIn, docker_action, image_plugin, of};
use crate::graph::{Action, EnvironmentValue, Step};

/// What an image is built from. Paths are those that the step sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSource {
    /// The folder.
    pub context: String,
    /// Where the Dockerfile may lie: the first that is there is taken. There is at least one.
    pub dockerfiles: Vec<String>,
    /// The stage that is built; the last one without it.
    pub target: Option<String>,
    /// Build arguments.
    pub arguments: Vec<(String, String)>,
}

/// The parameters that it follows from.
const PARAMETERS: &[&str] = &[
    "context",
    "dockerfile",
    "file",
    "target",
    "build_args",
    "build_args_new",
    "build_args_from_env",
    "multiple_build_args",
];

/// What a step builds an image from; `None` when it builds none, or only the run can tell.
#[must_use]
pub fn image_source(step: &Step) -> Option<ImageSource> {
    let BuiltIn { name, version, .. } = of(step)?.ok()?;
    let name = name.to_ascii_lowercase();
    let settings = step.environment.iter().map(|(variable, value)| {
        let known = match value {
            EnvironmentValue::Text(text) => Some(text.clone()),
            EnvironmentValue::Later(_)
            | EnvironmentValue::Secret(_)
            | EnvironmentValue::Setting(_) => None,
        };
        (variable, known)
    });
    let settings = known(settings, "plugin_")?;
    let inputs = match &step.action {
        Action::Uses { with, .. } => {
            let with = with.iter();
            known(with.map(|(input, text)| (input, text.now().cloned())), "")?
        }
        _ => BTreeMap::new(),
    };
    let parameters = Parameters::new((&name, &version), &settings, &inputs);
    let source = if docker_action::BUILD.names.contains(&&*name) {
        docker_action::source(&parameters)
    } else {
        image_plugin::source_of(&parameters, &name)?
    };
    source.ok()
}

/// The values that are known; `None` when one is not that the Dockerfile follows from.
fn known<'a>(
    values: impl Iterator<Item = (&'a String, Option<String>)>,
    prefix: &str,
) -> Option<BTreeMap<String, String>> {
    let mut known = BTreeMap::new();
    for (name, value) in values {
        if let Some(value) = value {
            known.insert(name.clone(), value);
        } else if let Some(parameter) = normal(name).strip_prefix(prefix)
            && PARAMETERS.contains(&parameter)
        {
            return None;
        }
    }
    Some(known)
}
