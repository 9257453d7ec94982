//! `sampan remove`: takes an app out of an environment.

use std::process::ExitCode;

use sampan_deploy::history;
use sampan_model::AppName;
use sampan_model::app::EnvironmentName;

use super::deploy::{DestinationOptions, connect, known, order};
use super::rollback::failure;
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan remove`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The app
    app: AppName,
    /// The environment
    #[arg(long, value_name = "NAME")]
    env: EnvironmentName,
    #[command(flatten)]
    order: order::Options,
    #[command(flatten)]
    destination: DestinationOptions,
}

/// Deletes what orders have brought, as an order of its own. What holds data stays, and the releases, too.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let destination = args.destination.destination()?;
    context.block_on(Box::pin(async {
        let store = connect::store(context).await?;
        let orders = store.orders();
        known::check(&orders, &args.app).await?;
        let removal = history::removal(&orders, &args.app, &args.env, destination.as_ref()).await;
        store.close().await;
        let removal = removal.map_err(failure)?;
        order::carry_out(&removal, order::Direction::Forward, &args.order, context).await
    }))
}
