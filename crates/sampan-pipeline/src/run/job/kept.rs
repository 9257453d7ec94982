//! What a job has gathered before a step, kept so that it can be gone on with from there.
//!
//! ```text
//! stages/STAGE/job/STEP.json   results, variables, folders, masks, and what is to be done at the end
//! ```
//!
//! The folders of the runner and what the job has changed in its container are not copied before each step: they are taken
//! as the earlier run has left them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sampan_model::Causes;
use sampan_oci::durable;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::node::NodeProgram;
use super::post::PostAction;
use super::pre::reference;
use super::veil::{each_text, secrets, unveiled, veiled};
use super::{Job, JobError, JobState, Post, Site};
use crate::built_in;
use crate::github::context::{Conclusion, StepResult};
use crate::github::matcher::Matchers;
use crate::graph::{Action, Deferred, Expression, Step};
use crate::run::environment::Variables;
use crate::run::stage_run::StageRun;
use crate::run::step::StepError;
use crate::run::workflow::Given;
use crate::run::{RunError, folder, snapshot};

/// The folders of the runner that a job goes on with.
const FOLDERS: [&str; 4] = ["home", "temp", "tools", "actions"];

/// Where a job was, in an earlier run.
#[derive(Debug, Clone)]
pub(in crate::run) struct EarlierJob {
    file: PathBuf,
    runner: PathBuf,
}

/// What a job has gathered. Secrets are in it by their names only.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptJob {
    steps: Vec<StepResult>,
    variables: Variables,
    paths: Vec<String>,
    /// What steps have masked; secrets are not kept.
    masked: Vec<String>,
    posts: Vec<KeptPost>,
    saved: Vec<KeptSaved>,
    prepared: BTreeMap<String, String>,
    matchers: Value,
    /// The layers of the image.
    image: Vec<PathBuf>,
    /// What earlier runs have changed in it, the newest first.
    changed: Vec<PathBuf>,
}

/// Where an action is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KeptSite {
    /// The step of the job.
    step: String,
    /// The numbers of the steps of composite actions in it.
    within: Vec<usize>,
}

