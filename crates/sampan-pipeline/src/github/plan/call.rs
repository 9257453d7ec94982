//! Workflows that call others.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::Workflow;
use super::super::job::{self, Called, CalledSecrets, Job, Kind};
use super::super::known::Known;
use super::super::on::Call;
use super::stage::{self, Seed, each};
use super::{CallScope, Planner, Space, input_value};
use crate::PipelineError;
use crate::expression::Object;
use crate::graph::{Deferred, Hindrance, RunWhen, Stage, Text};

/// How deep workflows may call each other; GitHub's own limit.
const LIMIT_DEPTH: usize = 10;

impl Planner<'_> {
    /// The workflow of a reference, which is read once however often it is called.
    fn called(&mut self, reference: &str) -> Result<Option<Rc<Workflow>>, PipelineError> {
        if let Some(workflow) = self.workflows.get(reference) {
            return Ok(Some(Rc::clone(workflow)));
        }
        // Two ways to name a file of the source tree.
        let path = reference.strip_prefix("$/");
        let path = path.map(|path| format!("./{path}"));
        let path = path.as_deref().unwrap_or(reference);
        let Some((file, text)) = self.request.sources.workflow(path) else {
            return Ok(None);
        };
        let workflow = Rc::new(Workflow::parse(&file, &text)?);
        self.workflows
            .insert(reference.to_owned(), Rc::clone(&workflow));
        Ok(Some(workflow))
    }

    /// The stage of a call whose matrix only the run can tell.
    pub(super) fn late_call(
        &mut self,
        job: &Job,
        called: &Called,
        seed: &Seed<'_>,
    ) -> Result<(), PipelineError> {
        let hindrance = match self.called(&called.workflow)? {
            Some(_) => None,
            None => absent(called),
        };
        self.stages.push(Stage {
            hindrance,
            ..stage::empty(job, job.strategy.as_ref(), seed)
        });
        Ok(())
    }

    /// Puts the stages of a called workflow into the graph, with one before that may keep them from running and one
    /// behind that others wait for.
    pub(super) fn call(
        &mut self,
        space: &Space<'_>,
        job: &Job,
        known: &Known,
        seed: &Seed<'_>,
    ) -> Result<(), PipelineError> {
        let key = sampan_model::yaml::Key {
            name: job.id.clone(),
            location: job.location.clone(),
        };
        let strategy = job.strategy.as_ref();
        let job = job::read(&key, &known.reduce(&job.without_strategy()))?;
        let Kind::Call(called) = &job.kind else {
            return Ok(());
        };
        let refuse = |hint: String| PipelineError::InvalidValue {
            location: called.location.clone(),
            what: "workflow that can be called".to_owned(),
            value: called.workflow.clone(),
            hint: Some(hint),
        };
        if space.depth >= LIMIT_DEPTH {
            return Err(refuse(format!(
                "at most {LIMIT_DEPTH} workflows call each other"
            )));
        }
        let Some(workflow) = self.called(&called.workflow)? else {
            let hindrance = absent(called)
                .ok_or_else(|| refuse("there is no such file in the source tree".to_owned()))?;
            self.stages.push(Stage {
                hindrance: Some(hindrance),
                ..stage::empty(&job, strategy, seed)
            });
            return Ok(());
        };
        let Some(call) = &workflow.on.call else {
            return Err(refuse("it lacks `workflow_call` in its `on`".to_owned()));
        };
        let given = each(&called.with, "`with`")?;
        let (inputs, late, shown) = bind(call, given, &job)?;
        let secrets = secrets(call, &called.secrets, &job)?;
        let id = seed.id.clone();
        let gate = format!("{id} / begin");
        let mut end = stage::empty(&job, strategy, seed);
        let mut begin = Stage {
            id: gate.clone(),
            strategy: None,
            concurrency: job.concurrency.iter().map(stage::concurrency).collect(),
            ..end.clone()
        };
        let inner = Space {
            prefix: format!("{id} / "),
            workflow: &workflow,
            known: self.known(inputs, late),
            gate: Some(gate.clone()),
            verdict: seed.verdict.clone(),
            depth: space.depth + 1,
        };
        begin.concurrency.extend(inner.concurrency());
        self.stages.push(begin);
        let first = self.stages.len();
        self.jobs(&inner)?;
        end.needs = std::iter::once(gate)
            .chain(self.stages[first..].iter().map(|stage| stage.id.clone()))
            .collect();
        end.when = RunWhen::SUCCESS;
        end.outputs = call.outputs.iter().cloned().collect();
        self.stages.push(end);
        self.calls.insert(
            id,
            CallScope {
                inputs: shown,
                secrets,
            },
        );
        Ok(())
    }
}

/// What to say of a workflow of another repository that is not here; nothing where it is one of the source tree.
fn absent(called: &Called) -> Option<Hindrance> {
    let name = crate::supplies::action_name(&called.workflow)?;
    Some(Hindrance {
        location: called.location.clone(),
        what: format!("the workflow `{}` is not here", called.workflow),
        hint: Some(format!(
            "with the repository in a folder, `sampan ci action {name} FOLDER` brings it"
        )),
    })
}

type Bound = (Object, Vec<String>, BTreeMap<String, Text>);

/// The values of the inputs, the names of those that are not known yet, and all of them as texts.
fn bind(call: &Call, given: &[(String, Text)], caller: &Job) -> Result<Bound, PipelineError> {
    for (name, _) in given {
        if !call
            .inputs
            .iter()
            .any(|input| input.name.eq_ignore_ascii_case(name))
        {
            return Err(PipelineError::UnknownKey {
                location: caller.location.clone(),
                within: format!("`with` of the job `{}`", caller.id),
                key: name.clone(),
                nearest: sampan_model::nearest(
                    name,
                    call.inputs.iter().map(|input| input.name.as_str()),
                )
                .map(str::to_owned),
            });
        }
    }
    let mut values = Object::default();
    let mut late = Vec::new();
    let mut shown = BTreeMap::new();
    for input in &call.inputs {
        let text = given
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(&input.name))
            .map(|(_, text)| text.clone());
        match text.or_else(|| input.default.clone()) {
            Some(Deferred::Later(later)) => {
                late.push(input.name.clone());
                shown.insert(input.name.clone(), Text::Later(later));
            }
            text => {
                let text = text.and_then(|text| text.now().cloned());
                let value = input_value(input, text, &caller.location)?;
                shown.insert(input.name.clone(), Text::Now(value.to_text().to_string()));
                values.insert(&input.name, value);
            }
        }
    }
    Ok((values, late, shown))
}

fn secrets(
    call: &Call,
    given: &CalledSecrets,
    caller: &Job,
) -> Result<Option<BTreeMap<String, Text>>, PipelineError> {
    let CalledSecrets::Each(texts) = given else {
        return Ok(None);
    };
    let given: BTreeMap<String, Text> = each(texts, "`secrets`")?.iter().cloned().collect();
    for (name, required) in &call.secrets {
        let there = given.keys().any(|given| given.eq_ignore_ascii_case(name));
        if *required && !there {
            return Err(PipelineError::InvalidValue {
                location: caller.location.clone(),
                what: "complete call".to_owned(),
                value: caller.id.clone(),
                hint: Some(format!(
                    "the workflow needs the secret `{name}`; hand it over, or write `secrets: inherit`"
                )),
            });
        }
    }
    Ok(Some(given))
}
