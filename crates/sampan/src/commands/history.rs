//! `sampan history`: the orders that an app has had.

use std::process::ExitCode;

use sampan_deploy::history;
use sampan_model::app::EnvironmentName;
use sampan_model::{AppName, OrderState, shortened};
use sampan_store::orders::Order;
use serde_json::{Value, json};

use super::deploy::{connect, known};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::ui::{Table, age};

/// Arguments of `sampan history`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The app
    app: AppName,
    /// Only this environment
    #[arg(long, value_name = "NAME")]
    env: Option<EnvironmentName>,
    /// How many orders, the newest first
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    limit: u32,
}

/// Prints the orders, newest first.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let orders = context.block_on(async {
        let store = connect::store(context).await?;
        known::check(&store.orders(), &args.app).await?;
        let orders = history::orders(
            &store.orders(),
            Some(&args.app),
            args.env.as_ref(),
            args.limit,
        )
        .await;
        store.close().await;
        Ok(orders?)
    })?;
    if context.json() {
        context
            .ui()
            .json(&orders.iter().map(to_json).collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    if orders.is_empty() {
        return Err(Failure::new(format!("{} has had no orders here", args.app))
            .with_hint(format!(
                "give one with `sampan deploy {}@VERSION --env NAME`",
                args.app
            ))
            .with_exit(Exit::NotFound));
    }
    let mut table = Table::new([
        "order", "env", "version", "state", "by", "asked", "took", "outcome",
    ]);
    for order in &orders {
        table.row([
            order.id.to_string(),
            order.environment.clone(),
            order.version.clone(),
            state(order),
            order.requested_by.clone(),
            format!("{} ago", age(order.requested_at)),
            took(order),
            order.outcome.as_deref().map_or_else(String::new, in_a_cell),
        ]);
    }
    context.ui().table(&table)?;
    Ok(ExitCode::SUCCESS)
}

/// The table keeps to a line; `--output json` gives all of it.
fn in_a_cell(outcome: &str) -> String {
    shortened(outcome, 100)
}

fn state(order: &Order) -> String {
    if history::is_interrupted(order) {
        "interrupted".to_owned()
    } else {
        order.state.to_string()
    }
}

fn took(order: &Order) -> String {
    if !order.state.is_final() || order.state == OrderState::Refused {
        return String::new();
    }
    let time = order.changed_at.duration_since(order.requested_at);
    format!("{:.1}s", time.as_secs_f64())
}

fn to_json(order: &Order) -> Value {
    json!({
        "order": order.id,
        "app": order.app,
        "environment": order.environment,
        "version": order.version,
        "state": order.state,
        "interrupted": history::is_interrupted(order),
        "requestedBy": order.requested_by,
        "requestedAt": order.requested_at,
        "changedAt": order.changed_at,
        "outcome": order.outcome,
    })
}
