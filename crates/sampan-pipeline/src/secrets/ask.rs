//! Who asks for a secret.

use crate::build::Build;
use crate::graph::{Action, Stage, Step};

/// Who asks for a secret.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The run.
    pub build: &'a Build,
    /// The image or the action that would get the secret, as written; `None` where a script would.
    pub image: Option<&'a str>,
    /// Whether the image does what it is made for: nobody else's commands run in it.
    pub is_plugin: bool,
}

impl<'a> Asker<'a> {
    /// The run itself, for what is no step: logins to registries, outputs.
    #[must_use]
    pub fn of_build(build: &'a Build) -> Self {
        Self {
            build,
            image: None,
            is_plugin: false,
        }
    }

    /// A step of a stage.
    #[must_use]
    pub fn of_step(build: &'a Build, stage: &'a Stage, step: &'a Step) -> Self {
        let own = step.container.as_ref().or(stage.container.as_ref());
        let own = own.and_then(|container| container.image.now());
        let (image, is_plugin) = match &step.action {
            Action::Plugin { .. } => (own.map(String::as_str), true),
            Action::Uses { reference, .. } => {
                let image = reference.strip_prefix("docker://").unwrap_or(reference);
                (Some(image), true)
            }
            Action::Image { .. } | Action::Commands { .. } => (own.map(String::as_str), false),
            Action::Run { .. } => (None, false),
        };
        Self {
            build,
            image,
            is_plugin,
        }
    }
}
