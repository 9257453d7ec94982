//! A workflow of GitHub on its way: what its jobs see of each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::prepare::wanted;
use super::{Outcome, Run, RunError, StageOutcome, WorkflowSource};
use crate::config::Toolchain;
use crate::expression::{Object, Value};
use crate::github::context::{self, Conclusion, Contexts, JobResult, Progress};
use crate::github::environment::{condition, value};
use crate::github::event::{self, Running};
use crate::github::plan::{self, CallScope};
use crate::graph::{Concurrency, Deferred, Expression, Graph, Stage, Text, is_within_call};
use crate::plan::{End, Plan, State};
use crate::secrets::{Asker, Secrets, secrets_in_call};

/// What a job sees from outside, from its beginning on.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) github: Object,
    pub(super) needs: Value,
    /// The context `jobs`, where a called workflow gives its outputs.
    pub(super) jobs: Value,
    pub(super) inputs: Value,
    pub(super) vars: Value,
    /// What the job was handed, with who may have it.
    pub(super) secrets: Secrets,
    pub(super) matrix: Value,
    pub(super) strategy: Value,
    pub(super) runners: BTreeMap<String, String>,
    /// Images with Node.js by version.
    pub(super) node: Vec<Toolchain>,
}

impl Given {
    /// The contexts without those of steps, with the secrets that one who asks may have.
    pub(super) fn contexts(&self, asker: &Asker<'_>) -> Contexts<'_> {
        Contexts::new([
            ("github", Value::Object(Arc::new(self.github.clone()))),
            ("needs", self.needs.clone()),
            ("jobs", self.jobs.clone()),
            ("inputs", self.inputs.clone()),
            ("vars", self.vars.clone()),
            (
                "secrets",
                context::secrets(&self.secrets.of(asker).context()),
            ),
            ("matrix", self.matrix.clone()),
            ("strategy", self.strategy.clone()),
        ])
    }
}

/// How a run stands.
#[derive(Clone, Copy)]
pub(super) struct Stand<'s> {
    pub(super) stages: &'s [Arc<Stage>],
    pub(super) outcome: &'s Outcome,
    pub(super) plan: &'s Plan,
}

/// A workflow that runs.
pub(super) struct WorkflowRun<'a> {
    source: WorkflowSource<'a>,
    run: &'a Run<'a>,
    plan: plan::Plan,
    /// The contexts `needs` of stages whose matrix has become known.
    late: BTreeMap<String, Value>,
}

impl<'a> WorkflowRun<'a> {
    pub(super) fn new(run: &'a Run<'a>, source: WorkflowSource<'a>) -> Result<Self, RunError> {
        let late = BTreeMap::new();
        let plan = plan::compile(source.workflow, &source.request(run.build, &late))?;
        let mut workflow = Self {
            source,
            run,
            plan,
            late,
        };
        if let Some(resume) = &run.options.resume {
            workflow.catch_up(&Outcome::read(&resume.folder)?, &resume.stage)?;
        }
        Ok(workflow)
    }

    /// Makes the graph as it was in an earlier run: matrices are known as far as what they follow from does not run again.
    fn catch_up(&mut self, earlier: &Outcome, again: &str) -> Result<(), RunError> {
        loop {
            let graph = self.plan.graph.clone();
            let mut plan = Plan::of_stages(&graph);
            let stages: Vec<Arc<Stage>> = graph.stages.into_iter().map(Arc::new).collect();
            for (place, stage) in stages.iter().enumerate() {
                if let Some(kept) = earlier.stage(&stage.id) {
                    plan.take_over(place, &kept.state, &mut |_, _| false);
                }
            }
            let known = |need: &String| {
                let kept = earlier.stage(need).map(|kept| &kept.state);
                matches!(kept, Some(State::Ended(_) | State::Skipped(_)))
            };
            let is_next = |stage: &&Arc<Stage>| {
                let strategy = stage.strategy.as_ref();
                let late = strategy.filter(|strategy| strategy.matrix.is_some());
                late.is_some_and(|strategy| !self.late.contains_key(&strategy.group))
                    && stage.needs.iter().all(known)
                    && !before(stage, &stages).contains(&again)
            };
            let Some(stage) = stages.iter().find(is_next) else {
                return Ok(());
            };
            let stand = Stand {
                stages: &stages,
                outcome: earlier,
                plan: &plan,
            };
            self.replan(stage, stand)?;
        }
    }

    /// The graph as it was made last.
    pub(super) fn graph(&self) -> &Graph {
        &self.plan.graph
    }

    /// Which runs of the workflow exclude each other.
    pub(super) fn concurrency(&self) -> Option<&Concurrency> {
        self.plan.concurrency.as_ref()
    }

