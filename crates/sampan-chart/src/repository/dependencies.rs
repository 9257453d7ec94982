//! The charts that a chart is made of: brought into its `charts` folder, and locked in `Chart.lock`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::lock::{digest, old_digest};
use super::{Error, Package, Remote, address, index, locate, tags};
use crate::chart::{Chart, Dependency, Lock};
use crate::compatibility::Compatibility;
use crate::package;
use crate::version::Version;
use crate::version::constraint::Constraint;

mod folder;
mod status;

use folder::{Incoming, Replaced};
pub use status::{Status, statuses};

const FILE: &str = "file://";

/// Brings the dependencies of a chart in a folder.
pub struct Manager<'a> {
    /// The folder of the chart.
    pub folder: &'a Path,
    /// Which Helm to agree with.
    pub compatibility: Compatibility,
    /// What asks other machines.
    pub remote: &'a dyn Remote,
    /// What `Chart.lock` says of when it was made.
    pub now: jiff::Timestamp,
}

/// What was done.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The charts that were brought or packed, with where they came from.
    pub saved: Vec<Saved>,
    /// Packages of `charts` that are no longer needed and were removed.
    pub removed: Vec<String>,
    /// Whether the lock file was written.
    pub locked: bool,
}

/// A chart that was put into `charts`.
#[derive(Debug, Clone)]
pub struct Saved {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it came from.
    pub repository: String,
}

