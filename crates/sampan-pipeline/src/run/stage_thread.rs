//! The thread of a stage: makes its folders and its network, runs it, and takes both away.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sampan_model::{Causes, Hint as _};

use super::description::StageFolders;
use super::interrupt::Interrupt;
use super::job::{self, EarlierJob, Job};
use super::masks::hide;
use super::message::{StageEnd, What};
use super::network::StageNetwork;
use super::shared::Shared;
use super::snapshot;
use super::stage::{Done, StepsEnd};
use super::stage_run::StageRun;
use super::step::StepError;
use super::workflow::Given;
use super::{RunError, StageOutcome, StepOutcome, folder, memory_volumes};
use crate::github::command::{Annotation, Severity};
use crate::graph::{Deferred, Stage};
use crate::mask::Secrets;
use crate::plan::End;
use crate::results::Results;
use crate::secrets::Asker;

/// What an earlier run has done already.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    /// Stages that count as they ended.
    pub(super) stages: BTreeMap<String, StageOutcome>,
    /// The stage that is gone on with.
    pub(super) resume: Option<(String, ResumeStage)>,
}

/// Where a stage is gone on with.
#[derive(Debug, Clone, Default)]
pub(super) struct ResumeStage {
    /// Steps that count as they ended.
    pub(super) done: Done,
    /// How they ended.
    pub(super) kept: Vec<StepOutcome>,
    /// The workspace as it was.
    pub(super) workspace: Option<PathBuf>,
    /// What the job had gathered, where the stage is one of GitHub.
    pub(super) job: Option<EarlierJob>,
}

impl Earlier {
    pub(super) fn resume_of(&self, stage: &str) -> ResumeStage {
        match &self.resume {
            Some((id, resume)) if id == stage => resume.clone(),
            _ => ResumeStage::default(),
        }
    }
}

/// What a stage begins with.
pub(super) struct Start<'a> {
    pub(super) shared: &'a Shared<'a>,
    pub(super) stage: Arc<Stage>,
    pub(super) id: Arc<str>,
    pub(super) ends: Interrupt,
    pub(super) resume: ResumeStage,
    /// What a job of GitHub sees, or why it cannot begin.
    pub(super) given: Result<Option<Given>, String>,
}

/// Tells the end of a stage whatever happens on its thread.
struct TellEnd<'a> {
    shared: &'a Shared<'a>,
    id: Arc<str>,
    began: Instant,
    end: Option<StageEnd>,
}

impl TellEnd<'_> {
    fn end(&self, end: End, reason: Option<String>) -> StageEnd {
        StageEnd {
            end,
            reason,
            outputs: BTreeMap::new(),
            results: Results::default(),
            masks: None,
            duration: self.began.elapsed(),
        }
    }
}

impl Drop for TellEnd<'_> {
    fn drop(&mut self) {
        let end = self.end.take().unwrap_or_else(|| {
            let reason = "the program failed while it ran the stage".to_owned();
            self.end(End::Failure(None), Some(reason))
        });
        self.shared.tell(&self.id, What::Ended(end));
    }
}

/// Runs a stage to its end, and tells it.
pub(super) fn run(start: &Start<'_>) {
    let mut tell = TellEnd {
        shared: start.shared,
        id: Arc::clone(&start.id),
        began: Instant::now(),
        end: None,
    };
    let ran = run_stage(start);
    tell.end = Some(match ran {
        Ok(Ran {
            end,
            outputs,
            masks,
        }) => StageEnd {
            outputs,
            masks,
            ..tell.end(end.end, end.reason)
        },
        Err(error) => {
            let hint = error.hint().map(|hint| format!("; {hint}"));
            let reason = format!("{}{}", Causes(&error), hint.unwrap_or_default());
            tell.end(End::Failure(None), Some(reason))
        }
    });
}

/// How a stage went.
struct Ran {
    end: StepsEnd,
    outputs: BTreeMap<String, String>,
    masks: Option<Secrets>,
}

impl From<StepsEnd> for Ran {
    fn from(end: StepsEnd) -> Self {
        Self {
            end,
            outputs: BTreeMap::new(),
            masks: None,
        }
    }
}

