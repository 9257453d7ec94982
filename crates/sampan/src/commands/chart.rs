//! `sampan chart`: Helm charts, rendered as Helm renders them, packed, and carried between registries.

mod cluster;
mod create;
mod dependency;
mod file;
mod get;
mod given;
mod history;
mod install;
mod lint;
mod list;
mod package;
pub(crate) mod post_render;
mod pull;
mod push;
mod rollback;
mod show;
mod shown;
pub(crate) mod source;
mod status;
mod template;
mod test;
mod uninstall;
mod upgrade;
pub(crate) mod values;

use std::process::ExitCode;

use crate::cli::Deferred;
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
    Template(Deferred<template::Args>),
    /// Show what a chart says of itself
    Show(Deferred<show::Args>),
    /// Check charts as Helm does
    Lint(Deferred<lint::Args>),
    /// Begin a new chart
    Create(Deferred<create::Args>),
    /// Pack charts into files
    Package(Deferred<package::Args>),
    /// List and bring the charts that a chart is made of
    #[command(visible_alias = "dep")]
    Dependency(dependency::Args),
    /// Bring charts of registries and chart repositories here
    Pull(Deferred<pull::Args>),
    /// Bring a chart to a registry
    Push(Deferred<push::Args>),
    /// Install a chart as a new release
    Install(Deferred<install::Args>),
    /// Bring a release to another chart or other values
    Upgrade(Deferred<upgrade::Args>),
    /// Bring a release back to an earlier revision
    Rollback(Deferred<rollback::Args>),
    /// Take releases away
    #[command(visible_alias = "delete")]
    Uninstall(Deferred<uninstall::Args>),
    /// List the releases of a cluster
    #[command(visible_alias = "ls")]
    List(Deferred<list::Args>),
    /// List the revisions of a release
    History(Deferred<history::Args>),
    /// Show how a release is, and each of its objects
    Status(Deferred<status::Args>),
    /// Print what is recorded of a release
    Get(get::Args),
    /// Carry out the tests that a chart brings along
    Test(Deferred<test::Args>),
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
        Command::Install(args) => install::run(args, context),
        Command::Upgrade(args) => upgrade::run(args, context),
        Command::Rollback(args) => rollback::run(args, context),
        Command::Uninstall(args) => uninstall::run(args, context),
        Command::List(args) => list::run(args, context),
        Command::History(args) => history::run(args, context),
        Command::Status(args) => status::run(args, context),
        Command::Get(args) => get::run(args, context),
        Command::Test(args) => test::run(args, context),
    }
}
