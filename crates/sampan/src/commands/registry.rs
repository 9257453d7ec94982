//! `sampan registry`: the registry that the installation serves, from the inside.

mod authority;
mod events;
mod gc;
mod ls;
mod replication;
mod user;

use std::process::ExitCode;

use sampan_store::registry::Ledger;

use super::deploy::connect;
use crate::cli::Deferred;
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan registry`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List repositories, or the tags of one project, and what they take
    Ls(Deferred<ls::Args>),
    /// Print the certificate of the authority of this installation, which clients have to trust
    Ca(Deferred<authority::Args>),
    /// Add, list and remove the users of the registry
    User(user::Args),
    /// Show what webhooks and other registries were told, and how that went
    Events(Deferred<events::Args>),
    /// Show how far other registries have what this one has
    Replication(Deferred<replication::Args>),
    /// Take away what nobody needs, or tell what would go and why
    Gc(Deferred<gc::Args>),
}

impl Args {
    /// Whether there is nothing to do where there is no installation.
    pub(crate) fn only_uses(&self) -> bool {
        match &self.command {
            // The authority and users may be there before the first server.
            Command::Ca(_) => false,
            Command::User(args) => args.only_uses(),
            _ => true,
        }
    }
}

/// Runs the subcommand.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    match &args.command {
        Command::Ls(args) => ls::run(args, context)?,
        Command::Ca(args) => authority::run(args, context)?,
        Command::User(args) => user::run(args, context)?,
        Command::Events(args) => events::run(args, context)?,
        Command::Replication(args) => replication::run(args, context)?,
        Command::Gc(args) => gc::run(args, context)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks the ledger of the installation; nothing when it has none, which is not made for a question.
fn ask<T>(
    context: &Context,
    question: impl AsyncFnOnce(&Ledger) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    if !context.data().join("meta.db").exists() {
        return Ok(None);
    }
    context.block_on(async {
        let store = connect::store(context).await?;
        let answer = question(&store.registry()).await;
        store.close().await;
        answer.map(Some)
    })
}
