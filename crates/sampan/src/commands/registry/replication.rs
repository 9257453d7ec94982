//! `sampan registry replication`: how far other registries have what this one has.

use jiff::Timestamp;
use sampan_model::shortened;
use sampan_registry::Config;
use sampan_registry::replication::Replication;
use sampan_store::registry::{EventId, Ledger};
use serde::Serialize;

use super::ask;
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::{Table, age};

/// Arguments of `sampan registry replication`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// A rule and how far it has come.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    to: String,
    state: State,
    /// Events that have not been looked at.
    waiting_events: i64,
    /// The last attempt to bring something.
    last: Option<Last>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Last {
    at: Timestamp,
    outcome: String,
    next_attempt_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// All that it is about is being brought for the first time.
    Beginning,
    /// The last attempt failed, and there will be another one.
    Failing,
    /// There are events that have not been looked at.
    Behind,
    /// There is nothing to do.
    UpToDate,
}

/// Prints the rules.
pub(super) fn run(_: &Args, context: &Context) -> Result<(), Failure> {
    let config = Config::load(context.data())?;
    let rows = ask(context, async |ledger| {
        let known = ledger.webhooks().await?;
        let mut rows = Vec::new();
        for rule in config.replication.iter() {
            let mut known = known.iter();
            let row = known.find(|(name, _)| *name == rule.subscription());
            rows.push(look_at(ledger, rule, row.map(|(_, seen)| *seen)).await?);
        }
        Ok(rows)
    })?;
    let rows = rows.unwrap_or_default();
    if context.json() {
        return context.ui().json(&rows);
    }
    if rows.is_empty() {
        context.ui().note(
            "nothing is replicated; `replication` in registry.yaml says what is brought where",
        );
        return Ok(());
    }
    let mut table = Table::new(["rule", "to", "state", "last", "outcome"]);
    for row in &rows {
        let last = row.last.as_ref();
        table.row([
            row.name.clone(),
            row.to.clone(),
            state(row),
            last.map_or_else(String::new, |last| format!("{} ago", age(last.at))),
            last.map_or_else(String::new, |last| shortened(&last.outcome, 100)),
        ]);
    }
    context.ui().table(&table)
}

async fn look_at(
    ledger: &Ledger,
    rule: &Replication,
    seen: Option<EventId>,
) -> Result<Row, Failure> {
    let subscription = rule.subscription();
    let log = ledger.deliveries(Some(&subscription), None, 1).await?;
    let last = log.into_iter().next().map(|entry| Last {
        at: entry.attempt.at,
        outcome: entry.attempt.outcome,
        next_attempt_at: entry.attempt.next_attempt_at,
    });
    let newest = ledger.newest_event().borrow().0;
    let waiting_events = newest - seen.map_or(0, |seen| seen.0);
    let is_failing = last
        .as_ref()
        .is_some_and(|last| last.next_attempt_at.is_some());
    let state = match seen {
        _ if is_failing => State::Failing,
        None => State::Beginning,
        Some(_) if waiting_events > 0 => State::Behind,
        Some(_) => State::UpToDate,
    };
    Ok(Row {
        name: rule.name.clone(),
        to: rule.to.to_string(),
        state,
        waiting_events,
        last,
    })
}

fn state(row: &Row) -> String {
    match row.state {
        State::Beginning => "beginning".to_owned(),
        State::Failing => {
            let next = row.last.as_ref().and_then(|last| last.next_attempt_at);
            let wait = next.map_or(0, |next| {
                next.duration_since(sampan_supervise::clock::now())
                    .as_secs()
            });
            format!("failing, again in {}s", wait.max(0))
        }
        State::Behind => format!("{} events behind", row.waiting_events),
        State::UpToDate => "up to date".to_owned(),
    }
}