    /// Makes the graph again, now that what a stage needs has ended.
    pub(super) fn replan(&mut self, stage: &Stage, stand: Stand<'_>) -> Result<Graph, RunError> {
        let group = stage
            .strategy
            .as_ref()
            .map_or(&stage.id, |strategy| &strategy.group);
        let needs = self.needs(stage, stand);
        self.late.insert(group.clone(), needs);
        let request = self.source.request(self.run.build, &self.late);
        self.plan = plan::compile(self.source.workflow, &request)?;
        let mut graph = self.plan.graph.clone();
        wanted(&mut graph, self.run.options);
        Ok(graph)
    }

    /// What a job sees when it begins.
    pub(super) fn given(&self, stage: &Stage, stand: Stand<'_>) -> Result<Given, String> {
        let build = self.run.build;
        let file: &str = &self.source.workflow.file;
        let name = self.source.workflow.name.as_deref().unwrap_or(file);
        let results = self.needs(stage, stand);
        let vars = self.source.vars.iter();
        let mut given = Given {
            github: event::github(build, Running { name, file }),
            needs: results.clone(),
            jobs: results,
            inputs: Value::Null,
            vars: Value::object(vars.map(|(name, value)| (name, Value::text(value)))),
            secrets: self.run.secrets.clone(),
            matrix: matrix(stage),
            strategy: strategy(stage),
            runners: self.source.runners.clone(),
            node: self.source.node.to_vec(),
        };
        if event::event_name(build) == "workflow_dispatch" {
            let parameters = build.parameters.iter();
            given.inputs =
                Value::object(parameters.map(|(name, value)| (name, Value::text(value))));
        }
        for (call, scope) in self.calls_of(&stage.id) {
            given.inputs = self.inputs_of(call, scope, &given, stand)?;
        }
        given.secrets = secrets_in_call(
            &self.plan,
            &stage.id,
            (&given.secrets, &Asker::of_build(build)),
            &mut |call, expression, secrets| {
                let mut contexts = self.call_contexts(call, &given, stand);
                contexts.set("secrets", context::secrets(secrets));
                text_of(expression, &contexts)
            },
        )?;
        Ok(given)
    }

    /// The calls that led to a stage, the outermost first.
    fn calls_of(&self, stage: &str) -> Vec<(&str, &CallScope)> {
        let calls = self.plan.calls.iter();
        let mut calls: Vec<_> = calls
            .filter(|(call, _)| is_within_call(stage, call))
            .map(|(call, scope)| (call.as_str(), scope))
            .collect();
        calls.sort_by_key(|(call, _)| call.len());
        calls
    }

    fn inputs_of(
        &self,
        call: &str,
        scope: &CallScope,
        caller: &Given,
        stand: Stand<'_>,
    ) -> Result<Value, String> {
        let contexts = self.call_contexts(call, caller, stand);
        let mut inputs = Vec::new();
        for (name, text) in &scope.inputs {
            let value = match text {
                Text::Now(text) => Value::text(text),
                Text::Later(later) => value(later, &contexts)
                    .map_err(|error| format!("`{}` has no value: {error}", later.expression))?,
            };
            inputs.push((name.clone(), value));
        }
        Ok(Value::object(inputs))
    }

    /// What the caller of a workflow sees.
    fn call_contexts<'g>(&self, call: &str, caller: &'g Given, stand: Stand<'_>) -> Contexts<'g> {
        let mut contexts = caller.contexts(&Asker::of_build(self.run.build));
        let gate = format!("{call} / begin");
        if let Some(gate) = stand.stages.iter().find(|stage| stage.id == gate) {
            contexts.set("needs", self.needs(gate, stand));
            contexts.set("matrix", matrix(gate));
        }
        contexts
    }

    /// What the names of the jobs around a stage begin with.
    fn prefix(&self, stage: &Stage) -> String {
        // The gate stands inside of its call, but belongs to where that is made, as does the end.
        let id = stage.id.strip_suffix(" / begin").unwrap_or(&stage.id);
        let call = self.calls_of(id).last().map(|(call, _)| *call);
        call.map(|call| format!("{call} / ")).unwrap_or_default()
    }

