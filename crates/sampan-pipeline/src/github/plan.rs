//! From a workflow and what happened to the graph of a run.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use sampan_model::yaml::Location;

use super::event::{self, Running};
use super::input::{Input, InputKind};
use super::job::{Environment, Job, Kind};
use super::known::{Known, LIMIT_BYTES, Room, by_status};
use super::{Workflow, needs, scope, trigger};
use crate::PipelineError;
use crate::build::Build;
use crate::expression::{Object, Value};
use crate::graph::{
    Concurrency, Deferred, Dialect, Expression, Graph, RunWhen, Stage, Text, Verdict,
};

mod call;
mod containers;
mod notes;
mod stage;
mod steps;
mod variant;

use variant::{Variant, variants};

pub use steps::composite;

/// Where workflows that others call come from.
pub trait Sources {
    /// The file and the text of a workflow by the reference that a job names; `None` when it is not at hand.
    fn workflow(&self, reference: &str) -> Option<(String, String)>;
}

/// What a run is made from beside the workflow.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// What happened.
    pub build: &'a Build,
    /// The variables of the project: the context `vars`.
    pub vars: &'a BTreeMap<String, String>,
    /// Where called workflows come from.
    pub sources: &'a dyn Sources,
    /// The context `needs` of stages whose matrix only the run could tell, by their ids, once all that they need has
    /// ended. The graph is then made again; it has their combinations in place of them, and is the same otherwise. A
    /// stage that stays as it was has a matrix without a value: its expression tells why.
    pub needs: &'a BTreeMap<String, Value>,
}

/// The graph of a run with what its expressions refer to.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The graph.
    pub graph: Graph,
    /// The name of the run.
    pub name: Text,
    /// Which runs of the workflow exclude each other.
    pub concurrency: Option<Concurrency>,
    /// The calls of workflows by the id of the stage that ends them.
    pub calls: BTreeMap<String, CallScope>,
    /// What stages deliver to, by their ids.
    pub deliveries: BTreeMap<String, Environment>,
}

/// What the stages of a called workflow see. Their ids begin with that of the call and ` / `.
///
/// The stage of the call itself has no steps. It ends as the stages of the workflow did together; its outputs are
/// expressions over `jobs`, the results and outputs of those stages.
#[derive(Debug, Clone, PartialEq)]
pub struct CallScope {
    /// The inputs; those that only the run can tell are expressions of the caller.
    pub inputs: BTreeMap<String, Text>,
    /// The secrets by the names that the workflow has for them; `None` when it has all of the caller's.
    pub secrets: Option<BTreeMap<String, Text>>,
}

/// How many stages a run may have.
const LIMIT_STAGES: usize = 5_000;

/// Makes the graph of a run.
///
/// # Errors
/// [`PipelineError`] when inputs are missing, a workflow that is called is not at hand, a matrix is too large, or
/// something is asked for that Sampan does not do.
pub fn compile(workflow: &Workflow, request: &Request<'_>) -> Result<Plan, PipelineError> {
    let mut planner = Planner {
        request: *request,
        stages: Vec::new(),
        room: Room::default(),
        workflows: BTreeMap::new(),
        count: 0,
        calls: BTreeMap::new(),
        deliveries: BTreeMap::new(),
        root: workflow,
    };
    let mut verdict = Verdict::default();
    trigger::judge(&workflow.on, request.build, &mut verdict)?;
    let inputs = if event::event_name(request.build) == "workflow_dispatch" {
        dispatch_inputs(&workflow.on.dispatch_inputs, &request.build.parameters)?
    } else {
        Object::default()
    };
    let space = Space {
        prefix: String::new(),
        workflow,
        known: planner.known(inputs, late_inputs(workflow, &verdict)),
        gate: None,
        verdict,
        depth: 0,
    };
    planner.jobs(&space)?;
    let name = match &workflow.run_name {
        Some(name) => stage::known_text(name, &space.known),
        None => Text::from(workflow.name.as_deref().unwrap_or(&workflow.file)),
    };
    let concurrency = space.concurrency();
    Ok(Plan {
        graph: Graph {
            dialect: Dialect::GitHub,
            stages: planner.stages,
            notes: notes::of(workflow),
        },
        name,
        concurrency,
        calls: planner.calls,
        deliveries: planner.deliveries,
    })
}

