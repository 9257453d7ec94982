//! `sampan registry events`: the log of deliveries.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use sampan_model::{nearest, shortened};
use sampan_registry::events::Action;
use sampan_store::registry::{Delivery, Event, EventId, Ledger};
use serde::Serialize;

use super::ask;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::ui::{Table, age};

/// Arguments of `sampan registry events`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this webhook
    #[arg(long, value_name = "NAME")]
    webhook: Option<String>,
    /// How many attempts, the newest first
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    limit: u32,
}

/// An attempt to tell a webhook of an event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    webhook: String,
    event: i64,
    /// Absent when the event is so old that it is gone.
    #[serde(flatten)]
    subject: Option<Subject>,
    attempt: u32,
    at: Timestamp,
    state: State,
    status: Option<u16>,
    outcome: String,
    next_attempt_at: Option<Timestamp>,
}

/// What happened.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Subject {
    action: &'static str,
    repository: String,
    tag: Option<String>,
    digest: String,
    actor: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// The receiver took it.
    Delivered,
    /// It failed and will be tried again.
    Waiting,
    /// It failed and was tried again since.
    Failed,
    /// It failed and will not be tried again.
    GivenUp,
}

/// Prints the attempts, newest first.
pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let webhook = args.webhook.as_deref();
    let rows = ask(context, async |ledger| {
        let log = ledger.deliveries(webhook, None, args.limit).await?;
        if let Some(webhook) = webhook
            && log.is_empty()
        {
            known(ledger, webhook).await?;
        }
        rows(ledger, log).await
    })?;
    let rows = rows.unwrap_or_default();
    if context.json() {
        return context.ui().json(&rows);
    }
    if rows.is_empty() {
        context
            .ui()
            .note("nothing was delivered; `webhooks` in registry.yaml says who is told of what");
        return Ok(());
    }
    let mut table = Table::new([
        "webhook", "event", "what", "attempt", "at", "state", "outcome",
    ]);
    for row in &rows {
        table.row([
            row.webhook.clone(),
            row.event.to_string(),
            row.subject.as_ref().map_or_else(String::new, what),
            row.attempt.to_string(),
            format!("{} ago", age(row.at)),
            state(row),
            shortened(&row.outcome, 100),
        ]);
    }
    context.ui().table(&table)
}

/// Refuses a name that no webhook has.
async fn known(ledger: &Ledger, webhook: &str) -> Result<(), Failure> {
    let known = ledger.webhooks().await?;
    let names = || known.iter().map(|(name, _)| name.as_str());
    if names().any(|name| name == webhook) {
        return Ok(());
    }
    let hint = nearest(webhook, names()).map_or_else(
        || "`webhooks` in registry.yaml names them; the server reads it when it starts".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Err(Failure::new(format!("there is no webhook `{webhook}`"))
        .with_hint(hint)
        .with_exit(Exit::NotFound))
}

async fn rows(ledger: &Ledger, log: Vec<Delivery>) -> Result<Vec<Row>, Failure> {
    let mut events: BTreeMap<EventId, Option<Event>> = BTreeMap::new();
    for id in log.iter().map(|entry| entry.attempt.event) {
        if let Entry::Vacant(entry) = events.entry(id) {
            entry.insert(ledger.event(id).await?);
        }
    }
    // The log begins with the newest, so what comes first of an event is its last attempt.
    let mut seen = HashSet::new();
    let row = |Delivery { attempt, .. }: Delivery| {
        let is_last = seen.insert((attempt.webhook.clone(), attempt.event));
        let delivered = attempt.status.is_some_and(|status| status / 100 == 2);
        let state = match attempt.next_attempt_at {
            _ if delivered => State::Delivered,
            Some(_) => State::Waiting,
            None if is_last => State::GivenUp,
            None => State::Failed,
        };
        Row {
            webhook: attempt.webhook,
            event: attempt.event.0,
            subject: events
                .get(&attempt.event)
                .and_then(Option::as_ref)
                .map(subject),
            attempt: attempt.attempt,
            at: attempt.at,
            state,
            status: attempt.status,
            outcome: attempt.outcome,
            next_attempt_at: attempt.next_attempt_at,
        }
    };
    Ok(log.into_iter().map(row).collect())
}

fn subject(event: &Event) -> Subject {
    Subject {
        action: Action::from(event.kind).as_str(),
        repository: event.repository.clone(),
        tag: event.tag.clone(),
        digest: event.digest.clone(),
        actor: event.actor.clone(),
    }
}

fn what(subject: &Subject) -> String {
    let name = match &subject.tag {
        Some(tag) => format!(":{tag}"),
        None => format!("@{}", shortened(&subject.digest, 20)),
    };
    format!("{} {}{name}", subject.action, subject.repository)
}

fn state(row: &Row) -> String {
    match (row.state, row.next_attempt_at) {
        (State::Delivered, _) => "delivered".to_owned(),
        (State::Failed, _) => "failed".to_owned(),
        (State::GivenUp, _) => "given up".to_owned(),
        (State::Waiting, next) => {
            let wait = next.map_or(0, |next| {
                next.duration_since(sampan_supervise::clock::now())
                    .as_secs()
            });
            format!("again in {}s", wait.max(0))
        }
    }
}
