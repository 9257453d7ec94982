//! Upgrading: a further revision of a release.

use super::apply::Method;
use super::error::Error;
use super::install::of_hooks;
use super::objects::Resource;
use super::prepare::{DryRun, Given, Step, table};
use super::record::{Release, Status};
use super::rollback::Rollback;
use super::{Carrying, Releases};
use crate::chart::Chart;
use crate::render::{self, Event, on_large_stack};
use crate::values::{Coalescer, Mismatch, Nulls, Table, from_dict, to_dict};

/// What becomes of the values that the user gave for the revision before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reuse {
    /// They are used again when the user gives none now.
    #[default]
    WhenNone,
    /// They are forgotten.
    Reset,
    /// They are used again with the defaults of the chart before, under those given now.
    Reuse,
    /// They are used again with the defaults of the new chart, under those given now.
    ResetThenReuse,
}

/// How a release is upgraded.
#[derive(Debug, Clone, Copy, Default)]
pub struct Upgrade {
    /// How objects are brought about.
    pub carrying: Carrying,
    /// What becomes of the values of the revision before.
    pub reuse: Reuse,
    /// Whether the last good revision is put back when it fails.
    pub atomic: bool,
    /// How many revisions are kept; 0 for all.
    pub max_history: u32,
}

/// The revisions that an upgrade goes between, and their objects.
struct Way {
    from: Release,
    to: Release,
    before: Vec<Resource>,
    wanted: Vec<Resource>,
}

