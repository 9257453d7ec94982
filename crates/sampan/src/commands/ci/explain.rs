//! `sampan ci explain`: why stages and steps run, wait or are skipped.

use std::path::PathBuf;
use std::process::ExitCode;

use console::style;
use sampan_model::{on_one_line, shortened};
use sampan_pipeline::build::Build;
use sampan_pipeline::graph::{Action, Graph, Reason, Role, RunWhen, Stage, Step, Text, Verdict};
use serde_json::{Value, json};

use super::asked::Asked;
use super::pipeline::Pipeline;
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan ci explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, or folders with some [default: all pipelines of the working tree]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    asked: Asked,
}

/// Prints what was decided, with the reasons.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let read = args.asked.read(&args.files, context)?;
    if context.json() {
        let pipelines: Vec<Value> = read
            .pipelines
            .iter()
            .map(|(pipeline, compiled)| {
                json!({
                    "name": pipeline.name(),
                    "dialect": pipeline.dialect,
                    "stages": compiled.graph().stages.iter().map(stage_json).collect::<Vec<_>>(),
                    "notes": compiled.graph().notes,
                })
            })
            .collect();
        context
            .ui()
            .json(&json!({"event": read.build.event, "pipelines": pipelines}))?;
        return read.ended();
    }
    for (number, (pipeline, compiled)) in read.pipelines.iter().enumerate() {
        if number > 0 {
            context.ui().line("")?;
        }
        show(pipeline, compiled.graph(), &read.build, context)?;
    }
    read.ended()
}

fn show(
    pipeline: &Pipeline,
    graph: &Graph,
    build: &Build,
    context: &Context,
) -> Result<(), Failure> {
    let ui = context.ui();
    ui.line(format!(
        "{} ({}), {}",
        style(pipeline.name()).bold(),
        pipeline.dialect_name(),
        happened(build)
    ))?;
    for stage in &graph.stages {
        let what = Explained::stage(stage);
        what.print(1, &stage.id, context)?;
        if !stage.verdict.runs() {
            continue;
        }
        if let Some(hindrance) = &stage.hindrance {
            let place = format!("({})", hindrance.location);
            let mark = style("cannot run here:").red();
            ui.line(format!(
                "      {mark} {} {}",
                hindrance.what,
                style(place).dim()
            ))?;
            if let Some(hint) = &hindrance.hint {
                ui.line(format!("      {} {hint}", style("hint:").cyan()))?;
            }
        }
        for step in &stage.steps {
            Explained::step(step).print(2, &called(step), context)?;
        }
    }
    for note in &graph.notes {
        ui.line(format!("  {} {}", style("note:").yellow(), reason(note)))?;
    }
    Ok(())
}

/// The name of a step, with what it does where the file gives it no name.
pub(super) fn called(step: &Step) -> String {
    let title = step.title.as_ref().and_then(Text::now);
    let does = match (&step.action, title) {
        (_, Some(title)) => Some(title.as_str()),
        (Action::Uses { reference, .. }, None) => Some(reference.as_str()),
        (Action::Run { script, .. }, None) => script.now().and_then(|text| text.lines().next()),
        _ => None,
    };
    match does {
        Some(does) => format!("{} ({})", step.name, shortened(does.trim(), 60)),
        None => step.name.clone(),
    }
}

/// What happened, in a few words.
pub(super) fn happened(build: &Build) -> String {
    let event = serde_json::to_value(&build.event).unwrap_or_default();
    let event = event.as_str().unwrap_or_default().replace('_', " ");
    let commit = &build.commit;
    match (commit.tag(), commit.branch.as_str()) {
        (Some(tag), _) => format!("{event} {tag}"),
        (None, "") => event,
        (None, branch) => format!("{event} on {branch}"),
    }
}

/// Whether something runs, and what there is to say of it.
struct Explained<'a> {
    verdict: &'a Verdict,
    /// In what order and after what.
    order: Vec<String>,
}

