//! The actions of steps and what they lead to: all of it must be here before anything starts.

use std::collections::BTreeSet;

use sampan_model::Causes;
use sampan_model::yaml::Location;

use super::check_named;
use crate::built_in;
use crate::github::Uses;
use crate::github::action::Runs;
use crate::github::plan::composite;
use crate::graph::{Action, Step};
use crate::run::error::Missing;
use crate::run::images::Images;
use crate::run::{Run, job};

/// Looks for actions.
pub(super) struct Actions<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) images: &'a Images,
    /// What was looked for already.
    pub(super) seen: &'a mut BTreeSet<String>,
    pub(super) missing: &'a mut Vec<Missing>,
}

impl Actions<'_> {
    /// Looks for what a step of the pipeline uses, and notes what is missing at its place. Such a step can be left out.
    pub(super) fn check(&mut self, step: &Step) {
        let before = self.missing.len();
        self.look(step, &step.location);
        let Action::Uses { reference, .. } = &step.action else {
            return;
        };
        let action = reference.split('@').next().unwrap_or(reference);
        for missing in &mut self.missing[before..] {
            let leave = format!("leave its steps out with `--exclude {action}`");
            missing.hint = Some(match missing.hint.take() {
                Some(hint) => format!("{hint}; or {leave}"),
                None => leave,
            });
        }
    }

    /// Looks for what a step uses, also one of an action. Actions of the tree are not looked for: a step may make them.
    fn look(&mut self, step: &Step, location: &Location) {
        let Action::Uses { reference, .. } = &step.action else {
            return;
        };
        if built_in::of(step).is_some() || !self.seen.insert(reference.clone()) {
            return;
        }
        match Uses::parse(reference) {
            Ok(Uses::Image { image }) => self.image(&image, location),
            Ok(Uses::Repository { .. }) => self.action(reference, location),
            Ok(Uses::Local { .. }) | Err(_) => {}
        }
    }

    fn image(&mut self, image: &str, location: &Location) {
        check_named(self.run, image, self.images, location, self.missing);
    }

    fn action(&mut self, reference: &str, location: &Location) {
        let mut miss = |what, hint| {
            self.missing.push(Missing {
                location: location.clone(),
                what,
                hint,
            });
        };
        let folder = match self.run.ports.action(reference) {
            Ok(folder) => folder,
            Err(error) => return miss(error.message, error.hint),
        };
        let action = match job::read_action(&folder, &folder, reference) {
            Ok(action) => action,
            Err(error) => return miss(Causes(&error).to_string(), None),
        };
        match &action.runs {
            Runs::Composite { .. } => {
                let steps = match composite(&action) {
                    Ok(steps) => steps,
                    Err(error) => return miss(error.to_string(), None),
                };
                for step in &steps {
                    if let Some(Err(error)) = built_in::of(step) {
                        miss(
                            format!("`{}` of `{reference}` cannot run: {error}", step.name),
                            sampan_model::Hint::hint(&error),
                        );
                    }
                }
                for step in &steps {
                    self.look(step, location);
                }
            }
            Runs::Container(container) => {
                if let Some(image) = container.image.strip_prefix("docker://") {
                    self.image(image, location);
                }
            }
            Runs::Node { .. } => {}
        }
    }
}
