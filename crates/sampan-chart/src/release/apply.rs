//! Bringing objects about: made, changed and removed, as Helm's client does it.

mod managers;

use super::Releases;
use super::error::Error;
use super::objects::Resource;
use super::patch::three_way;
use super::record::Release;
use super::target::{Patch, Propagation, TargetError};

/// How often it is tried to hand the fields of an object over.
const HANDOVERS: u32 = 5;

/// What was done to objects.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// What was made, or tried to.
    pub(super) created: Vec<Resource>,
    /// How many were changed, or were found to be right.
    pub(super) updated: usize,
    /// How many were removed.
    pub(super) deleted: usize,
}

/// How objects are brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// By the difference of the manifests and the live object.
    Merge,
    /// By server-side apply, as Helm 4 does it; `force` takes fields over that others have set.
    Apply {
        /// Whether fields are taken over.
        force: bool,
    },
    /// By putting the new object in the place of the old one.
    Replace,
}

impl Method {
    /// How the objects of a revision are brought about.
    pub(super) fn of(release: &Release, force: bool) -> Self {
        match (release.is_applied_by_server(), force) {
            (true, force) => Self::Apply { force },
            (false, true) => Self::Replace,
            (false, false) => Self::Merge,
        }
    }
}

impl Releases<'_> {
    /// Makes objects; those that can be made are, even when others cannot.
    pub(super) fn create(&self, resources: &[Resource], method: Method) -> Result<(), Error> {
        let mut problems = Vec::new();
        for resource in resources {
            self.go_on()?;
            if let Err(problem) = self.make(resource, method) {
                problems.push(problem.to_string());
            }
        }
        one_text(&problems)
    }

    /// Brings the objects of one manifest to those of another: new ones are made, others changed, and what is in the
    /// first only is removed.
    pub(super) fn change(
        &self,
        before: &[Resource],
        wanted: &[Resource],
        method: Method,
    ) -> (Changes, Result<(), Error>) {
        let mut changes = Changes::default();
        let outcome = self.change_all(before, wanted, method, &mut changes);
        (changes, outcome)
    }

    fn change_all(
        &self,
        before: &[Resource],
        wanted: &[Resource],
        method: Method,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let mut problems = Vec::new();
        for resource in wanted {
            self.go_on()?;
            let live = self.target.get(&resource.id);
            let live = live.map_err(|problem| {
                Error::Changes(format!(
                    "could not get information about the resource: {problem}"
                ))
            })?;
            let Some(live) = live else {
                changes.created.push(resource.clone());
                self.make(resource, method).map_err(|problem| {
                    Error::Changes(format!("failed to create resource: {problem}"))
                })?;
                continue;
            };
            let old = before.iter().find(|old| old.id.is_same(&resource.id));
            let Some(old) = old else {
                let (kind, name) = (&resource.id.kind, &resource.id.name);
                return Err(Error::Changes(format!(
                    "no {kind} with the name \"{name}\" found"
                )));
            };
            let done = match method {
                Method::Replace => self.replace(resource, &live),
                Method::Apply { force } => self.apply(resource, &live, force),
                Method::Merge => self.merge(resource, old, &live),
            };
            problems.extend(done.err());
            changes.updated += 1;
        }
        if !problems.is_empty() {
            return Err(Error::Changes(problems.join(" && ")));
        }
        for old in before {
            if !wanted.iter().any(|resource| resource.id.is_same(&old.id)) {
                self.go_on()?;
                changes.deleted += usize::from(self.remove(old));
            }
        }
        Ok(())
    }

    fn make(&self, resource: &Resource, method: Method) -> Result<(), TargetError> {
        match method {
            Method::Apply { force } => {
                let object = resource.body.clone();
                let applied = self
                    .target
                    .patch(&resource.id, &Patch::Apply { object, force });
                applied.map(drop)
            }
            _ => self.target.create(&resource.id, &resource.body).map(drop),
        }
    }

    fn merge(
        &self,
        resource: &Resource,
        old: &Resource,
        live: &serde_json::Value,
    ) -> Result<(), String> {
        let Some(patch) = three_way(&resource.id, &old.body, &resource.body, live) else {
            return Ok(());
        };
        self.patch(resource, &patch)
    }

    fn apply(
        &self,
        resource: &Resource,
        live: &serde_json::Value,
        force: bool,
    ) -> Result<(), String> {
        self.hand_over(resource, live)?;
        let object = resource.body.clone();
        self.patch(resource, &Patch::Apply { object, force })
    }

    /// Makes fields that Helm has written in another way those of its applies. Others write the object too, so it may take
    /// some attempts.
    fn hand_over(&self, resource: &Resource, live: &serde_json::Value) -> Result<(), String> {
        let mut patch = managers::to_apply(live);
        for _ in 1..HANDOVERS {
            let Some(wanted) = patch else {
                return Ok(());
            };
            match self.target.patch(&resource.id, &Patch::Merge(wanted)) {
                Err(problem) if problem.is_outdated() => {}
                handed => return handed.map(drop).map_err(|problem| problem.to_string()),
            }
            let live = self.target.get(&resource.id);
            let live = live.map_err(|problem| problem.to_string())?;
            patch = live.as_ref().and_then(managers::to_apply);
        }
        patch.map_or(Ok(()), |wanted| self.patch(resource, &Patch::Merge(wanted)))
    }

    fn patch(&self, resource: &Resource, patch: &Patch) -> Result<(), String> {
        let patched = self.target.patch(&resource.id, patch);
        let (kind, name) = (&resource.id.kind, &resource.id.name);
        patched
            .map(drop)
            .map_err(|problem| format!("cannot patch \"{name}\" with kind {kind}: {problem}"))
    }

    fn replace(&self, resource: &Resource, live: &serde_json::Value) -> Result<(), String> {
        let mut object = resource.body.clone();
        if let Some(version) = live.pointer("/metadata/resourceVersion") {
            object["metadata"]["resourceVersion"] = version.clone();
        }
        let replaced = self.target.replace(&resource.id, &object);
        replaced
            .map(drop)
            .map_err(|problem| format!("failed to replace object: {problem}"))
    }

    /// Removes what the new manifest no longer has, unless it shall be kept; what cannot be removed is left with a word.
    fn remove(&self, old: &Resource) -> bool {
        let live = match self.target.get(&old.id) {
            Ok(Some(live)) => live,
            Ok(None) => return false,
            Err(problem) => {
                self.say(&format!("leaving {}: {problem}", old.id));
                return false;
            }
        };
        if Resource::is_kept(&live) {
            self.say(&format!("keeping {}, as its resource policy says", old.id));
            return false;
        }
        match self.target.delete(&old.id, Propagation::Background) {
            Ok(deleted) => deleted,
            Err(problem) => {
                self.say(&format!("leaving {}: {problem}", old.id));
                false
            }
        }
    }

    /// Removes objects; tells what could not be.
    pub(super) fn delete(&self, resources: &[Resource], propagation: Propagation) -> Vec<String> {
        let deleted = resources
            .iter()
            .map(|resource| self.target.delete(&resource.id, propagation));
        deleted
            .filter_map(Result::err)
            .map(|problem| problem.to_string())
            .collect()
    }

    /// Of objects that are to be made, those that are there already and belong to the release, or are taken over.
    pub(super) fn adopted(
        &self,
        resources: &[Resource],
        release: &str,
        operation: &'static str,
    ) -> Result<Vec<Resource>, Error> {
        let mut adopted = Vec::new();
        for resource in resources {
            let Some(live) = self.target.get(&resource.id)? else {
                continue;
            };
            let namespace = &self.settings.namespace;
            let lacks = Resource::lacks(&live, release, namespace);
            if let Some(problem) = lacks.filter(|_| !self.settings.take_ownership) {
                let id = &resource.id;
                let namespace = id.namespace.as_deref().unwrap_or_default();
                let object = format!("{} \"{}\" in namespace \"{namespace}\"", id.kind, id.name);
                return Err(Error::NotOwned {
                    operation,
                    object,
                    problem,
                });
            }
            adopted.push(Resource {
                id: resource.id.clone(),
                body: resource.body.clone(),
            });
        }
        Ok(adopted)
    }
}

/// Some problems as one, in the form that Helm gives them.
fn one_text(problems: &[String]) -> Result<(), Error> {
    match problems {
        [] => Ok(()),
        [problem] => Err(Error::Changes(problem.clone())),
        problems => {
            let list = problems.join("\n\t* ");
            let number = problems.len();
            Err(Error::Changes(format!(
                "{number} errors occurred:\n\t* {list}"
            )))
        }
    }
}
