//! The `sampan` binary: command line, configuration and wiring. The only place that knows everything.

mod app;
mod cli;
mod commands;
mod config;
mod context;
mod failure;
mod interruption;
mod server;
mod ui;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

use cli::Cli;
use context::Context;

fn main() -> ExitCode {
    if let Some(code) = commands::shim::intercept() {
        return code;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::refused(error),
    };
    let context = match Context::new(&cli.global) {
        Ok(context) => context,
        Err(failure) => return failure.report(cli.global.output),
    };
    match commands::run(cli.command, &context) {
        Ok(code) => code,
        Err(failure) => failure.report(cli.global.output),
    }
}
