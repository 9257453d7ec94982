//! Installing: the first revision of a release.

use serde_json::json;

use super::apply::Method;
use super::error::Error;
use super::objects::Resource;
use super::prepare::{DryRun, Given, Step};
use super::record::{Release, Status};
use super::target::ObjectId;
use super::uninstall::Uninstall;
use super::{Carrying, Releases};
use crate::chart::Chart;
use crate::compatibility::Compatibility;
use crate::render::Event;

/// How long the definitions of custom resources may take to be served.
const CRD_TIME: std::time::Duration = std::time::Duration::from_mins(1);

/// How a chart is installed.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag that users give"
)]
pub struct Install {
    /// How objects are brought about.
    pub carrying: Carrying,
    /// Whether everything is taken away again when it fails.
    pub atomic: bool,
    /// Whether the namespace is made where there is none.
    pub create_namespace: bool,
    /// Whether definitions of custom resources are left out.
    pub skip_crds: bool,
    /// Whether the name of a release that failed or was uninstalled may be used again.
    pub replace: bool,
}

impl Releases<'_> {
    /// Installs a chart as a new release.
    ///
    /// # Errors
    /// Why it could not be installed; what was recorded by then says so too.
    pub fn install(&self, given: &Given<'_>, how: &Install) -> Result<Release, Error> {
        self.target.version()?;
        self.check_name(given.name)?;
        let last = match given.dry_run {
            DryRun::No => self.available(given.name, how.replace)?,
            _ => None,
        };
        let chart = given
            .chart
            .enabled(&given.values, self.settings.compatibility);
        let chart = chart.map_err(crate::render::Error::Chart)?;
        if !how.skip_crds {
            self.install_definitions(&chart, given.dry_run)?;
        }
        let step = Step {
            revision: 1,
            is_upgrade: false,
        };
        let mut release = self.prepare(given, given.chart, &given.values, step)?;
        release.set_status(Status::PendingInstall, "Initial install underway");
        let compatibility = self.settings.compatibility;
        let by_server = how.carrying.server_side;
        release.set_applied_by_server(
            by_server.unwrap_or(compatibility == Compatibility::Helm4),
            compatibility,
        );
        let what = "unable to build kubernetes objects from release manifest";
        let mut resources = self.build(&release.manifest, what)?;
        for resource in &mut resources {
            resource.mark(&release.name, &release.namespace);
        }
        let adopted = self.adopted(&resources, &release.name, "install")?;
        if given.dry_run != DryRun::No {
            "Dry run complete".clone_into(&mut release.info.description);
            return Ok(release);
        }
        if how.create_namespace {
            self.create_namespace()?;
        }
        if let Some(last) = last {
            release.version = self.supersede(last)?;
        }
        self.keep(&release, 0)?;
        match self.bring_about(&mut release, &resources, &adopted, how) {
            Ok(()) => {
                release.set_status(Status::Deployed, given.description("Install complete"));
                self.record(&release);
                Ok(release)
            }
            Err(problem) => Err(self.fail_install(release, how, problem)),
        }
    }

    /// The last revision of a name that may be used again; none when the name is free.
    fn available(&self, name: &str, replace: bool) -> Result<Option<Release>, Error> {
        let last = self.revisions(name)?.pop();
        match last {
            Some(last)
                if !(replace
                    && matches!(last.info.status, Status::Uninstalled | Status::Failed)) =>
            {
                Err(Error::InUse {
                    name: name.to_owned(),
                    status: last.info.status,
                })
            }
            last => Ok(last),
        }
    }

    /// Marks the last revision of a name that is used again, and gives the next number.
    fn supersede(&self, mut last: Release) -> Result<u32, Error> {
        if last.info.status != Status::Failed {
            last.set_status(Status::Superseded, "superseded by new release");
            self.update(&last)?;
        }
        Ok(last.version.saturating_add(1))
    }

    fn bring_about(
        &self,
        release: &mut Release,
        resources: &[Resource],
        adopted: &[Resource],
        how: &Install,
    ) -> Result<(), Error> {
        let carrying = &how.carrying;
        if !carrying.no_hooks {
            let done = self.run_hooks(release, Event::PreInstall, carrying.timeout);
            done.map_err(|problem| of_hooks("failed pre-install", problem))?;
        }
        let method = Method::of(release, carrying.force);
        if adopted.is_empty() {
            self.create(resources, method)?;
        } else {
            self.change(adopted, resources, method).1?;
        }
        if carrying.wait || how.atomic {
            self.wait_ready(resources, carrying.wait_for_jobs, carrying.timeout)?;
        }
        if !carrying.no_hooks {
            let done = self.run_hooks(release, Event::PostInstall, carrying.timeout);
            done.map_err(|problem| of_hooks("failed post-install", problem))?;
        }
        Ok(())
    }

    fn fail_install(&self, mut release: Release, how: &Install, problem: Error) -> Error {
        self.target.acknowledge_interruption();
        let name = release.name.clone();
        release.set_status(
            Status::Failed,
            format!("Release \"{name}\" failed: {problem}"),
        );
        self.record(&release);
        if !how.atomic {
            return problem;
        }
        self.say(&format!("{problem}; uninstalling {name}"));
        let uninstall = Uninstall {
            no_hooks: how.carrying.no_hooks,
            timeout: how.carrying.timeout,
            ..Uninstall::default()
        };
        match self.uninstall(&name, &uninstall) {
            Ok(_) => Error::Undone {
                name,
                how: "uninstalled",
                problem: Box::new(problem),
            },
            Err(second) => Error::Recovery {
                doing: "uninstalling the release",
                original: Box::new(problem),
                problem: Box::new(second),
            },
        }
    }

    fn create_namespace(&self) -> Result<(), Error> {
        let name = &self.settings.namespace;
        let id = ObjectId {
            api_version: "v1".to_owned(),
            kind: "Namespace".to_owned(),
            namespace: None,
            name: name.clone(),
        };
        let namespace = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {"name": name}},
        });
        match self.target.create(&id, &namespace) {
            Err(problem) if !problem.is_conflict_of_names() => Err(problem.into()),
            _ => Ok(()),
        }
    }

    /// Makes the kinds that a chart brings along, before it is rendered: templates may ask for them.
    fn install_definitions(&self, chart: &Chart, dry_run: DryRun) -> Result<(), Error> {
        let crds = chart.crds();
        if crds.is_empty() {
            return Ok(());
        }
        if dry_run != DryRun::No {
            self.say("this chart brings kinds along that are not installed now: what is shown may lack something");
            return Ok(());
        }
        let mut made = Vec::new();
        for crd in crds {
            let text = String::from_utf8_lossy(&crd.file.data).into_owned();
            let failed = |problem: String| Error::Crd {
                path: crd.path.clone(),
                problem,
            };
            let resources = self
                .build(&text, "unable to read it")
                .map_err(|problem| failed(problem.to_string()))?;
            for resource in resources {
                match self.target.create(&resource.id, &resource.body) {
                    Ok(_) => made.push(resource),
                    Err(problem) if problem.is_conflict_of_names() => {
                        self.say(&format!(
                            "CRD {} is already present, skipping it",
                            resource.id.name
                        ));
                    }
                    Err(problem) => return Err(failed(problem.to_string())),
                }
            }
        }
        if !made.is_empty() {
            self.wait_ready(&made, false, CRD_TIME)?;
            self.target.forget_kinds();
        }
        Ok(())
    }
}

/// Says in which hooks something failed; an interruption stays one.
pub(super) fn of_hooks(when: &str, problem: Error) -> Error {
    match problem {
        Error::Interrupted => problem,
        problem => Error::Hook(format!("{when}: {problem}")),
    }
}