    fn results(&self, stage: &Stage, stand: Stand<'_>) -> Vec<JobResult> {
        // The end of a call needs the jobs of the workflow that was called.
        let own_gate = format!("{} / begin", stage.id);
        let prefix = if stage.needs.contains(&own_gate) {
            format!("{} / ", stage.id)
        } else {
            self.prefix(stage)
        };
        let mut found: Vec<(Option<i64>, JobResult)> = Vec::new();
        for need in &stage.needs {
            let place = stand.stages.iter().position(|other| other.id == *need);
            let Some((place, kept)) = place.zip(stand.outcome.stage(need)) else {
                continue;
            };
            if need.ends_with(" / begin") && stand.stages[place].steps.is_empty() {
                continue;
            }
            let other = &stand.stages[place];
            let group = other
                .strategy
                .as_ref()
                .map_or(&other.id, |strategy| &strategy.group);
            let result = JobResult {
                id: group.strip_prefix(&*prefix).unwrap_or(group).to_owned(),
                result: conclusion(kept, stand.plan.is_bad(place)),
                outputs: kept.outputs.clone(),
            };
            found.push((kept.ended, result));
        }
        found.sort_by_key(|(ended, _)| *ended);
        found.into_iter().map(|(_, result)| result).collect()
    }

    fn needs(&self, stage: &Stage, stand: Stand<'_>) -> Value {
        context::needs(&self.results(stage, stand))
    }

    /// The value of an expression as text, where a stage is about to begin.
    pub(super) fn evaluate(
        &self,
        stage: &Stage,
        expression: &Expression,
        stand: Stand<'_>,
    ) -> Result<String, String> {
        let given = self.given(stage, stand)?;
        let asker = Asker::of_build(self.run.build);
        text_of(expression, &given.contexts(&asker))
    }

    /// Whether a condition of a stage holds.
    pub(super) fn decide(
        &self,
        stage: &Stage,
        expression: &Expression,
        stand: Stand<'_>,
    ) -> Result<bool, String> {
        let given = self.given(stage, stand)?;
        let results = self.results(stage, stand);
        let progress = Progress::OfJobs {
            needs: results
                .into_iter()
                .map(|result| (result.id, result.result))
                .collect(),
            before: conclusions_before(stage, stand),
            cancelled: self.run.interrupt.is_triggered(),
        };
        let asker = Asker::of_build(self.run.build);
        let contexts = given.contexts(&asker).with_progress(progress);
        condition(expression, &contexts).map_err(|error| error.to_string())
    }
}

fn text_of(expression: &Expression, contexts: &Contexts<'_>) -> Result<String, String> {
    value(expression, contexts)
        .map(|value| value.to_text().to_string())
        .map_err(|error| format!("`{}` has no value: {error}", expression.expression))
}

/// All stages that a stage needs, also by others.
fn before<'s>(stage: &'s Stage, stages: &'s [Arc<Stage>]) -> Vec<&'s str> {
    let mut seen: Vec<&str> = Vec::new();
    let mut waiting: Vec<&str> = stage.needs.iter().map(String::as_str).collect();
    while let Some(id) = waiting.pop() {
        if seen.contains(&id) {
            continue;
        }
        seen.push(id);
        if let Some(other) = stages.iter().find(|other| other.id == id) {
            waiting.extend(other.needs.iter().map(String::as_str));
        }
    }
    seen
}

/// How all stages ended that a stage needs, also by others.
fn conclusions_before(stage: &Stage, stand: Stand<'_>) -> Vec<Conclusion> {
    let mut found = Vec::new();
    for id in before(stage, stand.stages) {
        if let Some(place) = stand.stages.iter().position(|other| other.id == id) {
            found.extend(
                stand
                    .outcome
                    .stage(id)
                    .map(|kept| conclusion(kept, stand.plan.is_bad(place))),
            );
        }
    }
    found
}

fn conclusion(stage: &StageOutcome, bad: bool) -> Conclusion {
    match &stage.state {
        State::Ended(End::Success) => Conclusion::Success,
        State::Ended(End::Failure(_)) if !bad => Conclusion::Success,
        State::Ended(End::Failure(_)) => Conclusion::Failure,
        State::Ended(End::Cancelled) => Conclusion::Cancelled,
        State::Skipped(_) | State::Waits | State::Runs => Conclusion::Skipped,
    }
}

fn matrix(stage: &Stage) -> Value {
    if stage.matrix.is_empty() {
        return Value::Null;
    }
    let values = stage.matrix.iter();
    Value::object(values.map(|(name, value)| (name, Value::from(value))))
}

fn strategy(stage: &Stage) -> Value {
    let Some(strategy) = &stage.strategy else {
        return Value::Null;
    };
    let fail_fast = strategy.fail_fast != Deferred::Now(false);
    let mut values = vec![("fail-fast", Value::Boolean(fail_fast))];
    if let Some(Deferred::Now(most)) = &strategy.max_parallel {
        values.push(("max-parallel", Value::Number(f64::from(*most))));
    }
    Value::object(values)
}
