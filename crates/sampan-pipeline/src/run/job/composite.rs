//! One step of a job or of a composite action, and the steps of composite actions in their order.

use std::collections::BTreeMap;
use std::time::Instant;

use super::action::Used;
use super::hash_files::Workspace;
use super::{Job, JobError, Site, own_variables};
use crate::expression::Value;
use crate::github::context::{Conclusion, Contexts, StepResult};
use crate::github::environment::condition;
use crate::graph::{Action, Deferred, Failure, RunWhen, Step};
use crate::plan::End;
use crate::run::environment::Variables;
use crate::run::log::Log;
use crate::run::message::Ending;
use crate::run::stage_run::StageRun;
use crate::run::step::StepError;
use crate::secrets::Asker;

/// What a step sees around it: the job, or the composite action that it is a part of.
#[derive(Clone)]
pub(super) struct Frame<'a, 's> {
    pub(super) run: &'a StageRun<'s>,
    /// The number of the step of the job.
    pub(super) number: usize,
    /// Whether it is that step which asks for values; what is asked about the job is for no step.
    pub(super) is_step: bool,
    /// The numbers of the steps of the composite actions around it, the outermost first.
    pub(super) within: Vec<usize>,
    /// The inputs of the action; those of the workflow when absent.
    pub(super) inputs: Option<Value>,
    /// The steps of the action so far; those of the job when absent.
    pub(super) steps: Option<Vec<StepResult>>,
    /// How the action went so far.
    pub(super) status: Option<Conclusion>,
    /// The variables of workflow and job.
    pub(super) job: Variables,
    /// The variables of the steps that use the actions around.
    pub(super) outer: Variables,
    /// The name of the action, or of the step.
    pub(super) action: String,
    /// Where the action lies in containers.
    pub(super) action_path: Option<String>,
    /// The files of the process that is about to run.
    pub(super) command_files: Vec<(&'static str, String)>,
    pub(super) deadline: Option<Instant>,
    /// How often the stage was asked to end before the step began, which does not end it.
    pub(super) passed: u32,
}

/// How a step went.
#[derive(Debug)]
pub(super) struct Performed {
    pub(super) ending: Ending,
    pub(super) outputs: BTreeMap<String, String>,
}

impl<'a, 's> Frame<'a, 's> {
    pub(super) fn of_job(run: &'a StageRun<'s>, number: usize, job: Variables) -> Self {
        let step = run.stage.steps.get(number);
        Self {
            run,
            number,
            is_step: false,
            within: Vec::new(),
            inputs: None,
            steps: None,
            status: None,
            job,
            outer: Variables::new(),
            action: step.map_or_else(String::new, |step| format!("__{}", step.name)),
            action_path: None,
            command_files: Vec::new(),
            deadline: None,
            passed: 0,
        }
    }

    /// Who asks for secrets: steps of actions have none but those that the action is given.
    pub(super) fn asker(&self) -> Asker<'a> {
        let (build, stage) = (self.run.shared.run.build, self.run.stage);
        match stage.steps.get(self.number).filter(|_| self.is_step) {
            Some(step) => Asker::of_step(build, stage, step),
            None => Asker::of_build(build),
        }
    }

    /// What the steps of a composite action see.
    pub(super) fn inner(&self, inputs: &BTreeMap<String, String>, outer: Variables) -> Self {
        let values = inputs.iter();
        Self {
            run: self.run,
            number: self.number,
            is_step: false,
            within: self.within.clone(),
            inputs: Some(Value::object(
                values.map(|(name, value)| (name, Value::text(value))),
            )),
            steps: Some(Vec::new()),
            status: Some(Conclusion::Success),
            job: self.job.clone(),
            outer,
            action: self.action.clone(),
            action_path: self.action_path.clone(),
            command_files: Vec::new(),
            deadline: self.deadline,
            passed: self.passed,
        }
    }

    /// What a step of the composite action sees; what it learns of an action that it uses itself stays its own.
    pub(super) fn of_step(&self, place: usize) -> Self {
        let mut frame = self.clone();
        frame.within.push(place);
        frame
    }

    /// Where the step is.
    pub(super) fn site(&self) -> Site {
        (self.number, self.within.clone())
    }

    /// The variables before those of a step itself.
    pub(super) fn variables(&self, job: &Job) -> Variables {
        let mut variables = self.job.clone();
        let state = job.state();
        variables.extend(state.variables.iter().map(|(n, v)| (n.clone(), v.clone())));
        variables.extend(self.outer.iter().map(|(n, v)| (n.clone(), v.clone())));
        variables
    }
}

impl Job {
    /// Runs one step.
    pub(super) fn perform(
        &self,
        frame: &mut Frame<'_, '_>,
        step: &Step,
        log: &mut Log,
    ) -> Result<Performed, StepError> {
        let variables = self.step_variables(frame, step)?;
        let workspace = Workspace::of(frame.run);
        match &step.action {
            Action::Run {
                script,
                shell,
                working_directory,
                ..
            } => {
                let contexts = self.contexts(frame, &variables, &workspace);
                let text = |text: &crate::graph::Text| super::evaluate(text, &contexts);
                let script = super::script::Script {
                    text: text(script)?,
                    shell: shell
                        .as_ref()
                        .map(|shell| text(&shell.command))
                        .transpose()?,
                    folder: working_directory.as_ref().map(&text).transpose()?,
                };
                drop(contexts);
                self.run_script(frame, &script, variables, log)
            }
            Action::Uses { .. } => {
                let used = self.used(frame, step, variables)?;
                match crate::built_in::of(step) {
                    Some(Ok(built_in)) => Ok(self.run_built_in(frame, step, &built_in, used, log)),
                    Some(Err(error)) => Err(JobError::BuiltIn(Box::new(error)).into()),
                    None => self.run_action(frame, used, log),
                }
            }
            _ => Err(StepError::Late { what: "the action" }),
        }
    }