impl Releases<'_> {
    /// Whether a name belongs to no release, or to one that was uninstalled: then an upgrade installs, if the user wants
    /// that. Tells whether there is a history.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn is_absent(&self, name: &str) -> Result<Option<bool>, Error> {
        self.check_name(name)?;
        Ok(match self.revisions(name)?.last() {
            None => Some(false),
            Some(last) => (last.info.status == Status::Uninstalled).then_some(true),
        })
    }

    /// Brings a release to another chart or other values.
    ///
    /// # Errors
    /// Why it could not be upgraded; what was recorded by then says so too.
    pub fn upgrade(&self, given: &Given<'_>, how: &Upgrade) -> Result<Release, Error> {
        self.target.version()?;
        self.check_name(given.name)?;
        let mut way = self.prepare_upgrade(given, how)?;
        let current: Vec<_> = way.before.iter().map(|old| &old.id).collect();
        let is_new = |resource: &&Resource| !current.iter().any(|old| **old == resource.id);
        let new: Vec<_> = way.wanted.iter().filter(is_new).cloned().collect();
        way.before.extend(self.adopted(&new, given.name, "update")?);
        if given.dry_run != DryRun::No {
            way.to.info.description = given.description("Dry run complete");
            return Ok(way.to);
        }
        self.keep(&way.to, how.max_history)?;
        let (created, outcome) = self.go_way(&mut way, how);
        match outcome {
            Ok(()) => {
                way.from.info.status = Status::Superseded;
                self.record(&way.from);
                way.to
                    .set_status(Status::Deployed, given.description("Upgrade complete"));
                self.update(&way.to)?;
                Ok(way.to)
            }
            Err(problem) => Err(self.fail_upgrade(way.to, &created, how, problem)),
        }
    }

    fn prepare_upgrade(&self, given: &Given<'_>, how: &Upgrade) -> Result<Way, Error> {
        let name = given.name;
        let mut revisions = self.revisions(name)?;
        let Some(last) = revisions.pop() else {
            return Err(Error::NothingDeployed(name.to_owned()));
        };
        if last.info.status.is_pending() {
            return Err(Error::Pending {
                name: name.to_owned(),
                status: last.info.status,
            });
        }
        let (labels, revision) = (last.labels.clone(), last.version.saturating_add(1));
        let from = match last.info.status {
            Status::Deployed => last,
            ref status => match Self::deployed(&revisions) {
                Some(deployed) => deployed.clone(),
                None if matches!(status, Status::Failed | Status::Superseded) => last,
                None => return Err(Error::NothingDeployed(name.to_owned())),
            },
        };
        let (chart, values) = self.reused(given, &from, how.reuse)?;
        let step = Step {
            revision,
            is_upgrade: true,
        };
        let mut to = self.prepare(given, &chart, &values, step)?;
        to.namespace.clone_from(&from.namespace);
        to.info.first_deployed = from.info.first_deployed;
        to.set_status(Status::PendingUpgrade, "Preparing upgrade");
        to.labels = labels;
        to.labels.extend(given.labels.clone());
        // As Helm has it, `null` takes a label away.
        to.labels.retain(|_, value| value != "null");
        to.go_on_as(&from, how.carrying.server_side, self.settings.compatibility);
        let before = self.build(
            &from.manifest,
            "unable to build kubernetes objects from current release manifest",
        )?;
        let what = "unable to build kubernetes objects from new release manifest";
        let mut wanted = self.build(&to.manifest, what)?;
        for resource in &mut wanted {
            resource.mark(&to.name, &to.namespace);
        }
        Ok(Way {
            from,
            to,
            before,
            wanted,
        })
    }

    /// The chart with the defaults, and the values, that an upgrade works with.
    fn reused(
        &self,
        given: &Given<'_>,
        from: &Release,
        reuse: Reuse,
    ) -> Result<(Chart, Table), Error> {
        let mut chart = given.chart.clone();
        let old = table(&from.config);
        let values = match reuse {
            Reuse::WhenNone if given.values.is_empty() => old,
            Reuse::WhenNone | Reuse::Reset => given.values.clone(),
            Reuse::Reuse => {
                chart.values = self.all_values(from)?.into();
                self.over(&given.values, &old)?
            }
            Reuse::ResetThenReuse => self.over(&given.values, &old)?,
        };
        Ok((chart, values))
    }

    /// Some values over others.
    fn over(&self, values: &Table, others: &Table) -> Result<Table, Error> {
        let mut warnings = Vec::new();
        let compatibility = self.settings.compatibility;
        let merged = on_large_stack(|| {
            let mut coalescer = Coalescer {
                compatibility,
                warnings: &mut warnings,
            };
            let merged = to_dict(values);
            coalescer.tables(&merged, &to_dict(others), "", Nulls::Remove);
            from_dict(&merged)
        });
        Ok(merged.map_err(render::Error::from)?.unwrap_or_default())
    }

    /// The values that a revision was rendered with: those of its chart under those of the user.
    ///
    /// # Errors
    /// When they do not fit together.
    pub fn all_values(&self, release: &Release) -> Result<Table, Error> {
        let mut warnings = Vec::new();
        let compatibility = self.settings.compatibility;
        let chart = Chart {
            values: release.chart.values().into(),
            ..Chart::default()
        };
        let config = table(&release.config);
        let all = on_large_stack(|| {
            let mut coalescer = Coalescer {
                compatibility,
                warnings: &mut warnings,
            };
            let all = coalescer.run(&chart, &to_dict(&config), Nulls::Remove)?;
            Ok::<_, Mismatch>(from_dict(&all).unwrap_or_default())
        });
        Ok(all.map_err(render::Error::from)??)
    }

    /// Carries an upgrade out; also gives what was made on the way.
    fn go_way(&self, way: &mut Way, how: &Upgrade) -> (Vec<Resource>, Result<(), Error>) {
        let carrying = &how.carrying;
        if !carrying.no_hooks {
            let done = self.run_hooks(&mut way.to, Event::PreUpgrade, carrying.timeout);
            if let Err(problem) = done {
                return (
                    Vec::new(),
                    Err(of_hooks("pre-upgrade hooks failed", problem)),
                );
            }
        }
        let method = Method::of(&way.to, carrying.force);
        let (changes, outcome) = self.change(&way.before, &way.wanted, method);
        let outcome = outcome.and_then(|()| {
            if carrying.wait || how.atomic {
                let (made, right, gone) = (changes.created.len(), changes.updated, changes.deleted);
                self.say(&format!("{made} made, {right} changed or kept, {gone} removed; waiting until all is ready"));
                self.wait_ready(&way.wanted, carrying.wait_for_jobs, carrying.timeout)?;
            }
            if !carrying.no_hooks {
                let done = self.run_hooks(&mut way.to, Event::PostUpgrade, carrying.timeout);
                done.map_err(|problem| of_hooks("post-upgrade hooks failed", problem))?;
            }
            Ok(())
        });
        (changes.created, outcome)
    }

    fn fail_upgrade(
        &self,
        mut release: Release,
        created: &[Resource],
        how: &Upgrade,
        problem: Error,
    ) -> Error {
        self.target.acknowledge_interruption();
        let name = release.name.clone();
        release.set_status(
            Status::Failed,
            format!("Upgrade \"{name}\" failed: {problem}"),
        );
        self.record(&release);
        if how.carrying.cleanup_on_fail && !created.is_empty() {
            let problems = self.delete(created, super::target::Propagation::Background);
            if !problems.is_empty() {
                let second = Error::Changes(format!(
                    "unable to cleanup resources: {}",
                    problems.join(", ")
                ));
                return recovery("cleaning up resources", problem, second);
            }
        }
        if !how.atomic {
            return problem;
        }
        match self.roll_back_after(&name, how) {
            Ok(true) => Error::Undone {
                name,
                how: "rolled back",
                problem: Box::new(problem),
            },
            Ok(false) => Error::NoWayBack(Box::new(problem)),
            Err(second) => recovery("rolling back the release", problem, second),
        }
    }

    /// Puts the last good revision back; tells whether there is one.
    fn roll_back_after(&self, name: &str, how: &Upgrade) -> Result<bool, Error> {
        let revisions = self.history(name)?;
        let was_good = |release: &&Release| {
            matches!(release.info.status, Status::Superseded | Status::Deployed)
        };
        let Some(good) = revisions.iter().rev().find(was_good) else {
            return Ok(false);
        };
        self.say(&format!(
            "the upgrade failed; rolling {name} back to revision {}",
            good.version
        ));
        let carrying = Carrying {
            wait: true,
            cleanup_on_fail: false,
            ..how.carrying
        };
        let rollback = Rollback {
            carrying,
            revision: Some(good.version),
            ..Rollback::default()
        };
        self.roll_back(name, &rollback)?;
        Ok(true)
    }
}

fn recovery(doing: &'static str, original: Error, problem: Error) -> Error {
    Error::Recovery {
        doing,
        original: Box::new(original),
        problem: Box::new(problem),
    }
}
