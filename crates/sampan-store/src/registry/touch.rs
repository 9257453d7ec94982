//! Notes that a tag is in use, for rules that go by its age.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::columns::stored_time;
use super::{Ledger, Outbox, statements};
use crate::Error;
use crate::writer::{Carried, Operation};

statements! {
    TOUCH_TAG = "UPDATE tags SET pushed_at = MAX(pushed_at, ?) \
        WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND name = ? AND digest = ?";
}

struct TouchTag {
    repository: String,
    tag: String,
    digest: String,
    at: Timestamp,
}

impl Ledger {
    /// Lets a tag look as if it had been pushed at that time, if it still points at the manifest; it is no event.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_tag(
        &self,
        repository: &str,
        tag: &str,
        digest: &str,
        at: Timestamp,
    ) -> Result<(), Error> {
        let touch = TouchTag {
            repository: repository.to_owned(),
            tag: tag.to_owned(),
            digest: digest.to_owned(),
            at,
        };
        self.writer.submit(touch).await
    }
}

impl Operation<Outbox> for TouchTag {
    type Output = ();

    async fn carry_out(self, connection: &mut SqliteConnection, _: &mut Outbox) -> Carried<()> {
        sqlx::query(TOUCH_TAG)
            .bind(stored_time(self.at))
            .bind(&self.repository)
            .bind(&self.tag)
            .bind(&self.digest)
            .execute(connection)
            .await?;
        Ok(Ok(()))
    }
}
