//! Uninstalling: objects and hooks are removed, and the history with them unless it is to be kept.

use std::time::Duration;

use super::Releases;
use super::error::Error;
use super::moment::Moment;
use super::objects::Resource;
use super::record::{Release, Status};
use super::target::Propagation;
use crate::render::{Event, uninstall_order};

/// How a release is uninstalled.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag that users give"
)]
pub struct Uninstall {
    /// Whether the history stays.
    pub keep_history: bool,
    /// Whether it is waited until all objects are gone.
    pub wait: bool,
    /// How long each hook, and the wait, may take.
    pub timeout: Duration,
    /// Whether hooks are left out.
    pub no_hooks: bool,
    /// Whether it is only looked whether there is something.
    pub dry_run: bool,
    /// What happens to what depends on the objects.
    pub propagation: Propagation,
    /// A sentence about it instead of the usual one.
    pub description: Option<String>,
}

impl Default for Uninstall {
    fn default() -> Self {
        Self {
            keep_history: false,
            wait: false,
            timeout: Duration::from_mins(5),
            no_hooks: false,
            dry_run: false,
            propagation: Propagation::Background,
            description: None,
        }
    }
}

/// What has become of a release that was uninstalled.
#[derive(Debug)]
pub struct Uninstalled {
    /// Its last revision.
    pub release: Release,
    /// The objects that stay because of their resource policy.
    pub kept: Kept,
}

/// Objects by their kinds and names.
pub type Kept = Vec<(String, String)>;

impl Releases<'_> {
    /// Takes a release away.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none; or why not all could be removed.
    pub fn uninstall(&self, name: &str, how: &Uninstall) -> Result<Uninstalled, Error> {
        self.target.version()?;
        let mut revisions = self.history(name)?;
        let Some(mut release) = revisions.last().cloned() else {
            return Err(Error::NotFound(name.to_owned()));
        };
        if how.dry_run {
            return Ok(Uninstalled {
                release,
                kept: Vec::new(),
            });
        }
        if release.info.status == Status::Uninstalled {
            if how.keep_history {
                return Err(Error::AlreadyDeleted(name.to_owned()));
            }
            self.forget_all(&revisions)?;
            return Ok(Uninstalled {
                release,
                kept: Vec::new(),
            });
        }
        release.set_status(
            Status::Uninstalling,
            "Deletion in progress (or silently failed)",
        );
        release.info.deleted = Moment::now();
        if !how.no_hooks {
            self.run_hooks(&mut release, Event::PreDelete, how.timeout)?;
        }
        self.record(&release);
        let (resources, kept) = self.deletable(&release)?;
        let problems = self.delete(&resources, how.propagation);
        if !problems.is_empty() {
            let (name, problem) = (name.to_owned(), problems.join("; "));
            return Err(Error::Delete { name, problem });
        }
        let mut problems = Vec::new();
        if how.wait {
            problems.extend(self.wait_gone(&resources, how.timeout).err());
        }
        if !how.no_hooks {
            problems.extend(
                self.run_hooks(&mut release, Event::PostDelete, how.timeout)
                    .err(),
            );
        }
        let description = how.description.clone();
        release.set_status(
            Status::Uninstalled,
            description.unwrap_or_else(|| "Uninstallation complete".to_owned()),
        );
        if how.keep_history {
            self.record(&release);
        } else {
            revisions.pop();
            revisions.push(release.clone());
            problems.extend(self.forget_all(&revisions).err());
        }
        if problems.is_empty() {
            return Ok(Uninstalled { release, kept });
        }
        Err(Error::Uninstalled(
            problems.iter().map(ToString::to_string).collect(),
        ))
    }

    /// The last revision goes last: as long as it is there, the same command goes on.
    fn forget_all(&self, revisions: &[Release]) -> Result<(), Error> {
        revisions
            .iter()
            .try_for_each(|release| self.forget(release))
    }

    /// The objects of a release in the order of uninstalling, and what stays because of its resource policy.
    fn deletable(&self, release: &Release) -> Result<(Vec<Resource>, Kept), Error> {
        let sorted = uninstall_order(&release.manifest, self.settings.compatibility);
        let sorted = sorted.map_err(|problem| Error::Delete {
            name: release.name.clone(),
            problem: format!(
                "corrupted release record. You must manually delete the resources: {problem}"
            ),
        })?;
        let (mut resources, mut kept) = (Vec::new(), Vec::new());
        for manifest in sorted {
            match manifest.head.annotations.get("helm.sh/resource-policy") {
                None => {
                    let what = "unable to build kubernetes objects for delete";
                    resources.extend(self.build(&manifest.content, what)?);
                }
                Some(policy) if policy.trim().eq_ignore_ascii_case("keep") => {
                    kept.push((manifest.head.kind, manifest.head.name));
                }
                // As in Helm, what has another policy is neither kept with a word nor removed.
                Some(_) => {}
            }
        }
        Ok((resources, kept))
    }
}
