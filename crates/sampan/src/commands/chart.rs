//! `sampan chart`: Helm charts, rendered as Helm renders them, packed, and carried between registries.

mod create;
mod dependency;
mod file;
mod lint;
mod package;
pub(crate) mod post_render;
mod pull;
mod push;
mod show;
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
    /// Show what a chart says of itself
    Show(show::Args),
    /// Check charts as Helm does
    Lint(lint::Args),
    /// Begin a new chart
    Create(create::Args),
    /// Pack charts into files
    Package(package::Args),
    /// List and bring the charts that a chart is made of
    #[command(visible_alias = "dep")]
    Dependency(dependency::Args),
    /// Bring charts of registries and chart repositories here
    Pull(pull::Args),
    /// Bring a chart to a registry
    Push(push::Args),
}

/// Runs the subcommand.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    match &args.command {
        Command::Template(args) => template::run(args, context),
        Command::Show(args) => show::run(args, context),
        Command::Lint(args) => lint::run(args, context),
        Command::Create(args) => create::run(args, context),
        Command::Package(args) => package::run(args, context),
        Command::Dependency(args) => dependency::run(args, context),
        Command::Pull(args) => pull::run(args, context),
        Command::Push(args) => push::run(args, context),
    }
}