impl<'a> Explained<'a> {
    fn stage(stage: &'a Stage) -> Self {
        let mut order = vec![waits(&stage.needs)];
        order.extend(when(&stage.when));
        if stage
            .strategy
            .as_ref()
            .is_some_and(|strategy| strategy.matrix.is_some())
        {
            order.push("its matrix is known once these have ended".to_owned());
        }
        if !stage.ignores_failure.is_false() {
            order.push("its failure may be ignored".to_owned());
        }
        Self {
            verdict: &stage.verdict,
            order,
        }
    }

    fn step(step: &'a Step) -> Self {
        let mut order = Vec::new();
        match step.role {
            Role::Service => order.push("a service, until the stage ends".to_owned()),
            Role::Clone => order.push("brings the source tree".to_owned()),
            Role::Step => order.push(waits(&step.needs)),
        }
        if step.detached && step.role != Role::Service {
            order.push("in the background, until the stage ends".to_owned());
        }
        order.extend(when(&step.when));
        match &step.failure {
            sampan_pipeline::graph::Failure::Fails => {}
            sampan_pipeline::graph::Failure::FailsFast => {
                order.push("its failure ends the stage at once".to_owned());
            }
            sampan_pipeline::graph::Failure::Ignored(_) => {
                order.push("its failure may be ignored".to_owned());
            }
        }
        Self {
            verdict: &step.verdict,
            order,
        }
    }

    fn print(&self, depth: usize, name: &str, context: &Context) -> Result<(), Failure> {
        let indent = "  ".repeat(depth);
        let (mark, text) = if self.verdict.runs() {
            (style("✔").green(), self.order.join("; "))
        } else {
            (style("–").dim(), "is skipped".to_owned())
        };
        let ui = context.ui();
        ui.line(format!("{indent}{mark} {}: {text}", style(name).bold()))?;
        let reasons = if self.verdict.runs() {
            &self.verdict.for_it
        } else {
            &self.verdict.against
        };
        for found in reasons {
            ui.line(format!(
                "{indent}    {} {}",
                style("because").dim(),
                reason(found)
            ))?;
        }
        Ok(())
    }
}

fn waits(needs: &[String]) -> String {
    if needs.is_empty() {
        "begins at once".to_owned()
    } else {
        format!("waits for {}", needs.join(", "))
    }
}

fn when(when: &RunWhen) -> Option<String> {
    match when {
        RunWhen::Status {
            success: true,
            failure: true,
        } => Some("also after a failure".to_owned()),
        RunWhen::Status {
            success: false,
            failure: true,
        } => Some("only after a failure".to_owned()),
        RunWhen::Status { success: true, .. } => None,
        RunWhen::Status { .. } => Some("never".to_owned()),
        RunWhen::Expression(expression) => Some(format!(
            "if `{}` then holds",
            on_one_line(&expression.expression)
        )),
    }
}

fn reason(reason: &Reason) -> String {
    match &reason.location {
        None => reason.text.clone(),
        Some(location) => {
            let place = format!("({location})");
            format!("{} {}", reason.text, style(place).dim())
        }
    }
}

fn stage_json(stage: &Stage) -> Value {
    let steps: Vec<_> = stage.steps.iter().map(step_json).collect();
    json!({
        "id": stage.id,
        "location": stage.location.to_string(),
        "runs": stage.verdict.runs(),
        "needs": stage.needs,
        "when": stage.when,
        "hindrance": stage.hindrance,
        "for": stage.verdict.for_it,
        "against": stage.verdict.against,
        "steps": steps,
    })
}

fn step_json(step: &Step) -> Value {
    json!({
        "name": step.name,
        "location": step.location.to_string(),
        "role": step.role,
        "runs": step.verdict.runs(),
        "needs": step.needs,
        "detached": step.detached,
        "when": step.when,
        "for": step.verdict.for_it,
        "against": step.verdict.against,
    })
}
