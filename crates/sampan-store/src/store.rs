//! Opening and closing the database.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::migrate::MigrateError;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool,
    SqlitePoolOptions, SqliteSynchronous,
};
use tokio::sync::watch;

use crate::Error;
use crate::objects::{Objects, Writer};
use crate::orders::Orders;
use crate::registry::{EventId, Ledger, Outbox};
use crate::writer;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// How long a statement waits for another process that writes. SQLite gives nobody a turn, it tries again and
/// again: beside a process that commits batch after batch, seconds may pass.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Connections that read, and that write orders. Each costs a thread and its page cache.
const POOL_SIZE: u32 = 3;

/// Statements that a writing task keeps prepared: about as many as it ever needs.
const WRITER_STATEMENTS: usize = 64;

/// The database of an installation; cloned freely.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
    writer: Arc<Writer>,
    ledger: Arc<writer::Writer<Outbox>>,
    newest_event: watch::Receiver<EventId>,
    turn: writer::Turn,
}

impl Store {
    /// Opens the database file, creates it when missing, and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error::FromTheFuture`] when a newer program has been here; otherwise when the file cannot be used.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        prepare_file(path)?;
        let options = connect_options(path);
        let pool = SqlitePoolOptions::new()
            .max_connections(POOL_SIZE)
            .min_connections(0)
            .idle_timeout(Duration::from_mins(1))
            .connect_with(options.clone())
            .await
            .map_err(|source| Error::Open {
                path: path.to_owned(),
                source,
            })?;
        migrate(path, &pool).await?;
        let turn = writer::Turn::default();
        let connection = connect(path, &options).await?;
        let writer = Arc::new(Writer::start(connection, Arc::clone(&turn)).await?);
        let mut connection = connect(path, &options).await?;
        let outbox = Outbox::open(&mut connection).await?;
        let newest_event = outbox.subscribe();
        let ledger = Arc::new(writer::Writer::start(connection, Arc::clone(&turn), outbox));
        Ok(Self {
            pool,
            writer,
            ledger,
            newest_event,
            turn,
        })
    }

    /// The objects of the engine's API.
    #[must_use]
    pub fn objects(&self) -> Objects {
        Objects::new(self.pool.clone(), Arc::clone(&self.writer))
    }

    /// The orders of rollouts.
    #[must_use]
    pub fn orders(&self) -> Orders {
        Orders::new(self.pool.clone(), Arc::clone(&self.turn))
    }

    /// The ledger of the registry.
    #[must_use]
    pub fn registry(&self) -> Ledger {
        Ledger::new(
            self.pool.clone(),
            Arc::clone(&self.ledger),
            self.newest_event.clone(),
        )
    }

    /// Finishes the writes that were accepted and closes the database; later calls fail with
    /// [`Error::Closed`].
    pub async fn close(&self) {
        tokio::join!(self.writer.stop(), self.ledger.stop());
        self.pool.close().await;
    }
}

/// Creates the file if need be, readable by its owner only: secrets are in it. SQLite gives the files beside
/// it (`-wal`, `-shm`) the same mode.
fn prepare_file(path: &Path) -> Result<(), Error> {
    if path.exists() {
        return Ok(());
    }
    open_private(path).map(drop)
}

fn open_private(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|source| Error::Prepare {
            path: path.to_owned(),
            source,
        })
}

fn connect_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("cache_size", "-512")
        .pragma("wal_autocheckpoint", "500")
        .pragma("journal_size_limit", "4194304")
        .statement_cache_capacity(32)
        .disable_statement_logging()
}

/// A connection for a task that writes.
async fn connect(path: &Path, options: &SqliteConnectOptions) -> Result<SqliteConnection, Error> {
    options
        .clone()
        .pragma("cache_size", "-1024")
        .statement_cache_capacity(WRITER_STATEMENTS)
        .connect()
        .await
        .map_err(|source| Error::Open {
            path: path.to_owned(),
            source,
        })
}

/// Runs the missing migrations, one process at a time. The lock is a file of its own: closing a second
/// descriptor of the database itself would drop SQLite's locks on it.
async fn migrate(path: &Path, pool: &SqlitePool) -> Result<(), Error> {
    let lock_path = path.with_extension("lock");
    let lock = open_private(&lock_path)?;
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock))
        .await
        .map_err(|_| Error::Closed)?
        .map_err(|source| Error::Prepare {
            path: lock_path,
            source,
        })?;
    let outcome = MIGRATIONS.run(pool).await;
    drop(lock);
    outcome.map_err(|error| match error {
        MigrateError::VersionMissing(version) => Error::FromTheFuture {
            path: path.to_owned(),
            version,
        },
        source => Error::Migrate {
            path: path.to_owned(),
            source,
        },
    })
}
