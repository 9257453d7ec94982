//! What is done before anything starts: the graph as the user wants it, everything that it needs found, and what an
//! earlier run has done already.

mod actions;

use std::collections::{BTreeMap, BTreeSet};

use sampan_container::Resources;
use sampan_model::Hint as _;
use sampan_model::yaml::Location;

use super::error::Missing;
use super::images::Images;
use super::job::{self, EarlierJob, JobError};
use super::stage_thread::{Earlier, ResumeStage};
use super::workflow::WorkflowRun;
use super::{Executor, ImageRequest, Options, Outcome, Resume, Run, RunError, Source, StepOutcome};
use crate::built_in;
use crate::github::Options as ContainerOptions;
use crate::graph::{
    Container, Deferred, Dialect, EnvironmentValue, Graph, Reason, Role, Stage, Step,
};
use crate::plan::{End, State};
use crate::trust::{Violation, violations};
use actions::Actions;

/// The graph of a run with the steps that the user wants.
pub(super) fn graph(run: &Run<'_>) -> Result<Graph, RunError> {
    let mut graph = match run.source {
        Source::Graph(graph) => graph.clone(),
        Source::GitHub(source) => WorkflowRun::new(run, source)?.graph().clone(),
    };
    wanted(&mut graph, run.options);
    Ok(graph)
}

/// Notes which stages and steps the user does not want, and gives all of them what the user gives.
pub(super) fn wanted(graph: &mut Graph, options: &Options) {
    graph.choose(&options.matrix);
    let chosen = graph.with_needs(&options.stages);
    for stage in &mut graph.stages {
        let unwanted = if options.exclude.iter().any(|name| stage.is_called(name)) {
            Some("the user left it out")
        } else if !options.stages.is_empty() && !chosen.contains(&stage.id) {
            Some("the user wants other stages only")
        } else {
            None
        };
        stage.verdict.against.extend(unwanted.map(|text| Reason {
            location: None,
            text: text.to_owned(),
        }));
    }
    for step in graph.stages.iter_mut().flat_map(|stage| &mut stage.steps) {
        for (name, value) in &options.environment {
            let own = step.environment.entry(name.clone());
            own.or_insert_with(|| EnvironmentValue::Text(value.clone()));
        }
        let named = |names: &[String]| names.iter().any(|name| step.is_called(name));
        let unwanted = if named(&options.exclude) {
            Some("the user left it out")
        } else if step.role == Role::Step
            && !step.detached
            && !options.include.is_empty()
            && !named(&options.include)
        {
            Some("the user wants other steps only")
        } else {
            None
        };
        step.verdict.against.extend(unwanted.map(|text| Reason {
            location: None,
            text: text.to_owned(),
        }));
    }
}

/// Looks for everything that the run needs, and names all that is missing or not allowed.
pub(super) fn check(
    executor: &Executor,
    run: &Run<'_>,
    graph: &Graph,
    images: &Images,
) -> Result<(), RunError> {
    let mut missing = Vec::new();
    missing.extend(violations(graph, run.trust).into_iter().map(not_allowed));
    let mut seen = BTreeSet::new();
    for stage in graph.stages.iter().filter(|stage| stage.verdict.runs()) {
        check_platform(stage, &mut missing);
        missing.extend(stage.hindrance.as_ref().map(|hindrance| Missing {
            location: hindrance.location.clone(),
            what: format!("`{}` cannot run: {}", stage.id, hindrance.what),
            hint: hindrance.hint.clone(),
        }));
        check_machine(run, stage, images, &mut missing);
        if let Some(container) = &stage.container {
            check_image(run, container, images, &stage.location, &mut missing);
            check_options(container, &stage.location, &mut missing);
        }
        for step in stage.steps.iter().filter(|step| step.verdict.runs()) {
            check_step(run, step, images, &mut missing);
            check_swappiness(step, &mut missing);
            let mut actions = Actions {
                run,
                images,
                seen: &mut seen,
                missing: &mut missing,
            };
            actions.check(step);
        }
    }
    tracing::debug!(data = %executor.data.display(), missing = missing.len(), "looked at the run");
    if missing.is_empty() {
        Ok(())
    } else {
        Err(RunError::Planning(missing))
    }
}

fn not_allowed(violation: Violation) -> Missing {
    Missing {
        hint: violation.hint(),
        what: violation.sentence(),
        location: violation.location,
    }
}

