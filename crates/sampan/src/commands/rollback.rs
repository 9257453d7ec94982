//! `sampan rollback`: brings an environment back to an earlier release.

use std::process::ExitCode;

use sampan_deploy::history::{self, HistoryError};
use sampan_model::app::EnvironmentName;
use sampan_model::{AppName, Version};

use super::deploy::{DestinationOptions, connect, known, order};
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Arguments of `sampan rollback`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The app
    app: AppName,
    /// The environment
    #[arg(long, value_name = "NAME")]
    env: EnvironmentName,
    /// The version to go back to; the one before the current one when not given
    #[arg(long, value_name = "VERSION")]
    to: Option<Version>,
    #[command(flatten)]
    order: order::Options,
    #[command(flatten)]
    destination: DestinationOptions,
}

/// Brings back what an earlier order has brought: the same objects with the same values and digests.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let destination = args.destination.destination()?;
    context.block_on(Box::pin(async {
        let store = connect::store(context).await?;
        let orders = store.orders();
        known::check(&orders, &args.app).await?;
        let (app, environment) = (&args.app, &args.env);
        let to = args.to.as_ref();
        let earlier = history::earlier(&orders, app, environment, destination.as_ref(), to).await;
        store.close().await;
        let desired = earlier.map_err(failure)?;
        order::carry_out(&desired, order::Direction::Back, &args.order, context).await
    }))
}

/// What is not there was named in vain, everything else is a failure.
pub(super) fn failure(error: HistoryError) -> Failure {
    let missing = matches!(
        error,
        HistoryError::NothingEarlier { .. } | HistoryError::NothingThere { .. }
    );
    let failure = Failure::from(error);
    if missing {
        failure.with_exit(Exit::NotFound)
    } else {
        failure
    }
}
