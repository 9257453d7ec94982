//! `sampan ci lint`: pipelines read whole, without running them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use console::style;
use sampan_model::Hint as _;
use sampan_model::yaml::Location;
use sampan_pipeline::PipelineError;
use sampan_pipeline::build::Event;
use sampan_pipeline::github::Workflow;
use sampan_pipeline::graph::{Dialect, Hindrance, Reason};
use serde::Serialize;
use serde_json::json;

use super::happened::Happened;
use super::pipeline::{self, LocalSources, Pipeline};
use super::tree::Tree;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Arguments of `sampan ci lint`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, or folders with some [default: all pipelines of the working tree]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Also fail for what is no error but likely not meant
    #[arg(long)]
    strict: bool,
}

/// Something that is to be mended.
#[derive(Debug, Serialize)]
struct Problem {
    severity: Severity,
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    message: String,
    hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    Error,
    Warning,
}

/// Reads the files and prints what is wrong with them.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let tree = Tree::around(std::path::Path::new("."), context)?;
    let (pipelines, errors) = pipeline::find(&tree, &args.files)?;
    let files = pipelines.iter().map(|pipeline| pipeline.files.len());
    let files = files.sum::<usize>() + errors.len();
    let mut problems: Vec<Problem> = errors.iter().flat_map(of_error).collect();
    for pipeline in &pipelines {
        problems.extend(check(pipeline, &tree, context)?);
    }
    let failed = problems
        .iter()
        .any(|problem| args.strict || problem.severity == Severity::Error);
    if context.json() {
        context
            .ui()
            .json(&json!({"files": files, "problems": problems}))?;
    } else {
        print(&problems, files, context)?;
    }
    Ok(if failed {
        ExitCode::from(Exit::Failed as u8)
    } else {
        ExitCode::SUCCESS
    })
}

/// All that is wrong with a pipeline, whatever event it is for.
fn check(pipeline: &Pipeline, tree: &Tree, context: &Context) -> Result<Vec<Problem>, Failure> {
    let mut build = Happened::default().build(tree, context)?;
    if pipeline.dialect == Dialect::GitHub {
        // An event that gives no inputs and that no filter knows.
        build.event = Event::Other("lint".to_owned());
        if is_called(pipeline) {
            // What is given to it is known to its callers only, which are looked at together with it.
            return Ok(workflow_alone(pipeline));
        }
    }
    let sources = LocalSources::of(tree, context);
    let compiled = pipeline.compile(&build, &BTreeMap::new(), &sources);
    Ok(match compiled {
        Ok(compiled) => {
            let graph = compiled.graph();
            let hindrances = graph
                .stages
                .iter()
                .filter_map(|stage| stage.hindrance.as_ref());
            let hindrances = hindrances.map(of_hindrance);
            graph.notes.iter().map(of_note).chain(hindrances).collect()
        }
        Err(error) => of_error(&error),
    })
}

/// Whether other workflows call it.
fn is_called(pipeline: &Pipeline) -> bool {
    let workflow = pipeline.files.first().map(parse);
    workflow.is_some_and(|workflow| {
        workflow.is_ok_and(|workflow| {
            let events = &workflow.on.events;
            events
                .iter()
                .all(|trigger| trigger.event == "workflow_call")
        })
    })
}

fn parse(file: &sampan_pipeline::dialect::SourceFile) -> Result<Workflow, PipelineError> {
    Workflow::parse(&file.path, &file.text)
}

fn workflow_alone(pipeline: &Pipeline) -> Vec<Problem> {
    let errors = pipeline.files.iter().filter_map(|file| parse(file).err());
    errors.flat_map(|error| of_error(&error)).collect()
}

fn of_error(error: &PipelineError) -> Vec<Problem> {
    let problems = error.problems().into_iter();
    problems
        .map(|error| {
            let location = error.location();
            Problem {
                severity: Severity::Error,
                message: without_place(&error.to_string(), location),
                hint: error.hint(),
                file: location
                    .map(|location| location.file.to_string())
                    .or_else(|| error.file().map(str::to_owned)),
                line: location.map(|location| location.line),
                column: location.map(|location| location.column),
            }
        })
        .collect()
}

fn without_place(message: &str, location: Option<&Location>) -> String {
    let start = location.map(|location| format!("{location}: "));
    let rest = start.and_then(|start| message.strip_prefix(&start));
    rest.unwrap_or(message).to_owned()
}

fn of_note(note: &Reason) -> Problem {
    let location = note.location.as_ref();
    Problem {
        severity: Severity::Warning,
        file: location.map(|location| location.file.to_string()),
        line: location.map(|location| location.line),
        column: location.map(|location| location.column),
        message: note.text.clone(),
        hint: None,
    }
}

/// The file is well, but what it asks for cannot be had here.
fn of_hindrance(hindrance: &Hindrance) -> Problem {
    Problem {
        severity: Severity::Warning,
        file: Some(hindrance.location.file.to_string()),
        line: Some(hindrance.location.line),
        column: Some(hindrance.location.column),
        message: hindrance.what.clone(),
        hint: hindrance.hint.clone(),
    }
}

fn print(problems: &[Problem], files: usize, context: &Context) -> Result<(), Failure> {
    let ui = context.ui();
    for problem in problems {
        let place = match (&problem.file, problem.line, problem.column) {
            (Some(file), Some(line), Some(column)) => format!("{file}:{line}:{column}: "),
            // The message names the file.
            _ => String::new(),
        };
        let severity = match problem.severity {
            Severity::Error => style("error:").red().bold(),
            Severity::Warning => style("warning:").yellow().bold(),
        };
        ui.line(format!("{place}{severity} {}", problem.message))?;
        if let Some(hint) = &problem.hint {
            ui.line(format!("  {} {hint}", style("hint:").cyan()))?;
        }
    }
    let count = |severity| {
        let of_it = problems
            .iter()
            .filter(|problem| problem.severity == severity);
        of_it.count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    ui.line(format!(
        "{}, {} in {}",
        super::counted(errors, "error"),
        super::counted(warnings, "warning"),
        super::counted(files, "file")
    ))
}
