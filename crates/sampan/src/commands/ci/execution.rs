//! One run, from what was asked to what came of it.

use std::path::Path;

use console::style;
use sampan_model::Hint as _;
use sampan_pipeline::config;
use sampan_pipeline::plan::{End, State};
use sampan_pipeline::run::{
    Executor, Interrupt, Options, Outcome, Run, RunError, Source, StageOutcome, StepOutcome,
    WorkflowSource,
};
use sampan_pipeline::secrets::Secret;
use sampan_pipeline::trust::Right;
use serde_json::{Value, json};

use super::installation::{self, Installation};
use super::pipeline::{Compiled, LocalSources, Pipeline};
use super::planning;
use super::quality::Gate;
use super::report::Report;
use super::runs::{Kept, Order, Runs};
use super::source::WorkingTree;
use super::tree::Tree;
use super::view::View;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::interruption;
use crate::wiring::{PipelinePorts, Supplies, space_of};

/// As many of its last lines are shown of a step that failed.
const SHOWN_LINES: usize = 20;

/// What one run is made from.
pub(super) struct Execution<'a> {
    pub(super) context: &'a Context,
    pub(super) tree: &'a Tree,
    pub(super) pipeline: &'a Pipeline,
    pub(super) order: Order,
    pub(super) installation: &'a Installation,
    /// The secrets of this very run, beside those that are kept here.
    pub(super) secrets: &'a [Secret],
    pub(super) options: Options,
    /// Whether workspaces are kept also of a run that goes well.
    pub(super) keep: bool,
    /// Whether lines are wanted, also on a terminal.
    pub(super) lines: bool,
}

/// A run that has ended.
pub(super) struct Ended {
    kept: Kept,
    order: Order,
    outcome: Outcome,
    report: Report,
}

impl Execution<'_> {
    /// Runs it, keeps what came of it, and prints that for people.
    pub(super) fn carry_out(mut self) -> Result<Ended, Failure> {
        let context = self.context;
        let runs = Runs::of(context);
        let executor = executor(context)?;
        let kept = runs.begin()?;
        self.order.build.number = kept.number;
        let outcome = self.execute(&executor, &kept);
        let (outcome, report) = match outcome {
            Ok(ended) => ended,
            Err(failure) => {
                // Nothing was started, so there is nothing to be looked at.
                if !kept.folder.join("state.json").exists() {
                    kept.remove()?;
                }
                return Err(failure);
            }
        };
        let ended = Ended {
            kept,
            order: self.order,
            outcome,
            report,
        };
        if !context.json() {
            ended.print(context)?;
        }
        runs.tidy(self.installation.config.keep)?;
        Ok(ended)
    }

    fn execute(&self, executor: &Executor, kept: &Kept) -> Result<(Outcome, Report), Failure> {
        let context = self.context;
        kept.keep_order(&self.order)?;
        let interrupt = Interrupt::default();
        let triggered = interrupt.clone();
        interruption::on_signal(move || triggered.trigger());
        let gate = Gate::read(self.tree)?;
        let ran = self.with_run(kept, &interrupt, &mut |run, compiled| {
            planning::check(executor, run, compiled, context)?;
            let mut view = View::new(compiled.graph(), self.lines, context.ui());
            executor.run(run, &mut |event| view.show(event))
        })?;
        let mut outcome = ran.map_err(|error| failure(error, context))?;
        let mut judgement = None;
        if let Some(gate) = gate.filter(|_| outcome.end != Some(End::Cancelled)) {
            let about = (self.tree, &self.order.build);
            let judged = gate.judge(&mut outcome, &kept.line(&self.order)?, about, context)?;
            if !judged.passed {
                outcome.end = Some(End::Failure(None));
                kept.keep_outcome(&outcome)?;
            }
            judgement = Some(judged);
        }
        if outcome.end == Some(End::Success) && !self.keep {
            kept.remove_workspaces()?;
        }
        let report = Report::of(&outcome, judgement.as_ref())?;
        kept.keep_report(&report)?;
        Ok((outcome, report))
    }

    /// Puts together what the executor takes, and does something with it.
    pub(super) fn with_run<T>(
        &self,
        kept: &Kept,
        interrupt: &Interrupt,
        act: &mut dyn FnMut(&Run<'_>, &Compiled) -> T,
    ) -> Result<T, Failure> {
        let (context, order) = (self.context, &self.order);
        let sources = LocalSources::of(self.tree, context);
        let mut compiled = self.pipeline.compile(&order.build, &order.vars, &sources)?;
        compiled.put_machines(&self.installation.config);
        compiled.choose(&order.matrix);
        let installation = self.installation;
        let trust = installation.trust(&order.build, order.trusted);
        let supplies = Supplies {
            config: &installation.config,
            lock: installation::lock(self.tree)?,
            space: (!trust.allows(Right::Images)).then(|| space_of(&order.build.repository.slug())),
        };
        let ports = PipelinePorts::new(context, supplies, interrupt.clone())?;
        let tree = WorkingTree::new(self.tree, context.data());
        let runners = installation.runners(compiled.graph());
        let mut secrets = installation.secrets(&order.build)?;
        for secret in self.secrets {
            secrets.add(secret.clone());
        }
        let source = match &compiled {
            Compiled::Graph(graph) => Source::Graph(graph),
            Compiled::GitHub(workflow, _) => Source::GitHub(WorkflowSource {
                workflow,
                vars: &order.vars,
                sources: &sources,
                runners: &runners,
                node: &installation.config.node,
            }),
        };
        let options = Options {
            matrix: order.matrix.clone(),
            environment: order.environment.clone(),
            ..self.options.clone()
        };
        let run = Run {
            build: &order.build,
            source,
            folder: &kept.folder,
            tree: &tree,
            secrets: &secrets,
            trust,
            ports: &ports,
            options: &options,
            interrupt,
        };
        Ok(act(&run, &compiled))
    }
}

