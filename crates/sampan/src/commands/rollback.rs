//! `sampan rollback`: brings an environment back to an earlier release.

use std::process::ExitCode;

use sampan_deploy::history;
use sampan_model::app::EnvironmentName;
use sampan_model::{AppName, Version};

use super::deploy::{DestinationOptions, connect, order};
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
        let earlier = history::earlier(
            &store.orders(),
            &args.app,
            &args.env,
            destination.as_ref(),
            args.to.as_ref(),
        )
        .await;
        store.close().await;
        let desired = earlier.map_err(|error| {
            let missing = matches!(error, history::HistoryError::NothingEarlier { .. });
            let failure = Failure::from(error);
            if missing {
                failure.with_exit(Exit::NotFound)
            } else {
                failure
            }
        })?;
        order::carry_out(&desired, order::Direction::Back, &args.order, context).await
    }))
}
