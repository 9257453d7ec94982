//! From steps of jobs and actions to steps of the graph.

use std::collections::{BTreeMap, BTreeSet};

use super::super::action::{Action as ActionFile, Runs};
use super::super::field::Texts;
use super::super::job::{self, Body};
use super::super::known::Known;
use super::super::step::{Does, Step as Written};
use super::stage::{duration, each, known_text, value};
use super::{judge_condition, stage};
use crate::PipelineError;
use crate::graph::{Action, Deferred, EnvironmentValue, Failure, Role, Shell, Step, Text, Verdict};

/// How scripts are run where a step says nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Defaults {
    shell: Option<Text>,
    working_directory: Option<Text>,
}

impl Defaults {
    /// What the workflow says under what the job says.
    pub(super) fn of(workflow: &job::Defaults, job: &job::Defaults, known: &Known) -> Self {
        let pick = |job: &Option<Text>, workflow: &Option<Text>| {
            let text = job.as_ref().or(workflow.as_ref());
            text.map(|text| known_text(text, known))
        };
        Self {
            shell: pick(&job.shell, &workflow.shell),
            working_directory: pick(&job.working_directory, &workflow.working_directory),
        }
    }
}

/// The steps of a job; services stand before them.
pub(super) fn of_job(
    body: &Body,
    defaults: &Defaults,
    environment: &BTreeMap<String, EnvironmentValue>,
    services: &[Step],
    known: &Known,
) -> Result<Vec<Step>, PipelineError> {
    let services: Vec<String> = services.iter().map(|step| step.name.clone()).collect();
    let mut list = List {
        defaults,
        environment,
        known,
        taken: services.iter().cloned().collect(),
        steps: Vec::new(),
        before: services,
        background: Vec::new(),
    };
    list.all(&body.steps)?;
    Ok(list.steps)
}

/// The steps of a composite action, which share the containers of the job that uses it.
///
/// # Errors
/// [`PipelineError`] when a step asks for what Sampan does not do.
pub fn composite(action: &ActionFile) -> Result<Vec<Step>, PipelineError> {
    let Runs::Composite { steps } = &action.runs else {
        return Ok(Vec::new());
    };
    let known = Known {
        is_open: true,
        ..Known::default()
    };
    let mut list = List {
        defaults: &Defaults::default(),
        environment: &BTreeMap::new(),
        known: &known,
        taken: BTreeSet::new(),
        steps: Vec::new(),
        before: Vec::new(),
        background: Vec::new(),
    };
    list.all(steps)?;
    Ok(list.steps)
}

/// Steps that are put into their order.
struct List<'a> {
    defaults: &'a Defaults,
    environment: &'a BTreeMap<String, EnvironmentValue>,
    known: &'a Known,
    /// Names that others have.
    taken: BTreeSet<String>,
    steps: Vec<Step>,
    /// What the next step waits for.
    before: Vec<String>,
    /// Steps that run in the background and that nobody has waited for.
    background: Vec<String>,
}