/// The executor of an installation.
pub(super) fn executor(context: &Context) -> Result<Executor, Failure> {
    Ok(Executor::new(
        context.runtime()?,
        context.content()?,
        context.snapshots()?,
        context.data().to_owned(),
    ))
}

/// What is missing, each with its place, where the run could not begin.
fn failure(error: RunError, context: &Context) -> Failure {
    let RunError::Planning(missing) = &error else {
        return error.into();
    };
    let file = context.data().join(config::FILE_NAME);
    let mut hints = missing.iter().filter_map(|missing| missing.hint.as_ref());
    let where_it_is = hints
        .any(|hint| hint.contains("`ci.yaml`"))
        .then(|| format!("`ci.yaml` is `{}`", file.display()));
    if context.json() || missing.len() < 2 {
        let hint = error.hint();
        let failure = Failure::from(error);
        return match hint.zip(where_it_is) {
            Some((hint, place)) => failure.with_hint(format!("{hint}; {place}")),
            None => failure,
        };
    }
    for missing in missing {
        context.ui().warn(missing.to_string());
        if let Some(hint) = &missing.hint {
            let mark = style("hint:").cyan().for_stderr();
            context.ui().warn(format!("  {mark} {hint}"));
        }
    }
    let failure = Failure::new(format!(
        "the pipeline cannot run here: {} are missing or not allowed",
        super::counted(missing.len(), "thing")
    ))
    .with_exit(Exit::NotFound);
    match where_it_is {
        Some(place) => failure.with_hint(place),
        None => failure,
    }
}

impl Ended {
    pub(super) fn end(&self) -> End {
        // A run that was neither well nor cancelled has failed, whatever kept it from saying so.
        self.outcome.end.unwrap_or(End::Failure(None))
    }

    pub(super) fn json(&self) -> Value {
        json(&self.kept, &self.order, &self.outcome, Some(&self.report))
    }

