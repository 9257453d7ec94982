//! Which jobs wait for which.

use std::collections::HashMap;

use sampan_model::nearest;

use super::job::Job;
use super::problems::Problems;
use crate::PipelineError;

/// Looks whether all jobs that others need are there, and none waits for itself.
pub(super) fn check(jobs: &[Job]) -> Result<(), PipelineError> {
    let places = places(jobs);
    let mut problems = Problems::default();
    for (index, job) in jobs.iter().enumerate() {
        if places.get(&job.id.to_ascii_lowercase()) != Some(&index) {
            problems.note(PipelineError::RepeatedName {
                location: job.location.clone(),
                what: "jobs",
                name: job.id.clone(),
            });
        }
        for (need, location) in &job.needs {
            if !places.contains_key(&need.to_ascii_lowercase()) {
                problems.note(PipelineError::UnknownNeed {
                    location: location.clone(),
                    name: job.id.clone(),
                    need: need.clone(),
                    nearest: nearest(need, jobs.iter().map(|job| job.id.as_str()))
                        .map(str::to_owned),
                });
            }
        }
    }
    problems.none_or(())?;
    let order = order(jobs);
    if order.len() == jobs.len() {
        return Ok(());
    }
    // Who is left waits in a circle, or for one that does.
    let mut waiting: Vec<&Job> = Vec::new();
    for (index, job) in jobs.iter().enumerate() {
        if !order.contains(&index) {
            waiting.push(job);
        }
    }
    Err(PipelineError::Cycle {
        location: waiting[0].location.clone(),
        names: waiting.iter().map(|job| job.id.clone()).collect(),
    })
}

/// Where each job stands, by its id in lower case; the first where an id comes twice.
fn places(jobs: &[Job]) -> HashMap<String, usize> {
    let mut places = HashMap::new();
    for (index, job) in jobs.iter().enumerate() {
        places.entry(job.id.to_ascii_lowercase()).or_insert(index);
    }
    places
}

/// The places of the jobs so that each stands behind all that it needs. Those in a circle are left out.
pub(super) fn order(jobs: &[Job]) -> Vec<usize> {
    let places = places(jobs);
    let mut waits: Vec<usize> = jobs.iter().map(|job| job.needs.len()).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); jobs.len()];
    for (index, job) in jobs.iter().enumerate() {
        for (need, _) in &job.needs {
            if let Some(need) = places.get(&need.to_ascii_lowercase()) {
                needed_by[*need].push(index);
            }
        }
    }
    let mut order: Vec<usize> = (0..jobs.len()).filter(|index| waits[*index] == 0).collect();
    let mut next = 0;
    while let Some(done) = order.get(next).copied() {
        next += 1;
        for waiting in &needed_by[done] {
            waits[*waiting] -= 1;
            if waits[*waiting] == 0 {
                order.push(*waiting);
            }
        }
    }
    order
}
