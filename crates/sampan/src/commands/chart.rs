//! `sampan chart`: Helm charts, rendered as Helm renders them, packed, and carried between registries.

pub(crate) mod post_render;
pub(crate) mod source;
mod template;
pub(crate) mod values;

use std::process::ExitCode;

use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan chart`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Render a chart to manifests, without a cluster
    Template(Box<template::Args>),
}

/// Runs the subcommand.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    match &args.command {
        Command::Template(args) => template::run(args, context),
    }
}
