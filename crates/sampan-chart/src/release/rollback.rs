//! Rolling back: an earlier revision becomes the content of a new one.

use super::apply::Method;
use super::error::Error;
use super::moment::Moment;
use super::objects::Resource;
use super::record::{Info, Release, Status};
use super::target::Propagation;
use super::{Carrying, Releases};
use crate::render::Event;

/// How a release is rolled back.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rollback {
    /// How objects are brought about.
    pub carrying: Carrying,
    /// The revision to go back to; that before the last one if none is given.
    pub revision: Option<u32>,
    /// How many revisions are kept; 0 for all.
    pub max_history: u32,
    /// Whether it is only looked whether it could be done.
    pub dry_run: bool,
}

impl Releases<'_> {
    /// Brings a release back to an earlier revision, as a new one.
    ///
    /// # Errors
    /// Why it could not be rolled back; what was recorded by then says so too.
    pub fn roll_back(&self, name: &str, how: &Rollback) -> Result<Release, Error> {
        self.target.version()?;
        self.check_name(name)?;
        let mut current = self.last(name)?;
        let version = how
            .revision
            .unwrap_or_else(|| current.version.saturating_sub(1));
        let earlier = self.get(name, Some(version))?;
        let mut wanted = self.copy_of(&earlier, &current);
        wanted.go_on_as(
            &earlier,
            how.carrying.server_side,
            self.settings.compatibility,
        );
        if how.dry_run {
            return Ok(wanted);
        }
        self.keep(&wanted, how.max_history)?;
        match self.go_back(&mut current, &mut wanted, how) {
            Ok(()) => {
                self.supersede_deployed(&wanted)?;
                wanted.info.status = Status::Deployed;
                self.update(&wanted)?;
                Ok(wanted)
            }
            Err(problem) => {
                self.target.acknowledge_interruption();
                wanted.set_status(
                    Status::Failed,
                    format!("Rollback \"{name}\" failed: {problem}"),
                );
                self.record(&wanted);
                Err(problem)
            }
        }
    }

    /// The next revision with the content of an earlier one.
    fn copy_of(&self, earlier: &Release, current: &Release) -> Release {
        Release {
            info: Info {
                first_deployed: current.info.first_deployed,
                last_deployed: Moment::now(),
                status: Status::PendingRollback,
                notes: earlier.info.notes.clone(),
                description: format!("Rollback to {}", earlier.version),
                ..Info::default()
            },
            version: current.version.saturating_add(1),
            namespace: self.settings.namespace.clone(),
            ..earlier.clone()
        }
    }

    fn go_back(
        &self,
        current: &mut Release,
        wanted: &mut Release,
        how: &Rollback,
    ) -> Result<(), Error> {
        let carrying = &how.carrying;
        let what = "unable to build kubernetes objects from current release manifest";
        let before = self.build(&current.manifest, what)?;
        let what = "unable to build kubernetes objects from new release manifest";
        let mut resources = self.build(&wanted.manifest, what)?;
        if !carrying.no_hooks {
            self.run_hooks(wanted, Event::PreRollback, carrying.timeout)?;
        }
        for resource in &mut resources {
            resource.mark(&wanted.name, &wanted.namespace);
        }
        let before = self.with_remains(before, &resources, &wanted.name)?;
        let (changes, outcome) =
            self.change(&before, &resources, Method::of(wanted, carrying.force));
        if let Err(problem) = outcome {
            current.info.status = Status::Superseded;
            self.record(current);
            if carrying.cleanup_on_fail {
                let problems = self.delete(&changes.created, Propagation::Background);
                for problem in problems {
                    self.say(&format!("cleaning up: {problem}"));
                }
            }
            return Err(problem);
        }
        if carrying.wait {
            self.wait_ready(&resources, carrying.wait_for_jobs, carrying.timeout)?;
        }
        if !carrying.no_hooks {
            self.run_hooks(wanted, Event::PostRollback, carrying.timeout)?;
        }
        Ok(())
    }

    /// The objects of the last revision, and of those to come back the ones that the cluster still has because somebody
    /// was stopped before removing them. Helm refuses to go on there.
    fn with_remains(
        &self,
        mut before: Vec<Resource>,
        wanted: &[Resource],
        name: &str,
    ) -> Result<Vec<Resource>, Error> {
        let is_new = |resource: &&Resource| !before.iter().any(|old| old.id.is_same(&resource.id));
        let new: Vec<_> = wanted.iter().filter(is_new).cloned().collect();
        before.extend(self.adopted(&new, name, "rollback")?);
        Ok(before)
    }

    /// Marks all revisions that were running as superseded.
    fn supersede_deployed(&self, wanted: &Release) -> Result<(), Error> {
        for mut revision in self.revisions(&wanted.name)? {
            if revision.info.status == Status::Deployed && revision.version != wanted.version {
                revision.info.status = Status::Superseded;
                self.record(&revision);
            }
        }
        Ok(())
    }
}
