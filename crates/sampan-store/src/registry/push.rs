//! Putting a manifest into a repository, with its tags.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use sqlx::sqlite::SqliteConnection;

use super::columns::{stored_size, stored_time};
use super::events::NewEvent;
use super::repositories::Survey;
use super::{EventKind, Ledger, Outbox, Refusal, Rules, statements, tags};
use crate::Error;
use crate::writer::{Carried, Operation};

statements! {
    /// The list of children is short and comes as one value, so that it is one statement however long it is.
    MISSING = "SELECT DISTINCT child.value ->> 'digest' AS digest FROM json_each(?2) AS child \
        WHERE child.value ->> 'required' AND CASE child.value ->> 'kind' \
          WHEN 'blob' THEN NOT EXISTS (SELECT 1 FROM repository_blobs \
            WHERE repository = ?1 AND repository_blobs.digest = child.value ->> 'digest') \
          ELSE NOT EXISTS (SELECT 1 FROM manifests \
            WHERE repository = ?1 AND manifests.digest = child.value ->> 'digest') END";
    ADD_MANIFEST = "INSERT INTO manifests \
        (repository, digest, media_type, artifact_type, subject, annotations, size_bytes, pushed_at, unused_since) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8) ON CONFLICT (repository, digest) DO NOTHING";
    /// Who pushes it again is about to name it: it must not look as old as it is.
    PUSHED_AGAIN = "UPDATE manifests SET pushed_at = MAX(pushed_at, ?3), unused_since = MAX(unused_since, ?3) \
        WHERE repository = ?1 AND digest = ?2";
    ADD_CHILDREN = "INSERT INTO manifest_children (repository, manifest, kind, digest) \
        SELECT DISTINCT ?1, ?2, child.value ->> 'kind', child.value ->> 'digest' FROM json_each(?3) AS child";
}

/// What a child of a manifest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChildKind {
    /// A configuration or layer.
    Blob,
    /// Another manifest.
    Manifest,
}

/// Something that a manifest names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Child {
    /// Its digest.
    pub digest: String,
    /// What it is.
    pub kind: ChildKind,
    /// Whether the repository must have it. What is not required counts once it is there.
    pub required: bool,
}

/// A manifest that is to be put into a repository.
#[derive(Debug, Clone)]
pub struct PutManifest {
    /// The repository; it is made when missing.
    pub repository: String,
    /// The digest of the manifest, whose file must be there.
    pub digest: String,
    /// What it is.
    pub media_type: String,
    /// What kind of artifact it is, as a listing of referrers shows it.
    pub artifact_type: Option<String>,
    /// The manifest that it refers to, which need not be there.
    pub subject: Option<String>,
    /// Its annotations, a JSON object.
    pub annotations: Option<String>,
    /// Its own size.
    pub size_bytes: u64,
    /// What it names.
    pub children: Vec<Child>,
    /// The tags that shall point at it.
    pub tags: Vec<String>,
    /// What must be kept to.
    pub rules: Rules,
    /// Who pushes.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// A tag that came to point at a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedTag {
    /// Its name.
    pub tag: String,
    /// Where it pointed before; absent when it was new.
    pub previous: Option<String>,
}

/// A manifest that has been put into a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Whether the repository did not have it before.
    pub created: bool,
    /// The tags that were asked for, in order.
    pub tags: Vec<MovedTag>,
}

impl Ledger {
    /// Puts a manifest into a repository and lets tags point at it. Putting it again adds the tags and
    /// renews its time. Each tag
    /// that is new or moves is an event, and so is a new manifest without a tag.
    ///
    /// # Errors
    /// [`Refusal::MissingChildren`], [`Refusal::TagImmutable`], [`Refusal::QuotaExceeded`].
    pub async fn put_manifest(&self, manifest: PutManifest) -> Result<Pushed, Error> {
        self.writer.submit(manifest).await
    }

    /// Whether [`Ledger::put_manifest`] would refuse a manifest now, so that its bytes need not be written first.
    ///
    /// # Errors
    /// As there.
    pub async fn check_manifest(&self, manifest: &PutManifest) -> Result<(), Error> {
        let check = async {
            let mut connection = self.pool.acquire().await?;
            manifest.check(&mut connection).await
        };
        let checked = check.await.map_err(Error::sql("check a manifest"))?;
        checked.map(drop).map_err(Error::from)
    }
}

impl Operation<Outbox> for PutManifest {
    type Output = Pushed;

