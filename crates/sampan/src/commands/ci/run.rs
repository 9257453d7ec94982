//! `sampan ci run`: pipelines of the working tree, run here.

use std::path::PathBuf;
use std::process::ExitCode;

use console::style;
use sampan_model::nearest;
use sampan_pipeline::PipelineError;
use sampan_pipeline::graph::{Dialect, Stage};
use sampan_pipeline::plan::End;
use sampan_pipeline::run::Options;

use super::asked::{Asked, Read};
use super::execution::{Ended, Execution};
use super::explain;
use super::given::Given;
use super::pipeline::{Compiled, Pipeline};
use super::runs::{Order, dialect_name};
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Arguments of `sampan ci run`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, or folders with some [default: the pipelines of the working tree]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    chosen: Chosen,
}

/// Options about what runs and how.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "What runs")]
pub(super) struct Chosen {
    /// Run only this stage (a pipeline of Drone, a workflow of Woodpecker, a job of GitHub) and those that it needs; may be
    /// given more than once
    #[arg(long, value_name = "STAGE", visible_aliases = ["job", "pipeline"])]
    stage: Vec<String>,
    /// Run only this step, and the services; may be given more than once
    #[arg(long, value_name = "STEP")]
    include: Vec<String>,
    /// Leave this step or stage out, or all steps with this action; may be given more than once
    #[arg(long, value_name = "NAME")]
    exclude: Vec<String>,
    /// How many stages run at once
    #[arg(long, short, value_name = "NUMBER", default_value = "2", visible_alias = "concurrent-jobs",
        value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    /// Keep the workspaces also of a run that goes well, for `shell` and `resume`
    #[arg(long)]
    pub(super) keep: bool,
    /// Do not keep workspaces as they were before each step; `resume` then begins with the stage
    #[arg(long)]
    no_snapshots: bool,
    /// Show all that steps say line by line, also on a terminal
    #[arg(long)]
    pub(super) lines: bool,
}

impl Chosen {
    /// As the executor takes it.
    pub(super) fn options(&self) -> Options {
        Options {
            jobs: self.jobs.into(),
            stages: self.stage.clone(),
            include: self.include.clone(),
            exclude: self.exclude.clone(),
            matrix: Vec::new(),
            environment: std::collections::BTreeMap::new(),
            resume: None,
            // Results are read from the workspaces when all has ended.
            keep: true,
            snapshots: !self.no_snapshots,
        }
    }

    /// Refuses names that nothing has: who leaves out what is called otherwise would have it run.
    fn check(&self, matrix: &[(String, String)], read: &Read) -> Result<(), Failure> {
        let stages = || {
            let graphs = read.pipelines.iter().map(|(_, compiled)| compiled.graph());
            graphs.flat_map(|graph| &graph.stages)
        };
        let is_stage = |name: &str| stages().any(|stage| stage.is_called(name));
        let is_step = |name: &str| {
            let mut steps = stages().flat_map(|stage| &stage.steps);
            steps.any(|step| step.is_called(name))
        };
        let unknown = |what: &str, name: &str| {
            let names = stages().flat_map(|stage| {
                let steps = stage.steps.iter().map(|step| step.name.as_str());
                [stage.name.as_str()].into_iter().chain(steps)
            });
            let failure = Failure::new(format!("no {what} is called `{name}`"));
            failure
                .with_exit(Exit::NotFound)
                .with_hint(match nearest(name, names) {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None => "`sampan ci explain` names them all".to_owned(),
                })
        };
        for name in &self.stage {
            if !is_stage(name) {
                return Err(unknown("stage", name));
            }
        }
        for name in &self.include {
            if !is_step(name) {
                return Err(unknown("step", name));
            }
        }
        for name in &self.exclude {
            if !is_stage(name) && !is_step(name) {
                return Err(unknown("stage, step or action", name));
            }
        }
        let has_key = |key: &str| {
            let has = |stage: &Stage| stage.matrix.iter().any(|(name, _)| name == key);
            // Which keys such a matrix has only the run tells.
            let is_later = |stage: &Stage| stage.strategy.iter().any(|own| own.matrix.is_some());
            stages().any(|stage| has(stage) || is_later(stage))
        };
        match matrix.iter().find(|(key, _)| !has_key(key)) {
            Some((key, _)) => Err(Failure::new(format!("no matrix has the key `{key}`"))
                .with_exit(Exit::NotFound)
                .with_hint("`sampan ci explain` names the combinations")),
            None => Ok(()),
        }
    }
}

