//! Notes that something is in use, for rules that go by its age.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::columns::stored_time;
use super::{Ledger, Outbox, statements};
use crate::Error;
use crate::writer::{Carried, Operation};

statements! {
    TOUCH_MANIFEST = "UPDATE manifests SET pushed_at = MAX(pushed_at, ?1), unused_since = MAX(unused_since, ?1) \
        WHERE repository = (SELECT id FROM repositories WHERE name = ?2) AND digest = ?3";
    TOUCH_TAG = "UPDATE tags SET pushed_at = MAX(pushed_at, ?1) \
        WHERE repository = (SELECT id FROM repositories WHERE name = ?2) AND name = ?4 AND digest = ?3";
}

struct TouchManifest {
    repository: String,
    digest: String,
    tag: Option<String>,
    at: Timestamp,
}

impl Ledger {
    /// Lets a manifest, and a tag that points at it, look as if they had been pushed at that time. Where either is gone,
    /// nothing happens; it is no event.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_manifest(
        &self,
        repository: &str,
        digest: &str,
        tag: Option<&str>,
        at: Timestamp,
    ) -> Result<(), Error> {
        let touch = TouchManifest {
            repository: repository.to_owned(),
            digest: digest.to_owned(),
            tag: tag.map(str::to_owned),
            at,
        };
        self.writer.submit(touch).await
    }
}

impl Operation<Outbox> for TouchManifest {
    type Output = ();

    async fn carry_out(self, connection: &mut SqliteConnection, _: &mut Outbox) -> Carried<()> {
        sqlx::query(TOUCH_MANIFEST)
            .bind(stored_time(self.at))
            .bind(&self.repository)
            .bind(&self.digest)
            .execute(&mut *connection)
            .await?;
        if let Some(tag) = &self.tag {
            sqlx::query(TOUCH_TAG)
                .bind(stored_time(self.at))
                .bind(&self.repository)
                .bind(&self.digest)
                .bind(tag)
                .execute(connection)
                .await?;
        }
        Ok(Ok(()))
    }
}
