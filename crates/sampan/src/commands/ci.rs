//! `sampan ci`: pipelines of working trees, checked, explained and run.

mod action;
mod asked;
mod earlier;
mod execution;
mod explain;
mod git;
mod given;
mod graph;
mod happened;
mod installation;
mod lint;
mod list;
mod lock;
mod logs;
mod pipeline;
mod planning;
mod quality;
mod remote;
mod report;
mod resume;
mod run;
mod runs;
mod shell;
mod show;
mod source;
mod supply;
mod tree;
mod vendor;
mod view;

use std::process::ExitCode;

use sampan_pipeline::run::{Outcome, StageOutcome, StepOutcome};

use crate::cli::Deferred;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Arguments of `sampan ci`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Run the pipeline of the working tree, uncommitted changes included
    #[command(visible_alias = "exec")]
    Run(Deferred<run::Args>),
    /// Check pipelines without running them
    Lint(Deferred<lint::Args>),
    /// Say why each stage and step runs, waits or is skipped
    Explain(Deferred<explain::Args>),
    /// Show what waits for what
    Graph(Deferred<graph::Args>),
    /// Keep the files of an action of another repository, for workflows that use it
    Action(Deferred<action::Args>),
    /// List runs
    #[command(visible_alias = "ls")]
    List(Deferred<list::Args>),
    /// Show how a run went, or goes
    Show(Deferred<show::Args>),
    /// Print what the steps of a run have said
    Logs(Deferred<logs::Args>),
    /// Open a shell in a step that failed: its image, its environment, its workspace
    Shell(Deferred<shell::Args>),
    /// Go on with a run from one of its steps, on the workspace as it was before it
    Resume(Deferred<resume::Args>),
    /// Pin the images and actions of the pipelines to what is here, in `sampan-ci.lock`
    Lock(Deferred<lock::Args>),
    /// Pack all images and actions that the pipelines need into a file that can be carried
    Vendor(Deferred<vendor::Args>),
}

/// Runs the subcommand.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    clean(context);
    match &args.command {
        Command::Run(args) => run::run(args, context),
        Command::Lint(args) => lint::run(args, context),
        Command::Explain(args) => explain::run(args, context),
        Command::Graph(args) => graph::run(args, context),
        Command::Action(args) => action::run(args, context),
        Command::List(args) => list::run(args, context),
        Command::Show(args) => show::run(args, context),
        Command::Logs(args) => logs::run(args, context),
        Command::Shell(args) => shell::run(args, context),
        Command::Resume(args) => resume::run(args, context),
        Command::Lock(args) => lock::run(args, context),
        Command::Vendor(args) => vendor::run(args, context),
    }
}

/// Takes away what runs have left that were killed. Whoever cannot do it leaves it to the next one.
fn clean(context: &Context) {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let done = context
        .runtime()
        .and_then(|runtime| Ok(sampan_pipeline::run::clean(&runtime)?));
    if let Err(failure) = done {
        context.ui().warn(format!(
            "cannot take away what a run has left that was killed: {}",
            failure.message()
        ));
    }
}

/// Which step of which run.
#[derive(Debug, clap::Args)]
struct Which {
    /// The number of the run [default: the last]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// A step, as STEP or STAGE/STEP
    #[arg(value_name = "STEP")]
    step: Option<String>,
}

impl Which {
    /// The run and the step; where only one is given, a number is that of a run.
    fn parts(&self) -> Result<(Option<u64>, Option<&str>), Failure> {
        let Some(first) = self.run.as_deref() else {
            return Ok((None, None));
        };
        match (first.parse(), self.step.as_deref()) {
            (Ok(number), step) => Ok((Some(number), step)),
            (Err(_), None) => Ok((None, Some(first))),
            (Err(_), Some(_)) => Err(Failure::new(format!("`{first}` is no number of a run"))
                .with_hint("`sampan ci list` lists the runs")
                .with_exit(Exit::NotFound)),
        }
    }
}

/// A step as these commands take it: with its stage where the name alone may be another's.
fn place(outcome: &Outcome, stage: &StageOutcome, step: &StepOutcome) -> String {
    let same = |other: &StageOutcome| other.step(&step.name).is_some();
    let several = outcome.stages.iter().filter(|other| same(other)).count() > 1;
    let place = if several {
        format!("{}/{}", stage.id, step.name)
    } else {
        step.name.clone()
    };
    if place.contains([' ', '(', ')', '\'', '"', '$']) {
        format!("'{place}'")
    } else {
        place
    }
}

/// `NAME=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

/// A number of things, in words.
fn counted(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// A duration, short enough for a table.
fn seconds(milliseconds: i64) -> String {
    let tenths = milliseconds.max(0) / 100;
    let (whole, part) = (tenths / 10, tenths % 10);
    match whole {
        0..60 => format!("{whole}.{part}s"),
        60..3600 => format!("{}m{}s", whole / 60, whole % 60),
        _ => format!("{}h{}m", whole / 3600, whole % 3600 / 60),
    }
}
