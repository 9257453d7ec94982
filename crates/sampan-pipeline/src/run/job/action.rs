//! Actions of `uses`: built-ins, composite actions, programs of Node.js, and containers.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};

use super::composite::{Frame, Performed};
use super::hash_files::Workspace;
use super::node::Node;
use super::{Job, JobError, RUNNER, evaluate};
use crate::github::Uses;
use crate::github::action::{Action as ActionFile, Runs};
use crate::github::environment::inputs as action_inputs;
use crate::github::plan::composite;
use crate::run::environment::Variables;
use crate::run::folder;
use crate::run::log::Log;
use crate::run::step::StepError;
use crate::run::{RunError, snapshot};
use crate::supplies::action_name;

/// How deep composite actions may use each other; GitHub's own limit.
const LIMIT_DEPTH: usize = 10;

/// The longest `action.yml` that is read.
const LIMIT_BYTES: u64 = 1 << 20;

/// What an action is that has no `action.yml`.
const DOCKERFILE: &str = "Dockerfile";

/// An action as a step uses it.
pub(super) struct Used {
    /// The name of the step.
    pub(super) step: String,
    pub(super) reference: String,
    pub(super) inputs: BTreeMap<String, String>,
    pub(super) variables: Variables,
}

/// The folder of an action.
pub(super) struct Place {
    /// On the machine.
    pub(super) folder: PathBuf,
    /// In containers.
    pub(super) inside: String,
}

impl Job {
    /// Runs an action.
    pub(super) fn run_action(
        &self,
        frame: &mut Frame<'_, '_>,
        mut used: Used,
        log: &mut Log,
    ) -> Result<Performed, StepError> {
        if let Ok(Uses::Image { image }) = Uses::parse(&used.reference) {
            return self.run_image(frame, &image, used, log);
        }
        let (place, action) = self.open(frame, &mut used)?;
        match &action.runs {
            Runs::Composite { .. } => self.composite(frame, &action, used, log),
            Runs::Node {
                version,
                main,
                post,
                ..
            } => {
                let node = Node {
                    version,
                    main,
                    post: post.as_ref(),
                    inside: &place.inside,
                };
                self.node(frame, &node, used, log)
            }
            Runs::Container(own) => self.docker(frame, own, &place, &used, log),
        }
    }

    /// Finds an action that has files and reads what it is; the frame and the inputs are as it sees them then.
    pub(super) fn open(
        &self,
        frame: &mut Frame<'_, '_>,
        used: &mut Used,
    ) -> Result<(Place, ActionFile), StepError> {
        let reference = &*used.reference;
        if frame.within.len() >= LIMIT_DEPTH {
            return Err(JobError::Depth { limit: LIMIT_DEPTH }.into());
        }
        let place = match Uses::parse(reference) {
            Ok(Uses::Local { path }) => local(frame, &path),
            Ok(Uses::Repository { .. }) => self.vendored(frame, reference)?,
            Ok(Uses::Image { .. }) | Err(_) => {
                let reference = reference.to_owned();
                return Err(JobError::NoAction { reference }.into());
            }
        };
        let action = read(&place.folder, &frame.run.folders.workspace(), reference)?;
        frame.action_path = Some(place.inside.clone());
        let name = reference.split('@').next().unwrap_or(reference);
        let name = name.replace(['/', '.'], "_");
        name.trim_matches('_').clone_into(&mut frame.action);
        used.inputs = {
            let workspace = Workspace::of(frame.run);
            let contexts = self.contexts(frame, &used.variables, &workspace);
            action_inputs(&action, &used.inputs, &contexts).map_err(|source| {
                StepError::Expression {
                    expression: format!("inputs of {reference}"),
                    source: Box::new(source),
                }
            })?
        };
        Ok((place, action))
    }

