//! `sampan image`: base images without a registry, and the names in the content store.

mod bootstrap;
mod debian;
mod import;
mod inspect;
mod ls;
mod names;

use std::process::ExitCode;

use sampan_oci::Reference;

use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Arguments of `sampan image`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a Debian base image from the packages of a mirror
    Bootstrap(bootstrap::Args),
    /// Make an image of a root file system in a tar archive
    Import(import::Args),
    /// List the images
    Ls(ls::Args),
    /// Show what images consist of, as JSON
    Inspect(inspect::Args),
    /// Give an image another name
    Tag(names::TagArgs),
    /// Take names of images away
    Rm(names::RmArgs),
}

/// Runs the subcommand.
pub(crate) fn run(args: Args, context: &Context) -> Result<ExitCode, Failure> {
    match args.command {
        Command::Bootstrap(args) => bootstrap::run(&args, context)?,
        Command::Import(args) => import::run(&args, context)?,
        Command::Ls(args) => ls::run(&args, context)?,
        Command::Inspect(args) => inspect::run(&args, context)?,
        Command::Tag(args) => names::tag(&args, context)?,
        Command::Rm(args) => names::rm(&args, context)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The failure that a name stands for no image.
fn not_found(reference: &Reference) -> Failure {
    Failure::new(format!("there is no image `{}`", reference.familiar()))
        .with_hint("`sampan image ls` lists what there is")
        .with_exit(Exit::NotFound)
}
