//! `sampan image`: base images without a registry, and the names in the content store.

mod bootstrap;
mod debian;
mod diff;
mod history;
mod import;
mod inspect;
mod load;
mod lookup;
mod ls;
mod names;
mod rm;
mod save;

use std::process::ExitCode;

use sampan_oci::archive::ArchiveError;
use sampan_oci::image_archive::ImageArchiveError;
use sampan_oci::layer::LayerError;
use sampan_oci::store::StoreError;

use crate::cli::Deferred;
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
    Bootstrap(Deferred<bootstrap::Args>),
    /// Make an image of a root file system in a tar archive
    Import(Deferred<import::Args>),
    /// List the images
    Ls(Deferred<ls::Args>),
    /// Show what images consist of, as JSON
    Inspect(Deferred<inspect::Args>),
    /// Show how an image was made, and what each step added
    History(Deferred<history::Args>),
    /// Show what is different between two images: layers, files and settings
    Diff(Deferred<diff::Args>),
    /// Give an image another name
    Tag(Deferred<names::TagArgs>),
    /// Take names of images away
    Rm(Deferred<rm::Args>),
    /// Write images into an archive that docker, podman and skopeo read
    // Not deferred: it has an `--output` of its own.
    Save(save::Args),
    /// Verify and take in the images of an archive
    Load(Deferred<load::Args>),
}

impl Args {
    /// Whether there is nothing to do where there is no installation.
    pub(crate) fn only_uses(&self) -> bool {
        !matches!(
            self.command,
            Command::Bootstrap(_) | Command::Import(_) | Command::Load(_)
        )
    }
}

/// Runs the subcommand.
pub(crate) fn run(args: Args, context: &Context) -> Result<ExitCode, Failure> {
    match args.command {
        Command::Bootstrap(args) => bootstrap::run(&args, context)?,
        Command::Import(args) => import::run(&args, context)?,
        Command::Ls(args) => ls::run(&args, context)?,
        Command::Inspect(args) => inspect::run(&args, context)?,
        Command::Tag(args) => names::tag(&args, context)?,
        Command::Rm(args) => rm::run(&args, context)?,
        Command::History(args) => history::run(&args, context)?,
        Command::Diff(args) => diff::run(&args, context)?,
        Command::Save(args) => save::run(&args, context)?,
        Command::Load(args) => load::run(&args, context)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The failure of the content store, with its exit code.
fn failed(error: StoreError) -> Failure {
    let exit = super::release::store_exit(&error);
    Failure::from(error).with_exit(exit)
}

/// The failure of reading a layer, with its exit code.
fn layer_failed(error: LayerError) -> Failure {
    let exit = match &error {
        LayerError::Store(error) => super::release::store_exit(error),
        LayerError::Archive(ArchiveError::Io(_)) => Exit::Failed,
        LayerError::Archive(_) | LayerError::Read(_) => Exit::Damaged,
        _ => Exit::Failed,
    };
    Failure::from(error).with_exit(exit)
}

/// The failure of reading or writing an archive, with its exit code.
fn archive_failed(error: ImageArchiveError) -> Failure {
    let exit = if error.is_damage() {
        Exit::Damaged
    } else {
        Exit::Failed
    };
    Failure::from(error).with_exit(exit)
}
