//! What runs in place of well-known images of plugins and of well-known actions, so that pipelines run as they are
//! where there is no network to bring them from.
//!
//! A built-in is found by the name that people write, whatever the tag or version. Each is a [`Definition`]: its names,
//! the parameters that it knows, those that can be given and mean nothing here, and a function. What it cannot do it
//! refuses by name before anything runs, where the name of the parameter tells, and when it runs otherwise. What belongs
//! to the rest of the program (builds, deployments, messages) goes through the ports of the [`Scene`].
//!
//! ```text
//! step ─▶ of(step) ─▶ BuiltIn ─(Scene: environment, inputs, workspace)─▶ Parameters ─▶ request ─▶ port
//! ```

use sampan_model::nearest;

use crate::github::Uses;
use crate::graph::{Action, Role, Step};
use crate::image::short_name;
use crate::run::{Done, Scene};

mod archive;
mod artifact;
mod cache;
mod cache_plugin;
mod cache_store;
mod dingtalk;
mod docker_action;
mod drone_data;
mod email;
mod error;
mod feishu;
pub(crate) mod files;
mod go_template;
mod go_time;
mod image_metadata;
mod image_plugin;
mod image_source;
mod image_tags;
mod jenkins;
mod kubernetes;
mod message;
mod parameters;
mod pattern;
mod percent;
mod registry_login;
mod slack;
mod source;
pub mod template;
mod toolchain;
mod webhook;
mod wecom;

pub use error::BuiltInError;
pub use image_source::{ImageSource, image_source};

use parameters::Parameters;

/// All built-ins.
const ALL: &[&Definition] = &[
    &source::PLUGIN,
    &source::CHECKOUT,
    &image_plugin::DOCKER,
    &image_plugin::REGISTRY,
    &image_plugin::KANIKO,
    &image_plugin::BUILDX,
    &kubernetes::DEFINITION,
    &slack::DEFINITION,
    &webhook::DEFINITION,
    &dingtalk::DEFINITION,
    &wecom::DEFINITION,
    &feishu::DEFINITION,
    &email::DEFINITION,
    &jenkins::DEFINITION,
    &cache::CACHE,
    &cache::RESTORE,
    &cache::SAVE,
    &cache_plugin::DEFINITION,
    &artifact::UPLOAD,
    &artifact::DOWNLOAD,
    &docker_action::BUILD,
    &docker_action::LOGIN,
    &docker_action::SETUP,
    &image_metadata::DEFINITION,
    &toolchain::DEFINITION,
];

/// What a built-in is.
struct Definition {
    /// The images (in their short form) and actions (without the version) in whose place it runs, in small letters.
    names: &'static [&'static str],
    /// The parameters that it reads.
    parameters: &'static [&'static str],
    /// Parameters that can be given and mean nothing here: how an outside service does its work, how much is said.
    harmless: &'static [&'static str],
    /// Does the work.
    run: fn(&Parameters, &mut Scene<'_>) -> Result<Done, BuiltInError>,
}

/// What runs in place of a step's image or action.
#[derive(Clone)]
pub struct BuiltIn {
    definition: &'static Definition,
    name: String,
    version: String,
}

impl std::fmt::Debug for BuiltIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("BuiltIn").field(&self.name).finish()
    }
}

/// What runs in place of a step's image or action; `None` when nothing does.
///
/// A step with commands or another entry point uses the image for itself, and keeps it.
#[must_use]
pub fn of(step: &Step) -> Option<Result<BuiltIn, BuiltInError>> {
    let image = || step.container.as_ref()?.image.now();
    match &step.action {
        Action::Plugin { settings } => {
            let built_in = named(short_name(image()?))?;
            Some(built_in.knowing(settings.keys()))
        }
        Action::Uses {
            reference, with, ..
        } => of_action(reference, with.keys()),
        Action::Image {
            entrypoint,
            command,
        } if entrypoint.is_empty() && command.is_empty() && step.role == Role::Clone => {
            named(short_name(image()?)).map(Ok)
        }
        Action::Image { .. } | Action::Commands { .. } | Action::Run { .. } => None,
    }
}

