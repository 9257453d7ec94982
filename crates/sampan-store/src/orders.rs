//! Orders: requests to bring an environment to a release, kept as its history.
//!
//! Whoever carries an order out moves it through its states. Two rollouts of one app and environment at the same time
//! are impossible, because the table holds at most one running order of each.

use jiff::Timestamp;
use sampan_model::{OrderId, OrderState};
use sqlx::Row as _;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::Error;
use crate::writer::Turn;

/// An order that is to be written down.
#[derive(Debug, Clone)]
pub struct NewOrder<'a> {
    /// The app.
    pub app: &'a str,
    /// The environment.
    pub environment: &'a str,
    /// The version that it shall come to.
    pub version: &'a str,
    /// Who asks.
    pub requested_by: &'a str,
    /// When.
    pub requested_at: Timestamp,
    /// What is to be brought about, in the words of who carries it out.
    pub body: &'a str,
}

/// An order without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its number.
    pub id: OrderId,
    /// The app.
    pub app: String,
    /// The environment.
    pub environment: String,
    /// The version that it shall come to.
    pub version: String,
    /// Where it stands.
    pub state: OrderState,
    /// Who asked.
    pub requested_by: String,
    /// When.
    pub requested_at: Timestamp,
    /// When it came to its state.
    pub changed_at: Timestamp,
    /// The process that carries it out, while it runs.
    pub runner: Option<String>,
    /// One line for people, once it has ended.
    pub outcome: Option<String>,
}

/// What comes with a new state.
#[derive(Debug, Clone, Copy)]
pub struct Transition<'a> {
    /// The state that the order must be in.
    pub from: OrderState,
    /// The state that it comes to.
    pub to: OrderState,
    /// When.
    pub at: Timestamp,
    /// The process that carries it out, for a running order.
    pub runner: Option<&'a str>,
    /// One line for people, for an order that has ended.
    pub outcome: Option<&'a str>,
}

/// Which orders are meant.
#[derive(Debug, Clone, Copy, Default)]
pub struct OrderFilter<'a> {
    /// Those of one app.
    pub app: Option<&'a str>,
    /// Those of one environment.
    pub environment: Option<&'a str>,
    /// Those in one state.
    pub state: Option<OrderState>,
}

/// The table of orders; cloned freely.
#[derive(Debug, Clone)]
pub struct Orders {
    pool: SqlitePool,
    turn: Turn,
}

const COLUMNS: &str =
    "id, app, environment, version, state, requested_by, requested_at, changed_at, runner, outcome";

impl Orders {
    pub(crate) fn new(pool: SqlitePool, turn: Turn) -> Self {
        Self { pool, turn }
    }

    /// Writes an order down, as requested.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn insert(&self, order: &NewOrder<'_>) -> Result<OrderId, Error> {
        let at = order.requested_at.to_string();
        let _turn = self.turn.lock().await;
        let row = sqlx::query(
            "INSERT INTO orders (app, environment, version, state, requested_by, requested_at, changed_at, body)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        )
        .bind(order.app)
        .bind(order.environment)
        .bind(order.version)
        .bind(OrderState::Requested.as_str())
        .bind(order.requested_by)
        .bind(&at)
        .bind(&at)
        .bind(order.body)
        .fetch_one(&self.pool)
        .await
        .map_err(Error::sql("write an order down"))?;
        Ok(OrderId(row.get(0)))
    }

    /// Moves an order to another state.
    ///
    /// # Errors
    /// [`Error::OrderMoved`] when it is not in the state `from` or may not pass to `to`; [`Error::Running`] when another
    /// order of the app and environment runs.
    pub async fn transition(&self, id: OrderId, transition: &Transition<'_>) -> Result<(), Error> {
        let Transition { from, to, .. } = *transition;
        if !from.may_become(to) {
            return Err(Error::OrderMoved { id, from, to });
        }
        let turn = self.turn.lock().await;
        let outcome = sqlx::query(
            "UPDATE orders SET state = ?, changed_at = ?, runner = ?, outcome = ? WHERE id = ? AND state = ?",
        )
        .bind(to.as_str())
        .bind(transition.at.to_string())
        .bind(transition.runner)
        .bind(transition.outcome)
        .bind(id.0)
        .bind(from.as_str())
        .execute(&self.pool)
        .await;
        drop(turn);
        match outcome {
            Ok(done) if done.rows_affected() == 1 => Ok(()),
            Ok(_) => Err(Error::OrderMoved { id, from, to }),
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                Err(Error::Running { id })
            }
            Err(source) => Err(Error::Sql {
                doing: "move an order",
                source,
            }),
        }
    }

    /// The orders that match, newest first, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn list(&self, filter: &OrderFilter<'_>, limit: u32) -> Result<Vec<Order>, Error> {
        let query = format!(
            "SELECT {COLUMNS} FROM orders
             WHERE app = COALESCE(?, app) AND environment = COALESCE(?, environment) AND state = COALESCE(?, state)
             ORDER BY id DESC LIMIT ?"
        );
        sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(filter.app)
            .bind(filter.environment)
            .bind(filter.state.map(OrderState::as_str))
            .bind(limit)
            .try_map(|row: SqliteRow| order(&row))
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("read the orders"))
    }

    /// What an order is to bring about.
    ///
    /// # Errors
    /// When the order does not exist or the database cannot be read.
    pub async fn body(&self, id: OrderId) -> Result<String, Error> {
        sqlx::query("SELECT body FROM orders WHERE id = ?")
            .bind(id.0)
            .try_map(|row: SqliteRow| row.try_get(0))
            .fetch_one(&self.pool)
            .await
            .map_err(Error::sql("read an order"))
    }
}

fn order(row: &SqliteRow) -> Result<Order, sqlx::Error> {
    Ok(Order {
        id: OrderId(row.try_get("id")?),
        app: row.try_get("app")?,
        environment: row.try_get("environment")?,
        version: row.try_get("version")?,
        state: parsed(row, "state")?,
        requested_by: row.try_get("requested_by")?,
        requested_at: parsed(row, "requested_at")?,
        changed_at: parsed(row, "changed_at")?,
        runner: row.try_get("runner")?,
        outcome: row.try_get("outcome")?,
    })
}

fn parsed<T>(row: &SqliteRow, column: &str) -> Result<T, sqlx::Error>
where
    T: std::str::FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    row.try_get::<String, _>(column)?
        .parse()
        .map_err(|error: T::Err| sqlx::Error::ColumnDecode {
            index: column.to_owned(),
            source: Box::new(error),
        })
}