/// Runs one pipeline after the other, and prints how they went.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    context.require_root("running pipelines")?;
    let read = args.asked.read(&args.files, context)?;
    if !args.files.is_empty() {
        // What is named is meant, all of it.
        PipelineError::join(read.errors.clone())?;
    }
    let several_dialects = several(&read);
    if args.files.is_empty() && several_dialects {
        return Err(ambiguous(&read));
    }
    for file in read.errors.iter().filter_map(PipelineError::file) {
        let mark = style("note:").yellow().for_stderr();
        context.ui().note(format!(
            "{mark} `{file}` is left out: it cannot be read, as is said at the end"
        ));
    }
    args.chosen.check(&args.asked.matrix, &read)?;
    let environment = args.given.environment()?;
    let secrets = args.given.secrets()?;
    let mut results = Vec::new();
    let mut worst = None;
    for (pipeline, compiled) in &read.pipelines {
        if !compiled.runs() {
            nothing_runs(pipeline, compiled, &read, context);
            continue;
        }
        let order = Order {
            tree: read.tree.root().to_owned(),
            name: pipeline.name().to_owned(),
            dialect: dialect_name(pipeline.dialect),
            files: pipeline
                .files
                .iter()
                .map(|file| PathBuf::from(&file.path))
                .collect(),
            build: read.build.clone(),
            vars: read.vars.clone(),
            environment: environment.clone(),
            matrix: args.asked.matrix.clone(),
            trusted: args.asked.trusted,
            resumes: None,
        };
        let execution = Execution {
            context,
            tree: &read.tree,
            pipeline,
            order,
            installation: &read.installation,
            secrets: &secrets,
            options: args.chosen.options(),
            keep: args.chosen.keep,
            lines: args.chosen.lines,
        };
        let ended = execution.carry_out()?;
        let cancelled = ended.end() == End::Cancelled;
        worst = Some(worse(worst, ended.end()));
        results.push(ended);
        if cancelled {
            break;
        }
    }
    let code = finish(&results, worst, context)?;
    PipelineError::join(read.errors)?;
    Ok(code)
}

/// Prints the results as JSON where that is wanted, and gives the exit code.
pub(super) fn finish(
    results: &[Ended],
    worst: Option<End>,
    context: &Context,
) -> Result<ExitCode, Failure> {
    if context.json() {
        let runs: Vec<_> = results.iter().map(Ended::json).collect();
        context.ui().json(&serde_json::json!({"runs": runs}))?;
    }
    Ok(match worst {
        None | Some(End::Success) => ExitCode::SUCCESS,
        Some(End::Failure(_)) => ExitCode::from(Exit::Failed as u8),
        Some(End::Cancelled) => ExitCode::from(130),
    })
}

fn worse(one: Option<End>, other: End) -> End {
    match (one, other) {
        (Some(End::Cancelled), _) | (_, End::Cancelled) => End::Cancelled,
        (Some(End::Failure(code)), _) | (_, End::Failure(code)) => End::Failure(code),
        _ => End::Success,
    }
}

fn several(read: &Read) -> bool {
    let family = |dialect| match dialect {
        Dialect::Drone08 | Dialect::Drone => 0,
        Dialect::Woodpecker => 1,
        Dialect::GitHub => 2,
    };
    let mut families: Vec<_> = read
        .pipelines
        .iter()
        .map(|(pipeline, _)| family(pipeline.dialect))
        .collect();
    families.dedup();
    families.len() > 1
}

fn ambiguous(read: &Read) -> Failure {
    let names: Vec<_> = read
        .pipelines
        .iter()
        .map(|(pipeline, _)| format!("`{}`", pipeline.name()))
        .collect();
    Failure::new(format!(
        "the working tree has pipelines of several kinds: {}",
        names.join(", ")
    ))
    .with_hint(format!(
        "name those that are meant, as in `sampan ci run {}`",
        read.pipelines
            .first()
            .map_or("FILE", |(pipeline, _)| pipeline.name())
    ))
}

fn nothing_runs(pipeline: &Pipeline, compiled: &Compiled, read: &Read, context: &Context) {
    let stages = &compiled.graph().stages;
    let why = stages
        .first()
        .and_then(|stage| stage.verdict.against.first());
    let why = why.map_or_else(String::new, |reason| format!(": {}", reason.text));
    context.ui().note(format!(
        "nothing of {} runs for {}{why}; `sampan ci explain` says more",
        pipeline.name(),
        explain::happened(&read.build)
    ));
}