/// What an action has saved for what it does later.
#[derive(Debug, Serialize, Deserialize)]
struct KeptSaved {
    site: KeptSite,
    values: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptPost {
    site: KeptSite,
    title: String,
    condition: Option<String>,
    what: KeptAction,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptAction {
    Node {
        reference: String,
        version: String,
        path: String,
        action_path: String,
        variables: Variables,
    },
    BuiltIn {
        reference: String,
        inputs: BTreeMap<String, String>,
        variables: Variables,
    },
    Container {
        image: String,
        entrypoint: String,
        variables: Variables,
    },
}

/// The file of a step.
fn file(stage: &Path, step: &str) -> PathBuf {
    let name = folder::name(step);
    stage.join("job").join(format!("{name}.json"))
}

/// Changes all texts of a kept job that may hold secrets; where layers lie is told by this program.
fn each_secret_text(json: &mut Value, change: &mut dyn FnMut(&mut String)) {
    let parts = json.as_object_mut().into_iter().flatten();
    for (_, part) in parts.filter(|(name, _)| !matches!(&***name, "image" | "changed")) {
        each_text(part, change);
    }
}

impl EarlierJob {
    /// The job of a stage's folder as it was before a step, if that was kept.
    pub(in crate::run) fn of(stage: &Path, step: &str) -> Option<Self> {
        let file = file(stage, step);
        file.is_file().then(|| Self {
            file,
            runner: stage.join("runner"),
        })
    }

    /// What the job had gathered.
    pub(super) fn read(&self, run: &StageRun<'_>, given: &Given) -> Result<KeptJob, RunError> {
        let bytes = std::fs::read(&self.file).map_err(RunError::io("read", &self.file))?;
        let no_state = |source| RunError::State {
            path: self.file.clone(),
            source,
        };
        let mut json = serde_json::from_slice(&bytes).map_err(no_state)?;
        let secrets = secrets(run, given);
        each_secret_text(&mut json, &mut |text| *text = unveiled(text, &secrets));
        serde_json::from_value(json).map_err(no_state)
    }

    /// Brings the folders of the runner back.
    pub(super) fn restore(&self, root: &Path) -> Result<(), RunError> {
        for name in FOLDERS {
            let source = self.runner.join(name);
            if source.is_dir() {
                snapshot::restore(&source, &root.join(name))
                    .map_err(RunError::io("restore", source))?;
            }
        }
        Ok(())
    }

    /// What was changed in the job's container, the newest first; nothing when it has another image now.
    pub(super) fn changed(
        &self,
        kept: &KeptJob,
        image: &[PathBuf],
    ) -> Result<Vec<PathBuf>, JobError> {
        if kept.image != image {
            tracing::warn!(
                "the job has another image now: what steps changed in the old one is not there"
            );
            return Ok(Vec::new());
        }
        let mut changed = vec![self.runner.join("upper")];
        changed.extend(kept.changed.iter().cloned());
        match changed.iter().find(|path| !path.is_dir()) {
            Some(gone) => Err(JobError::Gone { path: gone.clone() }),
            None => Ok(changed),
        }
    }
}

impl Job {
    /// Keeps what the job has gathered before a step.
    pub(in crate::run) fn keep_for_resume(
        &self,
        run: &StageRun<'_>,
        step: &Step,
    ) -> Result<(), RunError> {
        let kept = {
            let state = self.state();
            KeptJob {
                steps: state.steps.clone(),
                variables: state.variables.clone(),
                paths: state.paths.clone(),
                masked: run.masks.by_steps(),
                posts: state
                    .posts
                    .iter()
                    .filter_map(|post| post.kept(run))
                    .collect(),
                saved: state
                    .saved
                    .iter()
                    .filter_map(|(site, values)| {
                        let site = KeptSite::of(site, run)?;
                        let values = values.clone();
                        Some(KeptSaved { site, values })
                    })
                    .collect(),
                prepared: state.prepared.clone(),
                matchers: state.matchers.to_json(),
                image: self.layers.clone(),
                changed: self.changed.clone(),
            }
        };
        let path = file(&run.folders.root, &step.name);
        let folder = run.folders.root.join("job");
        std::fs::create_dir_all(&folder).map_err(RunError::io("make", &folder))?;
        let mut json = serde_json::to_value(&kept).map_err(|source| RunError::State {
            path: path.clone(),
            source,
        })?;
        let secrets = secrets(run, &self.given);
        each_secret_text(&mut json, &mut |text| *text = veiled(text, &secrets));
        durable::write(&path, json.to_string().as_bytes()).map_err(RunError::io("write", path))
    }
}

impl KeptSite {
    fn of((number, within): &Site, run: &StageRun<'_>) -> Option<Self> {
        Some(Self {
            step: run.stage.steps.get(*number)?.name.clone(),
            within: within.clone(),
        })
    }

    /// Where it is now; nowhere when the job has lost the step.
    fn site(&self, run: &StageRun<'_>) -> Option<Site> {
        let mut steps = run.stage.steps.iter();
        let number = steps.position(|step| step.name == self.step)?;
        Some((number, self.within.clone()))
    }
}

impl KeptJob {
    /// Puts what was gathered into a job that begins.
    pub(super) fn put(mut self, run: &StageRun<'_>, state: &mut JobState) -> Result<(), JobError> {
        for text in &self.masked {
            run.masks.add(text).map_err(|_| JobError::Masks)?;
        }
        self.forget_other_actions(run);
        let has_failed = |step: &StepResult| step.conclusion == Conclusion::Failure;
        if self.steps.iter().any(has_failed) {
            state.status = Conclusion::Failure;
        }
        state.steps = self.steps;
        state.variables = self.variables;
        state.paths = self.paths;
        state.prepared = self.prepared;
        // It was understood when it was kept.
        state.matchers = Matchers::of_json(self.matchers).unwrap_or_default();
        let saved = self.saved.into_iter();
        state.saved = saved
            .filter_map(|saved| Some((saved.site.site(run)?, saved.values)))
            .collect();
        for post in self.posts {
            let title = post.title.clone();
            match post.restored(run) {
                Ok(Some(post)) => state.posts.push(post),
                Ok(None) => tracing::warn!(title, "the job has no such step any more"),
                Err(error) => {
                    let error = Causes(&error);
                    tracing::warn!(title, %error, "cannot do at the end what the step has left");
                }
            }
        }
        Ok(())
    }

    /// Leaves out what actions have prepared for steps that run only now and use others.
    fn forget_other_actions(&mut self, run: &StageRun<'_>) {
        let steps = &run.stage.steps;
        let has_run = |name: &str| self.steps.iter().any(|step| step.id == name);
        let is_other = |name: &str, before: &str| {
            let now = steps.iter().find(|step| step.name == name);
            now.and_then(reference) != Some(before) && !has_run(name)
        };
        let prepared = self.prepared.iter();
        let others = prepared.filter(|(name, before)| is_other(name, before));
        let others: Vec<String> = others.map(|(name, _)| name.clone()).collect();
        let stays = |site: &KeptSite| !others.contains(&site.step);
        self.posts.retain(|post| stays(&post.site));
        self.saved.retain(|saved| stays(&saved.site));
        self.prepared.retain(|name, _| !others.contains(name));
    }
}

impl Post {
    fn kept(&self, run: &StageRun<'_>) -> Option<KeptPost> {
        let what = match &self.what {
            PostAction::Node {
                program,
                action_path,
                variables,
            } => KeptAction::Node {
                reference: program.reference.clone(),
                version: program.version.clone(),
                path: program.path.clone(),
                action_path: action_path.clone(),
                variables: variables.clone(),
            },
            PostAction::BuiltIn {
                step,
                inputs,
                variables,
                ..
            } => {
                let Action::Uses { reference, .. } = &step.action else {
                    return None;
                };
                KeptAction::BuiltIn {
                    reference: reference.clone(),
                    inputs: inputs.clone(),
                    variables: variables.clone(),
                }
            }
            PostAction::Container {
                image,
                entrypoint,
                variables,
            } => KeptAction::Container {
                image: image.name.clone(),
                entrypoint: entrypoint.clone(),
                variables: variables.clone(),
            },
        };
        Some(KeptPost {
            site: KeptSite::of(&self.site, run)?,
            title: self.title.clone(),
            condition: self.condition.as_ref().map(|c| c.expression.clone()),
            what,
        })
    }
}

impl KeptPost {
    /// What is to be done; nothing when the job has lost the step.
    fn restored(self, run: &StageRun<'_>) -> Result<Option<Post>, StepError> {
        let Some(site) = self.site.site(run) else {
            return Ok(None);
        };
        let what = match self.what {
            KeptAction::Node {
                reference,
                version,
                path,
                action_path,
                variables,
            } => PostAction::Node {
                program: NodeProgram {
                    reference,
                    version,
                    path,
                },
                action_path,
                variables,
            },
            KeptAction::BuiltIn {
                reference,
                inputs,
                variables,
            } => {
                let given = inputs.iter();
                let given = given.map(|(name, value)| (name.clone(), Deferred::Now(value.clone())));
                let step = Step {
                    action: Action::Uses {
                        reference: reference.clone(),
                        with: given.collect(),
                        environment: BTreeMap::new(),
                    },
                    ..run.stage.steps[site.0].clone()
                };
                let built_in = match built_in::of(&step) {
                    Some(Ok(built_in)) => built_in,
                    Some(Err(error)) => return Err(JobError::BuiltIn(Box::new(error)).into()),
                    None => return Err(JobError::NoAction { reference }.into()),
                };
                PostAction::BuiltIn {
                    built_in,
                    step: Box::new(step),
                    inputs,
                    variables,
                }
            }
            KeptAction::Container {
                image,
                entrypoint,
                variables,
            } => PostAction::Container {
                image: run.image_of(&image)?,
                entrypoint,
                variables,
            },
        };
        Ok(Some(Post {
            site,
            title: self.title,
            condition: self.condition.map(|expression| Expression {
                expression,
                location: run.stage.location.clone(),
            }),
            what,
        }))
    }
}