    async fn carry_out(
        self,
        connection: &mut SqliteConnection,
        outbox: &mut Outbox,
    ) -> Carried<Pushed> {
        let checked = match self.check(connection).await? {
            Ok(checked) => checked,
            Err(refusal) => return Ok(Err(refusal.into())),
        };
        let Checked {
            survey,
            children,
            tags,
        } = checked;
        let repository = survey
            .make_room(connection, &self.repository, &self.digest, self.size_bytes)
            .await?;
        let created = self.insert(connection, repository, &children).await?;
        for MovedTag { tag, previous } in &tags {
            let change = tags::Change {
                repository,
                tag,
                previous: previous.as_deref(),
                actor: &self.actor,
                at: self.at,
            };
            change.set(connection, &self.digest).await?;
            if previous.as_deref() != Some(self.digest.as_str()) {
                outbox.record(connection, self.event(Some(tag))).await?;
            }
        }
        if created && tags.is_empty() {
            outbox.record(connection, self.event(None)).await?;
        }
        Ok(Ok(Pushed { created, tags }))
    }
}

/// What has been found out about a manifest that nothing speaks against.
struct Checked {
    survey: Survey,
    /// The children as one value.
    children: String,
    tags: Vec<MovedTag>,
}

impl PutManifest {
    async fn check(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<Result<Checked, Refusal>, sqlx::Error> {
        let survey = Survey::take(connection, &self.repository, &self.digest).await?;
        // No row has this number: a repository that is missing has nothing.
        let known = survey.repository.unwrap_or(0);
        let children = serde_json::to_string(&self.children)
            .map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        let missing = self.missing(connection, known, &children).await?;
        if !missing.is_empty() {
            return Ok(Err(Refusal::MissingChildren(missing)));
        }
        let tags = match self.check_tags(connection, known).await? {
            Ok(tags) => tags,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let quota = self.rules.quota_bytes;
        let has_room = survey.check_quota(&self.repository, self.size_bytes, quota);
        Ok(has_room.map(|()| Checked {
            survey,
            children,
            tags,
        }))
    }

    async fn missing(
        &self,
        connection: &mut SqliteConnection,
        repository: i64,
        children: &str,
    ) -> Result<Vec<String>, sqlx::Error> {
        if !self.children.iter().any(|child| child.required) {
            return Ok(Vec::new());
        }
        sqlx::query_scalar(MISSING)
            .bind(repository)
            .bind(children)
            .fetch_all(connection)
            .await
    }

    /// Where the tags point now, each tag once; a refusal when one of them may not move.
    async fn check_tags(
        &self,
        connection: &mut SqliteConnection,
        repository: i64,
    ) -> Result<Result<Vec<MovedTag>, Refusal>, sqlx::Error> {
        let mut seen = BTreeSet::new();
        let mut targets = Vec::with_capacity(self.tags.len());
        for tag in self.tags.iter().filter(|tag| seen.insert(*tag)) {
            let previous = tags::target(connection, repository, tag).await?;
            let moves = previous.as_ref().is_some_and(|at| *at != self.digest);
            let tag = tag.clone();
            if moves && self.rules.is_immutable(&tag) {
                return Ok(Err(Refusal::TagImmutable { tag }));
            }
            targets.push(MovedTag { tag, previous });
        }
        Ok(Ok(targets))
    }

    /// Adds the manifest with its children; says whether it is new.
    async fn insert(
        &self,
        connection: &mut SqliteConnection,
        repository: i64,
        children: &str,
    ) -> Result<bool, sqlx::Error> {
        let done = sqlx::query(ADD_MANIFEST)
            .bind(repository)
            .bind(&self.digest)
            .bind(&self.media_type)
            .bind(self.artifact_type.as_deref())
            .bind(self.subject.as_deref())
            .bind(self.annotations.as_deref())
            .bind(stored_size(self.size_bytes))
            .bind(stored_time(self.at))
            .execute(&mut *connection)
            .await?;
        let created = done.rows_affected() == 1;
        if !created {
            sqlx::query(PUSHED_AGAIN)
                .bind(repository)
                .bind(&self.digest)
                .bind(stored_time(self.at))
                .execute(connection)
                .await?;
        } else if !self.children.is_empty() {
            sqlx::query(ADD_CHILDREN)
                .bind(repository)
                .bind(&self.digest)
                .bind(children)
                .execute(connection)
                .await?;
        }
        Ok(created)
    }

    fn event<'a>(&'a self, tag: Option<&'a str>) -> NewEvent<'a> {
        NewEvent {
            kind: EventKind::Pushed,
            repository: &self.repository,
            digest: &self.digest,
            tag,
            media_type: Some(&self.media_type),
            size_bytes: Some(self.size_bytes),
            actor: &self.actor,
            at: self.at,
        }
    }
}