    /// Brings the repository of an action to where the containers of the job see it; all of it, as an action in a folder may
    /// use what lies beside that.
    fn vendored(&self, frame: &Frame<'_, '_>, reference: &str) -> Result<Place, StepError> {
        let missing = || JobError::NoAction {
            reference: reference.to_owned(),
        };
        let repository = action_name(reference).ok_or_else(missing)?;
        let path = reference.split('@').next().unwrap_or(reference);
        let below = path.splitn(3, '/').nth(2).unwrap_or_default();
        let name = folder::name(&repository);
        let target = self.root.join("actions").join(&name);
        if !target.exists() {
            let source = frame.run.shared.run.ports.action(&repository)?;
            std::fs::create_dir_all(&target).map_err(RunError::io("make", &target))?;
            snapshot::restore(&source, &target).map_err(RunError::io("copy", &source))?;
        }
        let folder = target.join(crate::path::join("", below));
        // Links of the repository must not lead out of it.
        let real = |path: &Path| path.canonicalize().ok();
        let root = real(&target).ok_or_else(missing)?;
        let folder = real(&folder).filter(|folder| folder.starts_with(&root));
        Ok(Place {
            folder: folder.ok_or_else(missing)?,
            inside: crate::path::join(&format!("{RUNNER}/actions/{name}"), below),
        })
    }

    fn composite(
        &self,
        frame: &Frame<'_, '_>,
        action: &ActionFile,
        used: Used,
        log: &mut Log,
    ) -> Result<Performed, StepError> {
        let steps = composite(action).map_err(JobError::Pipeline)?;
        let mut inner = frame.inner(&used.inputs, used.variables);
        let ending = self.run_composite(&mut inner, &steps, log);
        let workspace = Workspace::of(frame.run);
        let variables = inner.variables(self);
        let contexts = self.contexts(&inner, &variables, &workspace);
        let mut outputs = BTreeMap::new();
        for (name, value) in &action.outputs {
            if let Some(value) = value {
                outputs.insert(name.clone(), evaluate(value, &contexts)?);
            }
        }
        Ok(Performed { ending, outputs })
    }
}

fn local(frame: &Frame<'_, '_>, path: &str) -> Place {
    let workspace = &frame.run.stage.workspace;
    let tree = Path::new(&workspace.path)
        .strip_prefix(&workspace.base)
        .unwrap_or(Path::new(""));
    // Whatever it begins with, it counts from the source tree.
    let path = path.strip_prefix("$/").unwrap_or(path);
    let path = path.trim_start_matches('/');
    let joined = crate::path::join("", path);
    Place {
        folder: frame.run.folders.workspace().join(tree).join(&joined),
        inside: crate::path::join(&workspace.path, path),
    }
}

/// Reads the `action.yml` of a folder. One of the workspace is not looked for outside of it, whatever its links say.
pub(in crate::run) fn read(
    folder: &Path,
    workspace: &Path,
    reference: &str,
) -> Result<ActionFile, StepError> {
    let refuse = |source: std::io::Error| JobError::Action {
        reference: reference.to_owned(),
        source,
    };
    let (root, inside) = match folder.strip_prefix(workspace) {
        Ok(inside) => (workspace, inside),
        Err(_) => (folder, Path::new("")),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = openat(CWD, root, flags, Mode::empty()).map_err(|error| refuse(error.into()))?;
    for name in ["action.yml", "action.yaml"] {
        let path = inside.join(name);
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let file = match openat2(&root, &path, flags, Mode::empty(), resolve) {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT) => continue,
            Err(error) => return Err(refuse(error.into()).into()),
        };
        let mut text = String::new();
        file.take(LIMIT_BYTES)
            .read_to_string(&mut text)
            .map_err(refuse)?;
        let shown = format!("{reference}/{name}");
        return Ok(ActionFile::parse(&shown, &text).map_err(JobError::Pipeline)?);
    }
    // A repository may have a Dockerfile alone; its action is to build and run it.
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let dockerfile = inside.join(DOCKERFILE);
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    if openat2(&root, &dockerfile, flags, Mode::empty(), resolve).is_ok() {
        return Ok(ActionFile::of_dockerfile(DOCKERFILE));
    }
    Err(JobError::NoAction {
        reference: reference.to_owned(),
    }
    .into())
}