/// Looks for what the control groups of this machine cannot do.
fn check_swappiness(step: &Step, missing: &mut Vec<Missing>) {
    let limits = step.container.as_ref().map(|container| &container.limits);
    let Some(swappiness) = limits.and_then(|limits| limits.swappiness) else {
        return;
    };
    let problem = if swappiness > 100 {
        "which is at most 100"
    } else if !Resources::swappiness_is_known() {
        "which the control groups of this machine, of version 2, do not have"
    } else {
        return;
    };
    missing.push(Missing {
        location: step.location.clone(),
        what: format!(
            "`{}` asks for `mem_swappiness: {swappiness}`, {problem}",
            step.name
        ),
        hint: Some("leave `mem_swappiness` out".to_owned()),
    });
}

fn check_platform(stage: &Stage, missing: &mut Vec<Missing>) {
    let os = stage.platform.os.as_deref().unwrap_or("linux");
    let machine = sampan_oci::image::machine_architecture();
    let arch = stage.platform.arch.as_deref().unwrap_or(machine);
    if os != "linux" || arch != machine {
        missing.push(Missing {
            location: stage.location.clone(),
            what: format!(
                "`{}` is to run on {os}/{arch}; this machine is linux/{machine}",
                stage.id
            ),
            hint: Some(format!(
                "leave it out with `--exclude '{}'`, or say what runs with `--stage` or `--matrix`",
                stage.id
            )),
        });
    }
}

/// Whether there is an image for a job without a container.
fn check_machine(run: &Run<'_>, stage: &Stage, images: &Images, missing: &mut Vec<Missing>) {
    let Source::GitHub(source) = run.source else {
        return;
    };
    let labels = stage.platform.labels.iter();
    let labels: Vec<String> = labels.map(|(label, _)| label.to_lowercase()).collect();
    if stage.container.is_some() || stage.steps.is_empty() || labels.is_empty() {
        return;
    }
    if let Some(image) = labels.iter().find_map(|label| source.runners.get(label)) {
        return check_named(run, image, images, &stage.location, missing);
    }
    let labels = labels.join(", ");
    missing.push(Missing {
        location: stage.location.clone(),
        what: format!("there is no image for jobs that run on `{labels}`"),
        hint: Some(format!(
            "name one for `{labels}` under `runners` in `ci.yaml`"
        )),
    });
}

fn check_step(run: &Run<'_>, step: &Step, images: &Images, missing: &mut Vec<Missing>) {
    match (built_in::of(step), &step.container) {
        (Some(Err(error)), _) => missing.push(Missing {
            location: step.location.clone(),
            what: format!("`{}` cannot run: {error}", step.name),
            hint: error.hint(),
        }),
        (None, Some(container)) if step.role != Role::Clone => {
            check_image(run, container, images, &step.location, missing);
            check_options(container, &step.location, missing);
        }
        (Some(Ok(_)) | None, _) => {}
    }
    for value in step.environment.values() {
        let mut wanted = |secret: &crate::graph::SecretUse| {
            if secret.required && run.secrets.get(&secret.name).is_none() {
                missing.push(Missing {
                    location: secret.location.clone(),
                    what: format!("`{}` needs the secret `{}`", step.name, secret.name),
                    hint: Some(format!("give it with `--secret {}=…`", secret.name)),
                });
            }
        };
        match value {
            EnvironmentValue::Secret(secret) => wanted(secret),
            EnvironmentValue::Setting(setting) => setting.secrets(&mut wanted),
            EnvironmentValue::Text(_) | EnvironmentValue::Later(_) => {}
        }
    }
}

/// Whether there is an image of this name.
fn check_named(
    run: &Run<'_>,
    name: &str,
    images: &Images,
    location: &Location,
    missing: &mut Vec<Missing>,
) {
    let container = Container {
        image: name.into(),
        ..Container::default()
    };
    check_image(run, &container, images, location, missing);
}

fn check_image(
    run: &Run<'_>,
    container: &Container,
    images: &Images,
    location: &Location,
    missing: &mut Vec<Missing>,
) {
    let Deferred::Now(name) = &container.image else {
        return;
    };
    // Where steps that rely on a machine name none, the hindrance of their stage is said.
    if name.is_empty() {
        return;
    }
    // A login may be needed to look elsewhere, but what is here is found without.
    let request = ImageRequest {
        name,
        pull: container.pull,
        login: None,
    };
    if let Err(error) = images.find(run.ports, &request) {
        missing.push(Missing {
            location: location.clone(),
            what: error.message,
            hint: error.hint,
        });
    }
}