    /// The action that a step uses, with the inputs that the step gives.
    pub(super) fn used(
        &self,
        frame: &Frame<'_, '_>,
        step: &Step,
        variables: Variables,
    ) -> Result<Used, StepError> {
        let Action::Uses {
            reference, with, ..
        } = &step.action
        else {
            return Err(StepError::Late { what: "the action" });
        };
        let workspace = Workspace::of(frame.run);
        let inputs = {
            let contexts = self.contexts(frame, &variables, &workspace);
            let inputs = with.iter();
            inputs
                .map(|(name, text)| Ok((name.clone(), super::evaluate(text, &contexts)?)))
                .collect::<Result<BTreeMap<_, _>, StepError>>()?
        };
        Ok(Used {
            step: step.name.clone(),
            reference: reference.clone(),
            inputs,
            variables,
        })
    }

    /// All variables of a step but those that every step has.
    pub(super) fn step_variables(
        &self,
        frame: &Frame<'_, '_>,
        step: &Step,
    ) -> Result<Variables, StepError> {
        let (Action::Run {
            environment: own, ..
        }
        | Action::Uses {
            environment: own, ..
        }) = &step.action
        else {
            return Err(StepError::Late { what: "the action" });
        };
        let mut variables = frame.variables(self);
        let secrets = self.given.secrets.of(&frame.asker());
        let workspace = Workspace::of(frame.run);
        let contexts = self.contexts(frame, &variables, &workspace);
        let own = own_variables(own, &secrets, &contexts)?;
        drop(contexts);
        variables.extend(own);
        Ok(variables)
    }

    /// Runs the steps of a composite action; the frame has their results then.
    pub(super) fn run_composite(
        &self,
        frame: &mut Frame<'_, '_>,
        steps: &[Step],
        log: &mut Log,
    ) -> Ending {
        let mut whole = Ending::SUCCESS;
        for (place, step) in steps.iter().enumerate() {
            let ran = match self.runs(frame, step) {
                Ok(false) => None,
                Ok(true) => Some(self.perform(&mut frame.of_step(place), step, log)),
                Err(error) => Some(Err(error)),
            };
            let (outcome, outputs, ending) = match ran {
                None => (Conclusion::Skipped, BTreeMap::new(), Ending::SUCCESS),
                Some(Ok(performed)) => {
                    let outcome = conclusion(performed.ending.end);
                    (outcome, performed.outputs, performed.ending)
                }
                Some(Err(error)) => {
                    let reason = log.say_failure(&error);
                    (Conclusion::Failure, BTreeMap::new(), Ending::failed(reason))
                }
            };
            let bad = ending.end != End::Success && !self.ignores(frame, step);
            let well = outcome == Conclusion::Skipped || bad;
            let result = StepResult {
                id: step.name.clone(),
                outcome,
                conclusion: if well { outcome } else { Conclusion::Success },
                outputs,
            };
            frame.steps.get_or_insert_default().push(result);
            if bad && whole.end == End::Success {
                frame.status = Some(outcome);
                whole = ending;
            }
        }
        whole
    }

    /// Whether a step of a composite action runs.
    fn runs(&self, frame: &Frame<'_, '_>, step: &Step) -> Result<bool, StepError> {
        if !step.verdict.runs() {
            return Ok(false);
        }
        let status = frame.status.unwrap_or(Conclusion::Success);
        Ok(match &step.when {
            RunWhen::Status { success, failure } => match status {
                Conclusion::Success => *success,
                Conclusion::Failure => *failure,
                _ => *success && *failure,
            },
            RunWhen::Expression(expression) => {
                let workspace = Workspace::of(frame.run);
                let variables = frame.variables(self);
                let contexts = self.contexts(frame, &variables, &workspace);
                holds(expression, &contexts)?
            }
        })
    }

    fn ignores(&self, frame: &Frame<'_, '_>, step: &Step) -> bool {
        match &step.failure {
            Failure::Ignored(Deferred::Now(ignored)) => *ignored,
            Failure::Ignored(Deferred::Later(expression)) => {
                let workspace = Workspace::of(frame.run);
                let variables = frame.variables(self);
                let contexts = self.contexts(frame, &variables, &workspace);
                holds(expression, &contexts).unwrap_or(false)
            }
            Failure::Fails | Failure::FailsFast => false,
        }
    }
}

fn holds(
    expression: &crate::graph::Expression,
    contexts: &Contexts<'_>,
) -> Result<bool, StepError> {
    condition(expression, contexts).map_err(|source| StepError::Expression {
        expression: expression.expression.clone(),
        source: Box::new(source),
    })
}

fn conclusion(end: End) -> Conclusion {
    match end {
        End::Success => Conclusion::Success,
        End::Failure(_) => Conclusion::Failure,
        End::Cancelled => Conclusion::Cancelled,
    }
}