impl Manager<'_> {
    /// Chooses the newest fitting versions, brings them and locks them.
    ///
    /// # Errors
    /// When one of them cannot be had or written; `charts` and the lock file are as they were then.
    pub fn update(&self) -> Result<Outcome, Error> {
        let chart = self.load()?;
        let Some(wanted) = &chart.metadata.dependencies else {
            return Ok(Outcome::default());
        };
        let mut exact = self.resolve(wanted)?;
        let (incoming, mut outcome) = self.bring(&mut exact)?;
        let digest = digest(wanted, &exact);
        let kept = kept(&exact);
        let (file, _) = files(&chart.metadata.api_version);
        outcome.locked = chart.lock.is_none_or(|lock| lock.digest != digest);
        let lock = outcome.locked.then(|| Lock {
            generated: self.now.to_string(),
            digest,
            dependencies: exact,
        });
        let replaced = match lock {
            Some(lock) => Some(Replaced::write(&self.folder.join(file), &lock.to_yaml())?),
            None => None,
        };
        match incoming.finish(&kept, self.compatibility) {
            Ok(removed) => outcome.removed = removed,
            Err(error) => {
                if let Some(replaced) = replaced {
                    replaced.undo();
                }
                return Err(error);
            }
        }
        Ok(outcome)
    }

    /// Brings exactly what the lock file says; without one, the same as [`Self::update`].
    ///
    /// # Errors
    /// When the lock file is for other dependencies, or one of them cannot be had or written; `charts` is as it was then.
    pub fn build(&self) -> Result<Outcome, Error> {
        let chart = self.load()?;
        let Some(lock) = chart.lock else {
            return self.update();
        };
        let wanted = chart.metadata.dependencies.unwrap_or_default();
        self.check_repositories(&wanted)?;
        let is_old = chart.metadata.api_version == "v1";
        let fits = digest(&wanted, &lock.dependencies) == lock.digest
            || is_old && old_digest(&wanted) == lock.digest;
        if !fits {
            let (lock, file) = files(&chart.metadata.api_version);
            return Err(Error::OutOfSync { lock, file });
        }
        let mut exact = lock.dependencies;
        let (incoming, mut outcome) = self.bring(&mut exact)?;
        outcome.removed = incoming.finish(&kept(&exact), self.compatibility)?;
        Ok(outcome)
    }

    fn load(&self) -> Result<Chart, Error> {
        if !self.folder.exists() {
            return Err(Error::Path(self.folder.display().to_string()));
        }
        if !self.folder.is_dir() {
            return Err(Error::Packed);
        }
        Ok(Chart::load(self.folder, self.compatibility)?)
    }

    fn check_repositories(&self, wanted: &[Dependency]) -> Result<(), Error> {
        for one in wanted {
            let repository = one.repository.as_str();
            if let Some(path) = repository.strip_prefix(FILE) {
                self.local(path)?;
            } else if repository.starts_with('@') || repository.starts_with("alias:") {
                return Err(Error::NamedDependency {
                    name: one.name.clone(),
                    repository: repository.to_owned(),
                });
            } else if !(repository.is_empty()
                || repository.starts_with("oci://")
                || address::is_http(repository))
            {
                return Err(Error::Address(repository.to_owned()));
            }
        }
        Ok(())
    }

    /// The folder that a dependency of this machine is in, relative to the chart.
    fn local(&self, path: &str) -> Result<PathBuf, Error> {
        let folder = self.folder.join(path);
        if folder.exists() {
            Ok(folder)
        } else {
            Err(Error::NoFolder(folder))
        }
    }

    /// The exact versions of dependencies.
    fn resolve(&self, wanted: &[Dependency]) -> Result<Vec<Dependency>, Error> {
        self.check_repositories(wanted)?;
        let (mut exact, mut missing) = (Vec::new(), Vec::new());
        for one in wanted {
            let constraint = constraint(one)?;
            match self.version(one, &constraint)? {
                Some(version) => exact.push(Dependency {
                    name: one.name.clone(),
                    version,
                    repository: one.repository.clone(),
                    ..Dependency::default()
                }),
                None => missing.push(format!(
                    "{:?} (repository {:?}, version {:?})",
                    one.name, one.repository, one.version
                )),
            }
        }
        if missing.is_empty() {
            Ok(exact)
        } else {
            Err(Error::NoVersion(missing))
        }
    }

    fn version(&self, one: &Dependency, constraint: &Constraint) -> Result<Option<String>, Error> {
        let repository = one.repository.as_str();
        if repository.is_empty() {
            self.local(&format!("charts/{}", one.name))?;
            return Ok(Some(one.version.clone()));
        }
        if let Some(path) = repository.strip_prefix(FILE) {
            let chart = Chart::load(&self.local(path)?, self.compatibility)?;
            let version = chart.metadata.version;
            return Ok(fits(&version, constraint).then_some(version));
        }
        let versions = match repository.strip_prefix("oci://") {
            Some(_) if Version::parse(&one.version).is_ok() => {
                return Ok(Some(one.version.clone()));
            }
            Some(base) => {
                let name = format!("{}/{}", base.trim_end_matches('/'), one.name);
                tags::versions(&self.remote.tags(&name)?)
            }
            None => {
                let listed = index::versions(repository, &one.name, self.remote)?;
                let listed = listed.into_iter().filter(|one| !one.urls.is_empty());
                listed.map(|one| one.version).collect()
            }
        };
        let chosen = versions.into_iter().find(|one| constraint.allows(one));
        Ok(chosen.map(|version| version.original))
    }

    /// Brings exact dependencies to beside `charts`.
    fn bring(&self, exact: &mut [Dependency]) -> Result<(Incoming, Outcome), Error> {
        let mut incoming = Incoming::begin(self.folder)?;
        let mut outcome = Outcome::default();
        let mut brought = BTreeMap::new();
        for one in exact.iter_mut() {
            if one.repository.is_empty() {
                self.check_local(one)?;
                continue;
            }
            let package = self.package(one, &mut brought)?;
            incoming.add(&package.file_name, &package.bytes)?;
            outcome.saved.push(Saved {
                name: one.name.clone(),
                version: one.version.clone(),
                repository: one.repository.clone(),
            });
        }
        Ok((incoming, outcome))
    }

    /// The package of a dependency; one of this machine is packed, and its version is what it is now.
    fn package(
        &self,
        one: &mut Dependency,
        brought: &mut BTreeMap<(String, String, String), Package>,
    ) -> Result<Package, Error> {
        if let Some(path) = one.repository.strip_prefix(FILE) {
            let chart = Chart::load(&self.local(path)?, self.compatibility)?;
            if !fits(&chart.metadata.version, &constraint(one)?) {
                return Err(unfit(one, &chart.metadata.version));
            }
            one.version.clone_from(&chart.metadata.version);
            return Ok(Package {
                file_name: package::file_name(&chart.metadata)?,
                bytes: package::pack(&chart)?,
                address: one.repository.clone(),
                digest: None,
                is_verified: true,
            });
        }
        let key = (
            one.repository.clone(),
            one.name.clone(),
            one.version.clone(),
        );
        if let Some(package) = brought.get(&key) {
            return Ok(package.clone());
        }
        let package = locate::listed(&one.repository, &one.name, &one.version, self.remote)?;
        // What is no chart must not get into the folder.
        Chart::from_archive(&package.bytes, self.compatibility)?;
        brought.insert(key, package.clone());
        Ok(package)
    }

    fn check_local(&self, one: &Dependency) -> Result<(), Error> {
        let folder = self.folder.join("charts").join(&one.name);
        let version = Chart::load(&folder, self.compatibility)?.metadata.version;
        if fits(&version, &constraint(one)?) {
            Ok(())
        } else {
            Err(unfit(one, &version))
        }
    }
}

/// The names of the charts that somebody keeps in `charts` by hand.
fn kept(exact: &[Dependency]) -> Vec<String> {
    let own = exact.iter().filter(|one| one.repository.is_empty());
    own.map(|one| one.name.clone()).collect()
}

fn unfit(one: &Dependency, version: &str) -> Error {
    Error::Unfit {
        name: one.name.clone(),
        version: version.to_owned(),
        constraint: one.version.clone(),
    }
}

fn constraint(one: &Dependency) -> Result<Constraint, Error> {
    Constraint::parse(&one.version).map_err(|problem| Error::DependencyVersion {
        name: one.name.clone(),
        problem: problem.to_string(),
    })
}

fn fits(version: &str, constraint: &Constraint) -> bool {
    Version::parse(version).is_ok_and(|version| constraint.allows(&version))
}

/// The lock file and the file with the dependencies, by the form of the chart.
fn files(api_version: &str) -> (&'static str, &'static str) {
    match api_version {
        "v1" => ("requirements.lock", "requirements.yaml"),
        _ => ("Chart.lock", "Chart.yaml"),
    }
}
