//! Whether what happened causes a workflow to run, with the reasons.

use super::event::{activity, event_name};
use super::on::{Filter, Trigger, Triggers};
use crate::PipelineError;
use crate::allowance::Allowance;
use crate::build::Build;
use crate::graph::Verdict;

/// What a pull request must have done to cause a run when nothing else is said.
const PULL_REQUEST_TYPES: [&str; 3] = ["opened", "synchronize", "reopened"];

/// Notes what speaks for and against a run.
///
/// # Errors
/// [`PipelineError`] when there are too many patterns for what has changed.
pub(super) fn judge(
    triggers: &Triggers,
    build: &Build,
    verdict: &mut Verdict,
) -> Result<(), PipelineError> {
    let allowance = Allowance::default();
    let event = event_name(build);
    let Some(trigger) = triggers.event(event) else {
        let known: Vec<_> = triggers
            .events
            .iter()
            .map(|trigger| format!("`{}`", trigger.event))
            .collect();
        let text = format!("the event `{event}` is none of {}", known.join(", "));
        verdict.note(false, None, text);
        return Ok(());
    };
    let here = Some(&trigger.location);
    verdict.note(true, here, format!("the event is `{event}`"));
    types(trigger, build, verdict);
    references(trigger, build, &allowance, verdict)?;
    paths(trigger, build, &allowance, verdict)?;
    if let ("schedule", Some(cron)) = (event, &build.cron) {
        let known = triggers.schedules.iter().any(|line| line == cron);
        let text = if known {
            format!("the schedule is `{cron}`")
        } else {
            format!("the schedule `{cron}` is none of the workflow's")
        };
        verdict.note(known, here, text);
    }
    let run = build.payload.pointer("/workflow_run/name");
    if let ("workflow_run", Some(name)) = (event, run.and_then(serde_json::Value::as_str)) {
        let known = trigger.workflows.iter().any(|workflow| workflow == name);
        verdict.note(
            known,
            here,
            format!(
                "the workflow `{name}` is {} `{}`",
                if known { "one of" } else { "none of" },
                trigger.workflows.join("`, `")
            ),
        );
    }
    Ok(())
}

fn types(trigger: &Trigger, build: &Build, verdict: &mut Verdict) {
    let pull_request = matches!(&*trigger.event, "pull_request" | "pull_request_target");
    let wanted: Vec<&str> = match &trigger.types {
        Some(types) => types.iter().map(String::as_str).collect(),
        None if pull_request => PULL_REQUEST_TYPES.to_vec(),
        None => return,
    };
    let Some(activity) = activity(build) else {
        return;
    };
    let fits = wanted.contains(&activity);
    verdict.note(
        fits,
        Some(&trigger.location),
        format!(
            "the type `{activity}` is {} `{}`",
            if fits { "one of" } else { "none of" },
            wanted.join("`, `")
        ),
    );
}

/// Branches and tags.
fn references(
    trigger: &Trigger,
    build: &Build,
    allowance: &Allowance,
    verdict: &mut Verdict,
) -> Result<(), PipelineError> {
    let tag = build.commit.tag().filter(|_| trigger.event == "push");
    let (name, kind, filter, other) = match tag {
        Some(tag) => (tag, "tag", &trigger.tags, &trigger.branches),
        None => (
            &*build.commit.branch,
            "branch",
            &trigger.branches,
            &trigger.tags,
        ),
    };
    if let Some(filter) = filter {
        allowance.compare(&filter.location, name.len(), filter.patterns.characters())?;
        let chosen = filter.patterns.choosing(name);
        let listed = filter.patterns.listed();
        let (holds, text) = match (chosen, filter.ignores) {
            (Some(pattern), false) => (
                true,
                format!("the {kind} `{name}` is chosen by `{pattern}`"),
            ),
            (None, false) => (false, format!("the {kind} `{name}` is none of {listed}")),
            (Some(pattern), true) => (
                false,
                format!("the {kind} `{name}` is ignored by `{pattern}`"),
            ),
            (None, true) => (
                true,
                format!("the {kind} `{name}` is not ignored by {listed}"),
            ),
        };
        verdict.note(holds, Some(&filter.location), text);
    } else if let Some(other) = other {
        // Who names branches only means no tags, and the other way round.
        let others = if kind == "tag" { "branches" } else { "tags" };
        let text = format!("a {kind} was pushed, and only {others} are named");
        verdict.note(false, Some(&other.location), text);
    }
    Ok(())
}

fn paths(
    trigger: &Trigger,
    build: &Build,
    allowance: &Allowance,
    verdict: &mut Verdict,
) -> Result<(), PipelineError> {
    let Some(filter) = &trigger.paths else {
        return Ok(());
    };
    let location = Some(&filter.location);
    if trigger.event == "push" && build.commit.tag().is_some() {
        verdict.note(
            true,
            location,
            "paths are not looked at for tags".to_owned(),
        );
        return Ok(());
    }
    let Some(files) = &build.changed_files else {
        let text = "which files have changed is not known".to_owned();
        verdict.note(true, location, text);
        return Ok(());
    };
    let bytes = files.iter().map(String::len).sum();
    allowance.compare(&filter.location, bytes, filter.patterns.characters())?;
    let (holds, text) = judge_paths(filter, files);
    verdict.note(holds, location, text);
    Ok(())
}

fn judge_paths(filter: &Filter, files: &[String]) -> (bool, String) {
    let listed = filter.patterns.listed();
    if filter.ignores {
        return match files
            .iter()
            .find(|file| filter.patterns.choosing(file).is_none())
        {
            Some(file) => (
                true,
                format!("`{file}` has changed, and is not ignored by {listed}"),
            ),
            None => (
                false,
                format!("all files that have changed are ignored by {listed}"),
            ),
        };
    }
    let chosen = files
        .iter()
        .find_map(|file| Some((file, filter.patterns.choosing(file)?)));
    match chosen {
        Some((file, pattern)) => (
            true,
            format!("`{file}` has changed, and is chosen by `{pattern}`"),
        ),
        None => (
            false,
            format!("no file that has changed is chosen by {listed}"),
        ),
    }
}