/// The workflow at hand with what is known in it.
struct Space<'a> {
    /// What the ids of its stages begin with.
    prefix: String,
    workflow: &'a Workflow,
    known: Known,
    /// The stage that must end before any of this begins.
    gate: Option<String>,
    /// What was decided for all of it.
    verdict: Verdict,
    /// How many calls led here.
    depth: usize,
}

impl Space<'_> {
    /// Which runs of the workflow exclude each other, with the values of what is known.
    fn concurrency(&self) -> Option<Concurrency> {
        let written = self.workflow.concurrency.as_ref()?;
        let mut concurrency = stage::concurrency(written);
        concurrency.group = stage::known_text(&concurrency.group, &self.known);
        if let Deferred::Later(later) = &concurrency.cancels
            && let Some(cancels) = self.known.text(&later.expression)
        {
            concurrency.cancels = Deferred::Now(cancels.is_truthy());
        }
        Some(concurrency)
    }
}

struct Planner<'a> {
    request: Request<'a>,
    stages: Vec<Stage>,
    /// What all stages may take together.
    room: Room,
    /// Workflows that were called before, by their references.
    workflows: BTreeMap<String, Rc<Workflow>>,
    /// How many stages were begun, wherever they are by now.
    count: usize,
    calls: BTreeMap<String, CallScope>,
    deliveries: BTreeMap<String, Environment>,
    /// The workflow that was not called; `github` is about it everywhere.
    root: &'a Workflow,
}

impl Planner<'_> {
    fn known(&self, inputs: Object, late_inputs: Vec<String>) -> Known {
        let file: &str = &self.root.file;
        let running = Running {
            name: self.root.name.as_deref().unwrap_or(file),
            file,
        };
        let vars = self
            .request
            .vars
            .iter()
            .map(|(name, value)| (name, Value::text(value)));
        Known {
            github: Arc::new(event::github(self.request.build, running)),
            inputs: Arc::new(inputs),
            late_inputs,
            vars: Arc::new(Object::new(vars)),
            job: None,
            needs: None,
            is_open: false,
            room: self.room.clone(),
        }
    }

    fn jobs(&mut self, space: &Space<'_>) -> Result<(), PipelineError> {
        // The stages of the jobs so far; a job may stand before those that it needs.
        let order = needs::order(&space.workflow.jobs);
        let mut stages: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut made: BTreeMap<usize, Vec<Stage>> = BTreeMap::new();
        for index in order {
            let job = &space.workflow.jobs[index];
            let mut needs: Vec<String> = job
                .needs
                .iter()
                .filter_map(|(need, _)| stages.get(&need.to_ascii_lowercase()))
                .flatten()
                .cloned()
                .collect();
            if needs.is_empty() {
                needs.extend(space.gate.clone());
            }
            let before = self.stages.len();
            let ids = self.job(space, job, &needs)?;
            made.insert(index, self.stages.split_off(before));
            stages.insert(job.id.to_ascii_lowercase(), ids);
        }
        // Stages stand as the jobs do in the file.
        self.stages.extend(made.into_values().flatten());
        Ok(())
    }

    /// Makes the stages of a job; the ids of those that others wait for.
    fn job(
        &mut self,
        space: &Space<'_>,
        job: &Job,
        needs: &[String],
    ) -> Result<Vec<String>, PipelineError> {
        let mut verdict = space.verdict.clone();
        let when = judge_condition(job.condition.as_ref(), &space.known, &mut verdict);
        let group = format!("{}{}", space.prefix, job.id);
        let mut known_here = space.known.clone();
        known_here.needs = self.request.needs.get(&group).cloned();
        let variants = variants(job, &known_here)?;
        let mut made = Vec::new();
        for variant in variants {
            let mut known = known_here.clone();
            known.job = match &variant.later {
                Some(_) => None,
                None => Some((variant.matrix_value(), variant.strategy_value())),
            };
            let seed = stage::Seed {
                id: self.unused_id(&group, &variant),
                group: &group,
                needs,
                verdict: &verdict,
                when: &when,
                variant: &variant,
            };
            let id = seed.id.clone();
            self.count += 1;
            if self.count > LIMIT_STAGES {
                return Err(PipelineError::TooMany {
                    location: job.location.clone(),
                    what: "stages",
                    count: self.count,
                    limit: LIMIT_STAGES,
                });
            }
            match &job.kind {
                Kind::Steps(_) => {
                    let (stage, delivery) = stage::make(space, job, &known, &seed)?;
                    self.deliveries
                        .extend(delivery.map(|delivery| (id.clone(), delivery)));
                    self.stages.push(stage);
                }
                Kind::Call(called) if variant.later.is_some() => {
                    self.late_call(job, called, &seed)?;
                }
                Kind::Call(_) => self.call(space, job, &known, &seed)?,
            }
            made.push(id);
            if self.room.is_used_up() {
                return Err(PipelineError::TooMany {
                    location: job.location.clone(),
                    what: "bytes in the texts of all stages",
                    count: LIMIT_BYTES,
                    limit: LIMIT_BYTES,
                });
            }
        }
        Ok(made)
    }

    /// The id of a variant: that of the job with the values of the matrix.
    fn unused_id(&self, group: &str, variant: &Variant) -> String {
        let values = variant.listed();
        let id = if values.is_empty() {
            group.to_owned()
        } else {
            format!("{group} ({values})")
        };
        // Only variants of one job can have the same values.
        let used = |id: &str| self.stages.iter().any(|stage| stage.id == id);
        let mut unused = id.clone();
        let mut number = 1;
        while used(&unused) {
            number += 1;
            unused = format!("{id} #{number}");
        }
        unused
    }
}