fn run_stage(start: &Start<'_>) -> Result<Ran, StepError> {
    let given = match &start.given {
        Ok(given) => given.clone(),
        Err(reason) => {
            return Ok(Ran::from(StepsEnd {
                end: End::Failure(None),
                reason: Some(reason.clone()),
            }));
        }
    };
    if let Some(given) = &given
        && start.stage.steps.is_empty()
    {
        return call(start, given);
    }
    let (shared, stage) = (start.shared, &*start.stage);
    let run = shared.run.folder;
    let folders = StageFolders {
        root: run.join("stages").join(folder::name(&stage.id)),
    };
    let logs = run.join("logs").join(folder::name(&stage.id));
    for path in [folders.workspace(), logs.clone()] {
        std::fs::create_dir_all(&path).map_err(RunError::io("make", &path))?;
    }
    if let Some(snapshot) = &start.resume.workspace {
        snapshot::restore(snapshot, &folders.workspace())
            .map_err(RunError::io("restore", snapshot))?;
    }
    // Unmounted when all containers have ended.
    let _memory = memory_volumes::mount(&folders, stage)?;
    let network = StageNetwork::make(shared.bridge()?, run, stage)?;
    let deadline = deadline(start, given.as_ref())?;
    let mut stage_run = StageRun {
        job: None,
        given: given.clone(),
        service_ids: Mutex::default(),
        shared,
        stage,
        id: Arc::clone(&start.id),
        folders,
        logs,
        masks: shared.masks_of_stage(),
        network,
        ends: start.ends.clone(),
        services: Interrupt::default(),
        deadline,
    };
    if let Some(given) = given {
        let earlier = start.resume.job.as_ref();
        stage_run.job = Some(Job::begin(&mut stage_run, given, earlier)?);
    }
    let ended = stage_run.run(&start.resume.done);
    let mut ran = Ran::from(ended);
    if let Some(job) = &stage_run.job {
        let masks = stage_run.masks.current();
        let outputs = job.outputs(&stage_run)?;
        ran.outputs = open(outputs, &masks, &mut |what| stage_run.tell(what));
        ran.end.reason = ran.end.reason.map(|reason| hide(&reason, &masks));
        ran.masks = Some(masks);
    }
    Ok(ran)
}

/// When the time of a stage that begins now is over.
fn deadline(start: &Start<'_>, given: Option<&Given>) -> Result<Option<Instant>, StepError> {
    let limit = match &start.stage.timeout {
        Some(Deferred::Now(limit)) => Some(*limit),
        Some(Deferred::Later(later)) => {
            let minutes = match given {
                Some(given) => {
                    let asker = Asker::of_build(start.shared.run.build);
                    let contexts = given.contexts(&asker);
                    job::evaluate(&Deferred::Later(later.clone()), &contexts)?
                }
                None => String::new(),
            };
            let minutes: f64 = minutes.parse().unwrap_or(360.0);
            Duration::try_from_secs_f64(minutes * 60.0).ok()
        }
        None => None,
    };
    Ok(limit.and_then(|limit| Instant::now().checked_add(limit)))
}

/// The beginning or the end of a workflow that was called: nothing runs, but it may have outputs.
fn call(start: &Start<'_>, given: &Given) -> Result<Ran, StepError> {
    let masks = start.shared.masks_of_stage();
    masks.know(given.secrets.values());
    let contexts = given.contexts(&Asker::of_build(start.shared.run.build));
    let mut outputs = BTreeMap::new();
    for (name, text) in &start.stage.outputs {
        outputs.insert(name.clone(), job::evaluate(text, &contexts)?);
    }
    let outputs = open(outputs, &masks.current(), &mut |what| {
        start.shared.tell(&start.id, what);
    });
    Ok(Ran {
        outputs,
        ..Ran::from(StepsEnd {
            end: End::Success,
            reason: None,
        })
    })
}

/// The outputs in which there is nothing to be masked. Others would be kept in clear, and given to steps that may not
/// have the secret.
fn open(
    outputs: BTreeMap<String, String>,
    masks: &Secrets,
    tell: &mut dyn FnMut(What),
) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for (name, value) in outputs {
        if hide(&value, masks) == value {
            kept.insert(name, value);
        } else {
            let message =
                format!("the output `{name}` is not passed on, since it contains a secret");
            tell(What::Annotation {
                step: usize::MAX,
                annotation: Annotation::without_place(Severity::Warning, message),
            });
        }
    }
    kept
}
