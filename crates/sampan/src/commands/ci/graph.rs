//! `sampan ci graph`: the stages and steps with what they wait for.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use console::style;
use sampan_pipeline::graph::{Graph, Role, Stage, Step};
use serde_json::json;

use super::asked::Asked;
use super::explain::called;
use crate::context::Context;
use crate::failure::Failure;

mod drawing;

/// Arguments of `sampan ci graph`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, or folders with some [default: all pipelines of the working tree]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What the graph is written as; `-o json` gives all that is known of it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Leave out what does not run
    #[arg(long)]
    running: bool,
    #[command(flatten)]
    asked: Asked,
}

/// The form of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A tree, for people.
    Text,
    /// For Graphviz.
    Dot,
    /// For Mermaid.
    Mermaid,
}

/// Prints the graphs.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let read = args.asked.read(&args.files, context)?;
    let mut graphs: Vec<(String, Graph)> = Vec::new();
    for (pipeline, compiled) in &read.pipelines {
        let mut graph = compiled.graph().clone();
        if args.running {
            keep_running(&mut graph);
        }
        graphs.push((pipeline.name().to_owned(), graph));
    }
    let ui = context.ui();
    if context.json() {
        let graphs: Vec<_> = graphs
            .iter()
            .map(|(name, graph)| json!({"name": name, "graph": graph}))
            .collect();
        ui.json(&json!({"pipelines": graphs}))?;
        return read.ended();
    }
    let text = match args.format {
        Format::Text => graphs
            .iter()
            .map(|(name, graph)| tree(name, graph))
            .collect(),
        Format::Dot => drawing::dot(&graphs),
        Format::Mermaid => drawing::mermaid(&graphs),
    };
    ui.line(text.trim_end())?;
    read.ended()
}

fn keep_running(graph: &mut Graph) {
    graph.stages.retain(|stage| stage.verdict.runs());
    for stage in &mut graph.stages {
        stage.steps.retain(|step| step.verdict.runs());
    }
}

/// The stages with their steps. What a step waits for is said only where it is not the one before it.
fn tree(name: &str, graph: &Graph) -> String {
    let mut text = format!("{}\n", style(name).bold());
    for (number, stage) in graph.stages.iter().enumerate() {
        let last = number + 1 == graph.stages.len();
        let (branch, below) = if last {
            ("└─", "   ")
        } else {
            ("├─", "│  ")
        };
        let after = if stage.needs.is_empty() {
            String::new()
        } else {
            format!(
                " {}",
                style(format!("after {}", stage.needs.join(", "))).dim()
            )
        };
        let named = styled(&stage.id, stage.verdict.runs());
        let _infallible = writeln!(
            text,
            "{branch} {named}{after}{}{}",
            skipped(stage.verdict.runs()),
            if stage.hindrance.is_some() {
                " (cannot run here)"
            } else {
                ""
            }
        );
        for (number, step) in stage.steps.iter().enumerate() {
            let branch = if number + 1 == stage.steps.len() {
                "└─"
            } else {
                "├─"
            };
            let runs = step.verdict.runs();
            let _infallible = writeln!(
                text,
                "{below}{branch} {}{}{}",
                styled(&called(step), runs && stage.verdict.runs()),
                order(stage, number, step),
                skipped(runs)
            );
        }
    }
    text
}

fn styled(name: &str, runs: bool) -> console::StyledObject<&str> {
    if runs { style(name) } else { style(name).dim() }
}

fn skipped(runs: bool) -> &'static str {
    if runs { "" } else { " (skipped)" }
}

fn order(stage: &Stage, number: usize, step: &Step) -> String {
    if step.role == Role::Service {
        return format!(" {}", style("service").dim());
    }
    let before = stage.steps[..number]
        .iter()
        .rev()
        .find(|before| before.role != Role::Service);
    let follows = match before {
        None => step.needs.is_empty(),
        Some(before) => step.needs == [before.name.clone()],
    };
    let mut words = Vec::new();
    if step.detached {
        words.push("in the background".to_owned());
    }
    if !follows && step.needs.is_empty() {
        words.push("at once".to_owned());
    } else if !follows {
        words.push(format!("after {}", step.needs.join(", ")));
    }
    if words.is_empty() {
        String::new()
    } else {
        format!(" {}", style(words.join(", ")).dim())
    }
}