/// Decides what can be decided of a condition; the rest is asked when its turn has come.
fn judge_condition(
    condition: Option<&Expression>,
    known: &Known,
    verdict: &mut Verdict,
) -> RunWhen {
    let Some(condition) = condition else {
        return RunWhen::SUCCESS;
    };
    let text = condition.expression.trim();
    if let Some(holds) = known.condition(text) {
        let says = if holds { "holds" } else { "does not hold" };
        let shown = sampan_model::shortened(&sampan_model::on_one_line(text), 120);
        verdict.note(
            holds,
            Some(&condition.location),
            format!("the condition `{shown}` {says}"),
        );
        return RunWhen::SUCCESS;
    }
    if let Some(when) = by_status(text) {
        return when;
    }
    RunWhen::Expression(Expression {
        expression: super::field::explicit_condition(text, &scope::EVERYWHERE),
        location: condition.location.clone(),
    })
}

/// The inputs of a workflow that is there to be called, where it is looked at by itself: a caller would give them.
fn late_inputs(workflow: &Workflow, verdict: &Verdict) -> Vec<String> {
    let call = workflow.on.call.as_ref().filter(|_| !verdict.runs());
    let inputs = call.iter().flat_map(|call| &call.inputs);
    inputs.map(|input| input.name.clone()).collect()
}

/// The inputs of a run that somebody started.
fn dispatch_inputs(
    declared: &[Input],
    given: &BTreeMap<String, String>,
) -> Result<Object, PipelineError> {
    let mut inputs = Object::default();
    for input in declared {
        let given = given
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(&input.name))
            .map(|(_, value)| value.clone());
        inputs.insert(&input.name, input_value(input, given, &input.location)?);
    }
    Ok(inputs)
}

/// The value of an input: what is given, or the default. `location` is where it should be given.
fn input_value(
    input: &Input,
    given: Option<String>,
    location: &Location,
) -> Result<Value, PipelineError> {
    let default = match &input.default {
        Some(Deferred::Now(default)) if !default.is_empty() => Some(default.clone()),
        _ => None,
    };
    if let Some(text) = given.or(default) {
        return input
            .kind
            .value(&text)
            .map_err(|hint| PipelineError::InvalidValue {
                location: location.clone(),
                what: format!("value for the input `{}`", input.name),
                value: text,
                hint: Some(hint),
            });
    }
    if input.required && input.kind != InputKind::Boolean {
        return Err(PipelineError::InvalidValue {
            location: location.clone(),
            what: format!("value for the input `{}`", input.name),
            value: String::new(),
            hint: Some(format!(
                "the input must be given: with `--input {}=…` when somebody starts it, in `with` when it is called",
                input.name
            )),
        });
    }
    Ok(input.kind.nothing())
}
