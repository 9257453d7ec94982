//! One file a command: its arguments, and the call of the capability that does the work.

pub(crate) mod build;
pub(crate) mod chart;
pub(crate) mod ci;
pub(crate) mod completion;
pub(crate) mod container;
pub(crate) mod copy;
pub(crate) mod deploy;
pub(crate) mod down;
pub(crate) mod exec;
pub(crate) mod history;
pub(crate) mod image;
pub(crate) mod images;
pub(crate) mod kubeconfig;
pub(crate) mod kustomize;
pub(crate) mod lint;
pub(crate) mod load;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod logs;
pub(crate) mod pack;
pub(crate) mod ps;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod registry;
pub(crate) mod release;
pub(crate) mod remote;
pub(crate) mod remove;
pub(crate) mod rm;
pub(crate) mod rollback;
pub(crate) mod run;
pub(crate) mod session;
pub(crate) mod shim;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod up;

use std::process::ExitCode;

use crate::cli::Command;
use crate::context::Context;
use crate::failure::Failure;

/// Whether a command has nothing to do where there is no installation, and thus must not make one.
fn only_uses(command: &Command) -> bool {
    match command {
        Command::Image(args) => args.only_uses(),
        Command::Release(args) => args.only_uses(),
        Command::Registry(args) => args.only_uses(),
        Command::Pack(_)
        | Command::Push(_)
        | Command::Deploy(_)
        | Command::Rollback(_)
        | Command::Remove(_)
        | Command::Status(_)
        | Command::History(_)
        | Command::Exec(_)
        | Command::Logs(_)
        | Command::Ps(_)
        | Command::Stop(_)
        | Command::Rm(_)
        | Command::Kubeconfig(_) => true,
        _ => false,
    }
}

/// Runs a command to its end.
pub(crate) fn run(command: Command, context: &Context) -> Result<ExitCode, Failure> {
    if only_uses(&command) {
        context.require_installation()?;
    }
    match command {
        Command::Build(args) => build::run(args.into_inner(), context),
        Command::Image(args) => image::run(args, context),
        Command::Pull(args) => pull::run(&args, context),
        Command::Push(args) => push::run(&args, context),
        Command::Copy(args) => copy::run(&args, context),
        Command::Login(args) => login::run(&args, context),
        Command::Logout(args) => logout::run(&args, context),
        Command::Lint(args) => lint::run(&args, context),
        Command::Images(args) => images::run(&args, context),
        Command::Registry(args) => registry::run(&args, context),
        Command::Chart(args) => chart::run(&args, context),
        Command::Ci(args) => ci::run(&args, context),
        Command::Kustomize(args) => kustomize::run(&args, context),
        Command::Release(args) => release::run(args, context),
        Command::Pack(args) => pack::run(&args, context),
        Command::Load(args) => load::run(&args, context),
        Command::Deploy(args) => deploy::run(&args, context),
        Command::Rollback(args) => rollback::run(&args, context),
        Command::Remove(args) => remove::run(&args, context),
        Command::Status(args) => status::run(&args, context),
        Command::History(args) => history::run(&args, context),
        Command::Run(args) => run::run(&args, context),
        Command::Exec(args) => exec::run(&args, context),
        Command::Logs(args) => logs::run(&args, context),
        Command::Ps(args) => ps::run(&args, context),
        Command::Stop(args) => stop::run(&args, context),
        Command::Rm(args) => rm::run(&args, context),
        Command::Up(args) => up::run(&args, context),
        Command::Down(args) => down::run(&args, context),
        Command::Kubeconfig(args) => kubeconfig::run(&args, context),
        Command::Completion(args) => completion::run(&args, context),
    }
}
