//! The order of steps and stages: what needs what, and that nothing waits in a circle.

use std::collections::{BTreeMap, HashMap};

use sampan_model::nearest;
use sampan_model::yaml::Location;

use crate::PipelineError;
use crate::graph::Step;

/// How many names that do not exist are told at once.
const LIMIT_ERRORS: usize = 100;

/// One that waits for others, by names.
pub(crate) struct Waiting<'a> {
    pub(crate) name: &'a str,
    pub(crate) location: &'a Location,
    pub(crate) needs: &'a [String],
}

/// Checks that all names are distinct, that everything needed exists, and that nothing waits in a circle.
pub(crate) fn check(what: &'static str, all: &[Waiting<'_>]) -> Result<(), PipelineError> {
    let mut index = HashMap::new();
    for (position, waiting) in all.iter().enumerate() {
        if index.insert(waiting.name, position).is_some() {
            return Err(PipelineError::RepeatedName {
                location: waiting.location.clone(),
                what,
                name: waiting.name.to_owned(),
            });
        }
    }
    let mut errors = Vec::new();
    for waiting in all {
        for need in waiting.needs {
            // Nobody reads more of them, and each is compared with all names.
            if errors.len() < LIMIT_ERRORS && !index.contains_key(need.as_str()) {
                errors.push(PipelineError::UnknownNeed {
                    location: waiting.location.clone(),
                    name: waiting.name.to_owned(),
                    need: need.clone(),
                    nearest: nearest(need, all.iter().map(|other| other.name)).map(str::to_owned),
                });
            }
        }
    }
    PipelineError::join(errors)?;
    check_circles(all, &index)
}

/// Takes away whatever waits for nothing that is left; what cannot be taken waits in a circle, or for one.
fn check_circles(all: &[Waiting<'_>], index: &HashMap<&str, usize>) -> Result<(), PipelineError> {
    let mut open: Vec<usize> = all.iter().map(|waiting| waiting.needs.len()).collect();
    let mut waited_for: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (position, waiting) in all.iter().enumerate() {
        for need in waiting.needs {
            waited_for
                .entry(index[need.as_str()])
                .or_default()
                .push(position);
        }
    }
    let mut ready: Vec<usize> = (0..all.len()).filter(|at| open[*at] == 0).collect();
    let mut done = 0;
    while let Some(position) = ready.pop() {
        done += 1;
        for next in waited_for.get(&position).into_iter().flatten() {
            open[*next] -= 1;
            if open[*next] == 0 {
                ready.push(*next);
            }
        }
    }
    if done == all.len() {
        return Ok(());
    }
    Err(circle(all, index, &open))
}

fn circle(all: &[Waiting<'_>], index: &HashMap<&str, usize>, open: &[usize]) -> PipelineError {
    let mut path: Vec<usize> = Vec::new();
    let mut next = open.iter().position(|open| *open > 0);
    // Whatever is still open needs something that is still open, so the walk comes back to itself.
    while let Some(position) = next {
        if let Some(begin) = path.iter().position(|seen| *seen == position) {
            path.drain(..begin);
            break;
        }
        path.push(position);
        next = all[position]
            .needs
            .iter()
            .map(|need| index[need.as_str()])
            .find(|need| open[*need] > 0);
    }
    PipelineError::Cycle {
        location: all[path.first().copied().unwrap_or(0)].location.clone(),
        names: path.iter().map(|at| all[*at].name.to_owned()).collect(),
    }
}

/// Checks the steps of a stage.
pub(crate) fn check_steps(steps: &[Step]) -> Result<(), PipelineError> {
    let waiting: Vec<_> = steps
        .iter()
        .map(|step| Waiting {
            name: &step.name,
            location: &step.location,
            needs: &step.needs,
        })
        .collect();
    check("steps", &waiting)
}

/// Puts steps one after the other, except neighbours of one group, which share their place. Steps that do not run
/// separate no group. What comes first waits for `before`.
pub(crate) fn in_groups(pipeline: Vec<(Option<String>, Step)>, before: Vec<String>) -> Vec<Step> {
    let mut previous = before;
    let mut current: Vec<String> = Vec::new();
    let mut current_group: Option<String> = None;
    let mut steps = Vec::new();
    for (group, mut step) in pipeline {
        let runs = step.verdict.runs();
        let joins = group.is_some() && group == current_group && !current.is_empty();
        if runs && !joins {
            if !current.is_empty() {
                previous = std::mem::take(&mut current);
            }
            current_group = group;
        }
        if runs {
            step.needs.clone_from(&previous);
            current.push(step.name.clone());
        } else {
            step.needs.clone_from(if current.is_empty() {
                &previous
            } else {
                &current
            });
        }
        steps.push(step);
    }
    steps
}
