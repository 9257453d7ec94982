//! Waiting for objects: until they are ready, until they have done their work, until they are gone.

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::Releases;
use super::error::Error;
use super::objects::Resource;
use super::pods;
use super::ready::{self, Readiness, has_condition};
use super::record::Release;
use super::target::{ObjectId, TargetError};

/// How often is looked.
const INTERVAL: Duration = Duration::from_millis(250);

/// How long something may take before the user is told what is waited for, and how often again.
const NEWS: Duration = Duration::from_secs(5);

/// How often in a row a request may fail that may succeed later.
const RETRIES: u32 = 30;

/// An object of a release, and how it is.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ObjectState {
    /// The object.
    pub id: ObjectId,
    /// `ready`, `missing`, or what it lacks.
    pub state: String,
}

/// A wait with a deadline that tells the user now and then what it waits for.
struct Wait<'a> {
    releases: &'a Releases<'a>,
    limit: Duration,
    begun: Instant,
    told: Instant,
    last: String,
    failures: u32,
}

impl<'a> Wait<'a> {
    fn new(releases: &'a Releases<'a>, limit: Duration) -> Self {
        let begun = Instant::now();
        Self {
            releases,
            limit,
            begun,
            told: begun,
            last: String::new(),
            failures: 0,
        }
    }

    /// Whether the next look is told to the user, so that it is worth asking for reasons.
    fn is_telling(&self) -> bool {
        self.begun.elapsed() >= self.limit || self.told.elapsed() >= NEWS
    }

    /// Lets a little time pass, unless there is none left or the user wants to end.
    fn pass(&mut self, waiting: String) -> Result<(), Error> {
        self.releases.go_on()?;
        if self.begun.elapsed() >= self.limit {
            let seconds = self.limit.as_secs();
            return Err(Error::Timeout { seconds, waiting });
        }
        if self.told.elapsed() >= NEWS && waiting != self.last {
            self.releases.say(&format!("waiting for {waiting}"));
            self.told = Instant::now();
            self.last = waiting;
        }
        self.releases.target.pause(INTERVAL);
        Ok(())
    }

    /// The answer, or none when the same request may succeed later.
    fn tolerate<T>(&mut self, answer: Result<T, TargetError>) -> Result<Option<T>, Error> {
        match answer {
            Ok(answer) => {
                self.failures = 0;
                Ok(Some(answer))
            }
            Err(problem) if problem.may_pass() && self.failures < RETRIES => {
                self.failures += 1;
                Ok(None)
            }
            Err(problem) => Err(problem.into()),
        }
    }
}

impl Releases<'_> {
    /// Waits until all objects are ready; jobs count only when asked for.
    pub(super) fn wait_ready(
        &self,
        resources: &[Resource],
        jobs: bool,
        limit: Duration,
    ) -> Result<(), Error> {
        let mut wait = Wait::new(self, limit);
        // All must be ready at the same time, so each look begins at the first.
        while let Some((resource, missing)) = self.first_missing(resources, jobs, &mut wait)? {
            let reason = self.reason(resource, &wait);
            wait.pass(format!("{}: {missing}{reason}", resource.id))?;
        }
        Ok(())
    }

    /// The objects of a release, and how far each is; the cluster is asked for each of them.
    ///
    /// # Errors
    /// When the manifest cannot be read, or the cluster does not answer.
    pub fn states(&self, release: &Release) -> Result<Vec<ObjectState>, Error> {
        let what = "unable to build kubernetes objects from current release manifest";
        let resources = self.build(&release.manifest, what)?;
        let states = resources.into_iter().map(|resource| {
            let state = match self.target.get(&resource.id)? {
                None => "missing".to_owned(),
                Some(_) => match ready::look(&*self.target, &resource, true)? {
                    Readiness::Ready => "ready".to_owned(),
                    Readiness::Waiting(why) | Readiness::Hopeless(why) => {
                        let trouble = pods::trouble(&*self.target, &resource.id)?;
                        format!("{why}{}", after_colon(trouble))
                    }
                },
            };
            Ok(ObjectState {
                id: resource.id,
                state,
            })
        });
        states.collect()
    }

    /// Why pods of an object wait, when somebody is told; nothing where that cannot be found out.
    fn reason(&self, resource: &Resource, wait: &Wait<'_>) -> String {
        if !wait.is_telling() {
            return String::new();
        }
        let trouble = pods::trouble(&*self.target, &resource.id);
        after_colon(trouble.ok().flatten())
    }

    fn first_missing<'r>(
        &self,
        resources: &'r [Resource],
        jobs: bool,
        wait: &mut Wait<'_>,
    ) -> Result<Option<(&'r Resource, String)>, Error> {
        for resource in resources {
            let found = ready::look(&*self.target, resource, jobs);
            let missing = match wait.tolerate(found)? {
                Some(Readiness::Ready) => continue,
                Some(Readiness::Hopeless(why)) => return Err(Error::Hopeless(why)),
                Some(Readiness::Waiting(missing)) => missing,
                None => "the cluster does not answer".to_owned(),
            };
            return Ok(Some((resource, missing)));
        }
        Ok(None)
    }

    /// Waits until the pods and jobs of a hook have done their work.
    pub(super) fn wait_done(&self, resources: &[Resource], limit: Duration) -> Result<(), Error> {
        let mut wait = Wait::new(self, limit);
        for resource in resources {
            let is_done: fn(&Json) -> Result<bool, String> =
                match (resource.id.group(), resource.id.kind.as_str()) {
                    ("batch", "Job") => job_is_done,
                    ("", "Pod") => pod_is_done,
                    _ => continue,
                };
            loop {
                match wait.tolerate(self.target.get(&resource.id))? {
                    // Who removes a hook that runs has decided that it is over.
                    Some(None) => break,
                    Some(Some(live)) if is_done(&live).map_err(Error::Hopeless)? => break,
                    _ => {
                        let reason = self.reason(resource, &wait);
                        wait.pass(format!("{} to complete{reason}", resource.id))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Waits until objects are gone.
    pub(super) fn wait_gone(&self, resources: &[Resource], limit: Duration) -> Result<(), Error> {
        let mut wait = Wait::new(self, limit);
        for resource in resources {
            while !matches!(wait.tolerate(self.target.get(&resource.id))?, Some(None)) {
                wait.pass(format!("{} to be gone", resource.id))?;
            }
        }
        Ok(())
    }
}

fn after_colon(trouble: Option<String>) -> String {
    trouble.map_or_else(String::new, |trouble| format!(": {trouble}"))
}

fn job_is_done(live: &Json) -> Result<bool, String> {
    if has_condition(live, "Failed", "True") {
        let conditions = live.pointer("/status/conditions").and_then(Json::as_array);
        let failed = conditions
            .into_iter()
            .flatten()
            .find(|condition| condition["type"] == "Failed");
        let reason = failed
            .and_then(|condition| condition["reason"].as_str())
            .unwrap_or_default();
        let name = live
            .pointer("/metadata/name")
            .and_then(Json::as_str)
            .unwrap_or_default();
        return Err(format!("job {name} failed: {reason}"));
    }
    Ok(has_condition(live, "Complete", "True"))
}

fn pod_is_done(live: &Json) -> Result<bool, String> {
    match live.pointer("/status/phase").and_then(Json::as_str) {
        Some("Succeeded") => Ok(true),
        Some("Failed") => {
            let name = live
                .pointer("/metadata/name")
                .and_then(Json::as_str)
                .unwrap_or_default();
            Err(format!("pod {name} failed"))
        }
        _ => Ok(false),
    }
}