impl List<'_> {
    fn all(&mut self, steps: &[Written]) -> Result<(), PipelineError> {
        for step in steps {
            if let Some(id) = &step.id
                && !self.taken.insert(id.clone())
            {
                return Err(PipelineError::RepeatedName {
                    location: step.location.clone(),
                    what: "steps and services",
                    name: id.clone(),
                });
            }
        }
        for step in steps {
            self.one(step)?;
        }
        Ok(())
    }

    fn one(&mut self, written: &Written) -> Result<(), PipelineError> {
        match &written.does {
            Does::Wait(ids) => {
                for id in ids {
                    self.wait(id, written)?;
                }
            }
            Does::WaitAll => self.before.append(&mut self.background),
            Does::Cancel(_) => {
                return Err(PipelineError::Unsupported {
                    location: written.location.clone(),
                    what: "`cancel` of a step in the background".to_owned(),
                    hint: Some("such a step ends with the job".to_owned()),
                });
            }
            Does::Parallel(steps) => {
                let mut ends = Vec::new();
                for written in steps {
                    let step = self.step(written)?;
                    if written.background {
                        self.background.push(step.name.clone());
                    } else {
                        ends.push(step.name.clone());
                    }
                    self.steps.push(step);
                }
                self.before = ends;
            }
            Does::Run { .. } | Does::Uses { .. } => {
                let step = self.step(written)?;
                if written.background {
                    self.background.push(step.name.clone());
                } else {
                    self.before = vec![step.name.clone()];
                }
                self.steps.push(step);
            }
        }
        Ok(())
    }

    fn wait(&mut self, id: &str, written: &Written) -> Result<(), PipelineError> {
        let Some(place) = self.background.iter().position(|name| name == id) else {
            return Err(PipelineError::UnknownNeed {
                location: written.location.clone(),
                name: "wait".to_owned(),
                need: id.to_owned(),
                nearest: sampan_model::nearest(id, self.background.iter().map(String::as_str))
                    .map(str::to_owned),
            });
        };
        self.before.push(self.background.remove(place));
        Ok(())
    }

    /// The name of a step: its id, or its number where it has none.
    fn name(&mut self, written: &Written) -> String {
        if let Some(id) = &written.id {
            return id.clone();
        }
        let mut number = self.steps.len() + 1;
        while self.taken.contains(&format!("step-{number}")) {
            number += 1;
        }
        let name = format!("step-{number}");
        self.taken.insert(name.clone());
        name
    }

    fn step(&mut self, written: &Written) -> Result<Step, PipelineError> {
        let mut verdict = Verdict::default();
        let when = judge_condition(written.condition.as_ref(), self.known, &mut verdict);
        let title = written.name.clone().or_else(|| title(&written.does));
        let own = stage::each(&written.env, "`env`")?;
        let own: BTreeMap<String, EnvironmentValue> = own
            .iter()
            .map(|(name, text)| (name.clone(), value(text)))
            .collect();
        Ok(Step {
            name: self.name(written),
            title,
            location: written.location.clone(),
            role: Role::Step,
            needs: self.before.clone(),
            verdict,
            when,
            failure: if written.continue_on_error.is_false() {
                Failure::Fails
            } else {
                Failure::Ignored(written.continue_on_error.clone())
            },
            detached: false,
            container: None,
            action: self.action(&written.does, own)?,
            environment: self.environment.clone(),
            timeout: written.timeout_minutes.as_ref().map(duration),
        })
    }

    fn action(
        &self,
        does: &Does,
        environment: BTreeMap<String, EnvironmentValue>,
    ) -> Result<Action, PipelineError> {
        let or =
            |own: &Option<Text>, default: &Option<Text>| own.clone().or_else(|| default.clone());
        Ok(match does {
            Does::Uses { uses, with } => Action::Uses {
                reference: uses.to_string(),
                with: inputs(with)?,
                environment,
            },
            Does::Run {
                script,
                shell,
                working_directory,
            } => Action::Run {
                script: script.clone(),
                shell: or(shell, &self.defaults.shell).map(|command| Shell { command }),
                working_directory: or(working_directory, &self.defaults.working_directory),
                environment,
            },
            // These are no steps of the graph.
            Does::Wait(_) | Does::WaitAll | Does::Cancel(_) | Does::Parallel(_) => Action::Run {
                script: Text::default(),
                shell: None,
                working_directory: None,
                environment,
            },
        })
    }
}

fn inputs(with: &Texts) -> Result<BTreeMap<String, Text>, PipelineError> {
    Ok(each(with, "`with`")?.iter().cloned().collect())
}

/// What a step without a name is called: `Run` and its first line, or its action.
fn title(does: &Does) -> Option<Text> {
    let text = match does {
        Does::Run { script, .. } => match script {
            Deferred::Now(script) => script.trim().lines().next()?.to_owned(),
            Deferred::Later(later) => later.expression.trim().lines().next()?.to_owned(),
        },
        Does::Uses { uses, .. } => uses.to_string(),
        _ => return None,
    };
    Some(Text::Now(format!(
        "Run {}",
        sampan_model::shortened(&text, 80)
    )))
}