/// What runs in place of an action (`OWNER/NAME@VERSION`) that is given inputs of these names; `None` when nothing does.
pub fn of_action<'a>(
    reference: &str,
    inputs: impl IntoIterator<Item = &'a String>,
) -> Option<Result<BuiltIn, BuiltInError>> {
    let mut built_in = named(&action_name(reference)?)?;
    let version = reference.rsplit_once('@');
    built_in.version = version.map_or_else(String::new, |(_, version)| version.to_owned());
    Some(built_in.knowing(inputs))
}

/// The built-in of an image in its short form, or of an action without its version.
fn named(name: &str) -> Option<BuiltIn> {
    let lower = name.to_ascii_lowercase();
    let definition = ALL
        .iter()
        .find(|definition| definition.names.contains(&lower.as_str()))?;
    Some(BuiltIn {
        definition,
        name: name.to_owned(),
        version: String::new(),
    })
}

/// An action without its version.
fn action_name(reference: &str) -> Option<String> {
    match Uses::parse(reference).ok()? {
        Uses::Repository {
            owner,
            repository,
            path,
            ..
        } if path.is_empty() => Some(format!("{owner}/{repository}")),
        Uses::Repository {
            owner,
            repository,
            path,
            ..
        } => Some(format!("{owner}/{repository}/{path}")),
        Uses::Image { image } => Some(short_name(&image).to_owned()),
        Uses::Local { .. } => None,
    }
}

impl Definition {
    fn knows(&self, parameter: &str) -> bool {
        let wanted = parameters::normal(parameter);
        let mut known = self.parameters.iter().chain(self.harmless);
        known.any(|known| parameters::normal(known) == wanted)
    }

    fn nearest(&self, parameter: &str) -> Option<String> {
        nearest(parameter, self.parameters.iter().copied()).map(str::to_owned)
    }
}

impl BuiltIn {
    /// The image or action as it is known, without tag or version.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The built-in, unless it is given a parameter that it does not know.
    fn knowing<'a>(
        self,
        given: impl IntoIterator<Item = &'a String>,
    ) -> Result<Self, BuiltInError> {
        let unknown = given.into_iter().find(|name| !self.definition.knows(name));
        match unknown {
            None => Ok(self),
            Some(parameter) => Err(BuiltInError::UnknownParameter {
                nearest: self.definition.nearest(parameter),
                built_in: self.name,
                parameter: parameter.clone(),
            }),
        }
    }

    /// Whether the step names no cluster, so that it would be the engine of the installation.
    pub(crate) fn wants_own_engine(&self, step: &Step) -> bool {
        let deploys = kubernetes::DEFINITION.names;
        deploys.contains(&self.name.to_ascii_lowercase().as_str())
            && !kubernetes::is_elsewhere(step)
    }

    /// Does the step's work.
    ///
    /// # Errors
    /// [`BuiltInError`] when a parameter is wrong or something that it asks for goes wrong. The step has failed then.
    pub fn run(&self, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
        let name = (self.name.as_str(), self.version.as_str());
        let parameters = Parameters::new(name, scene.environment, scene.inputs);
        (self.definition.run)(&parameters, scene)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ALL, action_name, named};

    #[test]
    fn each_name_stands_for_one_built_in() {
        let mut seen = BTreeSet::new();
        for name in ALL.iter().flat_map(|definition| definition.names) {
            assert!(seen.insert(name), "`{name}` is there twice");
            assert_eq!(name.to_ascii_lowercase(), *name);
        }
    }

    #[test]
    fn parameters_are_either_read_or_harmless() {
        for definition in ALL {
            for name in definition.harmless {
                let both = definition.parameters.contains(name);
                assert!(!both, "`{name}` of `{}`", definition.names[0]);
            }
        }
    }

    #[test]
    fn actions_are_found_without_their_version() {
        for (reference, expected) in [
            ("actions/checkout@v4", Some("actions/checkout")),
            ("actions/cache/save@v4", Some("actions/cache/save")),
            ("docker://plugins/slack:1", Some("plugins/slack")),
            ("./a", None),
        ] {
            assert_eq!(action_name(reference).as_deref(), expected);
        }
        assert!(named("Actions/Checkout").is_some());
        assert!(named("someone/checkout").is_none());
    }
}
