//! The images on which others are built: those of actions with a Dockerfile, and those of steps that build.

use std::collections::BTreeMap;
use std::path::Path;

use sampan_build::{BuildError, BuildRequest};
use sampan_model::yaml::Location;
use sampan_oci::{ContentStore, Reference};
use sampan_pipeline::built_in::image_source;
use sampan_pipeline::github::action::{Action as ActionFile, Runs};
use sampan_pipeline::graph::{Graph, Stage, Step};
use sampan_pipeline::supplies::SupplyError;

use super::{Found, within};
use crate::failure::Failure;
use crate::ui::Ui;

/// Images on which others are built, with who needs them first.
#[derive(Default)]
pub(super) struct Bases {
    of_actions: BTreeMap<Reference, Location>,
    /// Of what steps build. A pipeline may make the Dockerfile, or the image itself, so that nothing must be there.
    of_steps: BTreeMap<Reference, Location>,
}

impl Bases {
    /// Adds those of an action.
    pub(super) fn add_action(
        &mut self,
        folder: &Path,
        action: &ActionFile,
        location: &Location,
    ) -> Result<(), BuildError> {
        let Runs::Container(container) = &action.runs else {
            return Ok(());
        };
        if container.image.starts_with("docker://") {
            return Ok(());
        }
        let bases = sampan_build::base_images(&BuildRequest {
            context: folder.to_owned(),
            dockerfile: Some(folder.join(&container.image)),
            ..BuildRequest::default()
        })?;
        add(&mut self.of_actions, bases, location);
        Ok(())
    }

    /// Adds those of the images that the steps of a graph build from Dockerfiles of the source tree.
    pub(super) fn add_graph(&mut self, graph: &Graph, tree: &Path) {
        for stage in &graph.stages {
            for step in &stage.steps {
                if let Some(bases) = bases_of_step(stage, step, tree) {
                    add(&mut self.of_steps, bases, &step.location);
                }
            }
        }
    }

    /// The images of actions that are not here.
    pub(super) fn missing(&self, store: &ContentStore) -> Result<Vec<SupplyError>, Failure> {
        let mut missing = Vec::new();
        for (base, location) in &self.of_actions {
            if store.resolve(base)?.is_none() {
                missing.push(SupplyError::NoImage {
                    location: location.clone(),
                    name: base.familiar(),
                    mapped: base.familiar(),
                });
            }
        }
        Ok(missing)
    }

    /// Those that are here, by the names that Dockerfiles have for them.
    pub(super) fn found(&self, store: &ContentStore, ui: &Ui) -> Result<Vec<Found>, Failure> {
        let mut found = Vec::new();
        for (base, location) in self.of_actions.iter().chain(&self.of_steps) {
            match store.resolve(base)? {
                Some(descriptor) => found.push(Found {
                    name: base.familiar(),
                    local: base.clone(),
                    descriptor,
                }),
                None => ui.note(format!(
                    "{location}: the image is built on `{}`, which is not here and left out",
                    base.familiar()
                )),
            }
        }
        Ok(found)
    }
}

fn add(known: &mut BTreeMap<Reference, Location>, bases: Vec<Reference>, location: &Location) {
    for base in bases {
        known.entry(base).or_insert_with(|| location.clone());
    }
}

/// The images that a step's build takes over; nothing when it builds none, or its Dockerfile is not in the source tree.
fn bases_of_step(stage: &Stage, step: &Step, tree: &Path) -> Option<Vec<Reference>> {
    let source = image_source(step)?;
    let in_tree = |path: &str| {
        let below = Path::new(path);
        let below = below.strip_prefix(&stage.workspace.path).unwrap_or(below);
        below.is_relative().then(|| below.to_owned())
    };
    let context = within(tree, &in_tree(&source.context)?)?;
    let dockerfiles = source.dockerfiles.iter();
    let mut dockerfiles = dockerfiles.filter_map(|path| within(tree, &in_tree(path)?));
    let dockerfile = dockerfiles.find(|path| path.is_file())?;
    let bases = sampan_build::base_images(&BuildRequest {
        context,
        dockerfile: Some(dockerfile),
        target: source.target,
        args: source.arguments,
        ..BuildRequest::default()
    });
    // What is wrong with a Dockerfile is said by the build; a step may change it before.
    bases.ok()
}