/// Options that only the run can tell are looked at when it does.
fn check_options(container: &Container, location: &Location, missing: &mut Vec<Missing>) {
    let Some(Deferred::Now(options)) = &container.options else {
        return;
    };
    let checked = ContainerOptions::parse(options, location).map_err(JobError::from);
    if let Err(error) = checked.and_then(|options| job::check_options(&options)) {
        missing.push(Missing {
            location: location.clone(),
            what: error.to_string(),
            hint: error.hint(),
        });
    }
}

/// What an earlier run has done already, when one is gone on with.
pub(super) fn earlier(run: &Run<'_>, graph: &Graph) -> Result<Earlier, RunError> {
    let Some(resume) = &run.options.resume else {
        return Ok(Earlier::default());
    };
    let outcome = Outcome::read(&resume.folder)?;
    let refuse = |reason| RunError::Resume {
        folder: resume.folder.clone(),
        step: resume.step.clone(),
        reason,
    };
    let stage = graph
        .stage(&resume.stage)
        .ok_or_else(|| refuse("the pipeline has no such stage now"))?;
    let kept = outcome
        .stage(&resume.stage)
        .ok_or_else(|| refuse("it has no such stage"))?;
    let place = stage
        .steps
        .iter()
        .position(|step| step.name == resume.step)
        .ok_or_else(|| refuse("the stage has no such step now"))?;
    let again = dependents(stage, place);
    let mut done = BTreeMap::new();
    let mut kept_steps = Vec::new();
    for (place, step) in stage.steps.iter().enumerate() {
        let before = kept.step(&step.name).map(|step| &step.state);
        if let Some(state @ (State::Ended(_) | State::Skipped(_))) = before
            && !again[place]
            && !step.detached
        {
            done.insert(place, state.clone());
            // The workspace before them stays with the earlier run.
            kept_steps.extend(kept.step(&step.name).map(|step| StepOutcome {
                snapshot: None,
                ..step.clone()
            }));
        }
    }
    let number = kept
        .step(&resume.step)
        .and_then(|step| step.snapshot)
        .ok_or_else(|| refuse("the workspace before it was not kept"))?;
    let folder = resume.folder.join("stages").join(&kept.folder);
    let workspace = folder.join("snapshots").join(number.to_string());
    if !workspace.is_dir() {
        return Err(refuse("the workspace before it is gone"));
    }
    let job = EarlierJob::of(&folder, &resume.step);
    if job.is_none() && graph.dialect == Dialect::GitHub {
        return Err(refuse("what the job had gathered before it was not kept"));
    }
    Ok(Earlier {
        stages: stages_before(graph, &outcome, resume),
        resume: Some((
            resume.stage.clone(),
            ResumeStage {
                done,
                kept: kept_steps,
                workspace: Some(workspace),
                job,
            },
        )),
    })
}

/// Which steps run again: the one at `place`, those that wait for it, and those that begin with it.
fn dependents(stage: &Stage, place: usize) -> Vec<bool> {
    let mut again = vec![false; stage.steps.len()];
    again[place] = true;
    let mut changed = true;
    while changed {
        changed = false;
        for (number, step) in stage.steps.iter().enumerate() {
            let waits = stage
                .steps
                .iter()
                .zip(&again)
                .any(|(other, again)| *again && step.needs.contains(&other.name));
            if waits && !again[number] {
                again[number] = true;
                changed = true;
            }
        }
    }
    again
}

/// The stages that ended and neither are the one that is gone on with nor wait for it.
fn stages_before(
    graph: &Graph,
    outcome: &Outcome,
    resume: &Resume,
) -> BTreeMap<String, super::StageOutcome> {
    let mut again = vec![&*resume.stage];
    let mut changed = true;
    while changed {
        changed = false;
        for stage in &graph.stages {
            let waits = stage.needs.iter().any(|need| again.contains(&&**need));
            if waits && !again.contains(&&*stage.id) {
                again.push(&stage.id);
                changed = true;
            }
        }
    }
    let ended = |state: &State| {
        matches!(
            state,
            State::Ended(End::Success | End::Failure(_)) | State::Skipped(_)
        )
    };
    outcome
        .stages
        .iter()
        .filter(|stage| ended(&stage.state) && !again.contains(&&*stage.id))
        .map(|stage| (stage.id.clone(), stage.clone()))
        .collect()
}