    fn print(&self, context: &Context) -> Result<(), Failure> {
        let ui = context.ui();
        print(&self.kept, &self.order, &self.outcome, context)?;
        let failed = failed(&self.outcome);
        for (stage, step) in &failed {
            let lines = last_lines(&self.kept.log(stage, step))?;
            if !lines.is_empty() {
                ui.line(format!("last lines of {}/{}:", stage.id, step.name))?;
            }
            for line in lines {
                ui.line(format!("  {} {line}", style("|").dim()))?;
            }
        }
        for line in self.report.lines() {
            ui.line(line)?;
        }
        if let Some((stage, step)) = failed.first() {
            let number = self.kept.number;
            let place = super::place(&self.outcome, stage, step);
            ui.note(format!(
                "`sampan ci shell {number} {place}` opens a shell there, `sampan ci resume {number} {place}` goes on from it"
            ));
        }
        Ok(())
    }
}

/// For programs.
pub(super) fn json(
    kept: &Kept,
    order: &Order,
    outcome: &Outcome,
    report: Option<&Report>,
) -> Value {
    json!({
        "run": kept.number,
        "name": order.name,
        "dialect": order.dialect,
        "tree": order.tree,
        "folder": kept.folder,
        "event": order.build.event,
        "commit": order.build.commit,
        "trusted": order.trusted,
        "resumes": order.resumes,
        "outcome": outcome,
        "report": report,
    })
}

/// The stages and steps with how they went, for people.
pub(super) fn print(
    kept: &Kept,
    order: &Order,
    outcome: &Outcome,
    context: &Context,
) -> Result<(), Failure> {
    let ui = context.ui();
    let took = outcome.ended.map_or_else(String::new, |ended| {
        format!(" in {}", super::seconds(ended - outcome.began))
    });
    ui.line(format!(
        "run {} of {} {}{took}",
        kept.number,
        order.name,
        kept.status(outcome)
    ))?;
    if let Some(reason) = &outcome.reason {
        ui.line(format!("  {reason}"))?;
    }
    for stage in &outcome.stages {
        let steps = !matches!(stage.state, State::Skipped(_));
        ui.line(format!(
            "  {}",
            line(
                &style(&stage.id).bold().to_string(),
                &stage.state,
                stage.began,
                stage.ended,
                stage.reason.as_deref()
            )
        ))?;
        for step in stage.steps.iter().filter(|_| steps) {
            let ignored = step.ignored.then_some("failed, which is ignored");
            let reason = step.reason.as_deref().or(ignored);
            let text = line(&step.name, &step.state, step.began, step.ended, reason);
            ui.line(format!("    {text}"))?;
        }
    }
    Ok(())
}

fn line(
    name: &str,
    state: &State,
    began: Option<i64>,
    ended: Option<i64>,
    reason: Option<&str>,
) -> String {
    let took = match (began, ended) {
        (Some(began), Some(ended)) => super::seconds(ended - began),
        _ => String::new(),
    };
    let (mark, words) = match state {
        State::Waits => (style("·").dim(), "waits".to_owned()),
        State::Runs => (style("▶").cyan(), "runs".to_owned()),
        State::Skipped(why) => (style("–").dim(), format!("skipped: {why}")),
        State::Ended(End::Success) => (style("✔").green(), String::new()),
        State::Ended(End::Cancelled) => (style("✘").yellow(), "cancelled".to_owned()),
        State::Ended(End::Failure(None)) => (style("✘").red(), "failed".to_owned()),
        State::Ended(End::Failure(Some(code))) => (style("✘").red(), format!("exit code {code}")),
    };
    let words = match (reason, state) {
        (Some(reason), State::Ended(_)) => reason.to_owned(),
        _ => words,
    };
    let text = format!("{mark} {name}  {took}  {words}");
    text.trim_end().replace("    ", "  ")
}

/// The steps that failed and whose failure counts, in their order.
pub(super) fn failed(outcome: &Outcome) -> Vec<(&StageOutcome, &StepOutcome)> {
    let steps = outcome
        .stages
        .iter()
        .flat_map(|stage| stage.steps.iter().map(move |step| (stage, step)));
    steps
        .filter(|(_, step)| matches!(step.state, State::Ended(End::Failure(_))) && !step.ignored)
        .collect()
}

/// The last lines of a log.
fn last_lines(path: &Path) -> Result<Vec<String>, Failure> {
    let text = super::logs::tail(path)?;
    let lines: Vec<_> = text.lines().collect();
    let first = lines.len().saturating_sub(SHOWN_LINES);
    Ok(lines[first..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect())
}
