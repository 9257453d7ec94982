//! Records in a cluster: one Secret for each revision, as Helm keeps them.

use serde_json::Value as Json;

use super::Releases;
use super::error::Error;
use super::record::{Release, Status};
use super::secret;
use super::target::{Collection, Propagation};

impl Releases<'_> {
    /// All revisions of a release, the first one first.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there are none; also when the cluster does not answer.
    pub fn history(&self, name: &str) -> Result<Vec<Release>, Error> {
        self.check_name(name)?;
        let revisions = self.revisions(name)?;
        if revisions.is_empty() {
            return Err(Error::NotFound(name.to_owned()));
        }
        Ok(revisions)
    }

    /// The same; empty when there are none.
    pub(super) fn revisions(&self, name: &str) -> Result<Vec<Release>, Error> {
        let labels = format!("name={name},owner=helm");
        let mut revisions = self.query(Some(&self.settings.namespace), &labels)?;
        revisions.sort_by_key(|release| release.version);
        Ok(revisions)
    }

    /// The last revision of a release.
    pub(super) fn last(&self, name: &str) -> Result<Release, Error> {
        let mut revisions = self.revisions(name)?;
        revisions
            .pop()
            .ok_or_else(|| Error::NotFound(name.to_owned()))
    }

    /// One revision of a release, or the last.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not there; also when the cluster does not answer.
    pub fn get(&self, name: &str, version: Option<u32>) -> Result<Release, Error> {
        self.check_name(name)?;
        let Some(version) = version else {
            return self.last(name);
        };
        let id = secret::id(&self.settings.namespace, name, version);
        let found = self.target.get(&id)?;
        let secret = found.ok_or_else(|| Error::NoRevision {
            name: name.to_owned(),
            version,
        })?;
        secret::from_secret(&secret).map_err(|source| Error::Record {
            secret: id.name,
            source,
        })
    }

    /// The revision that runs; the latest one if there are several.
    pub(super) fn deployed(revisions: &[Release]) -> Option<&Release> {
        let deployed = |release: &&Release| release.info.status == Status::Deployed;
        revisions.iter().rev().find(deployed)
    }

    /// All records that have some labels. Those that cannot be read are named and left out.
    pub(super) fn query(
        &self,
        namespace: Option<&str>,
        labels: &str,
    ) -> Result<Vec<Release>, Error> {
        let secrets = self.target.list(&Collection {
            api_version: "v1",
            kind: "Secret",
            namespace,
            labels,
        })?;
        let mut releases = Vec::new();
        for secret in secrets {
            match secret::from_secret(&secret) {
                Ok(release) => releases.push(release),
                Err(error) => {
                    let name = secret.pointer("/metadata/name").and_then(Json::as_str);
                    let name = name.unwrap_or_default();
                    self.say(&format!("skipping Secret `{name}`: {error}"));
                }
            }
        }
        Ok(releases)
    }

    /// Keeps a new revision. That the name is free makes it a lock too: of two that try, one fails.
    pub(super) fn keep(&self, release: &Release, max_history: u32) -> Result<(), Error> {
        if max_history > 0 {
            self.prune(&release.name, max_history - 1)?;
        }
        let secret = secret_of(release, "createdAt")?;
        let id = secret::id(&release.namespace, &release.name, release.version);
        match self.target.create(&id, &secret) {
            Ok(_) => Ok(()),
            Err(problem) if problem.is_conflict_of_names() => Err(Error::Pending {
                name: release.name.clone(),
                status: Status::Unknown,
            }),
            Err(problem) => Err(Error::Store(problem)),
        }
    }

    /// Writes a revision again.
    pub(super) fn update(&self, release: &Release) -> Result<(), Error> {
        let secret = secret_of(release, "modifiedAt")?;
        let id = secret::id(&release.namespace, &release.name, release.version);
        let replaced = self.target.replace(&id, &secret);
        replaced.map(drop).map_err(Error::Store)
    }

    /// Writes a revision again on a way on which another error is more important.
    pub(super) fn record(&self, release: &Release) {
        if let Err(problem) = self.update(release) {
            let (name, version) = (&release.name, release.version);
            self.say(&format!(
                "revision {version} of {name} could not be recorded: {problem}"
            ));
        }
    }

    /// Forgets a revision.
    pub(super) fn forget(&self, release: &Release) -> Result<(), Error> {
        let id = secret::id(&release.namespace, &release.name, release.version);
        let deleted = self.target.delete(&id, Propagation::Background);
        deleted.map(drop).map_err(Error::Store)
    }

    /// Forgets the oldest revisions until no more than `most` are left; never the one that runs.
    fn prune(&self, name: &str, most: u32) -> Result<(), Error> {
        let revisions = self.revisions(name)?;
        let deployed = Self::deployed(&revisions).map(|release| release.version);
        let surplus = revisions.len().saturating_sub(most as usize);
        let idle = revisions
            .iter()
            .filter(|release| Some(release.version) != deployed);
        for release in idle.take(surplus) {
            self.forget(release)?;
        }
        Ok(())
    }
}

/// The Secret of a revision, with the time in one of its labels.
fn secret_of(release: &Release, stamp: &str) -> Result<Json, Error> {
    let seconds = jiff::Timestamp::now().as_second();
    secret::to_secret(release, (stamp, seconds)).map_err(|source| Error::Record {
        secret: secret::secret_name(&release.name, release.version),
        source,
    })
}
