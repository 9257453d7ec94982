//! One stage: its steps in order, each expanded, looked up, and done when nothing is known of it.

pub(crate) mod command;
mod copy;
mod metadata;
mod mounts;

use sampan_oci::Digest;
use sampan_oci::layer::Layer;

use crate::cache::Made;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::environment::Environment;
use crate::dockerfile::error::SyntaxError;
use crate::dockerfile::instruction::{Instruction, Step};
use crate::draft::Draft;
use crate::error::{BuildError, StepError};
use crate::event::Outcome;
use crate::plan::{Base, Plan};
use crate::session::{Session, Started};

/// A stage that is built, with what those on it take over.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    pub(crate) draft: Draft,
    environment: Environment,
    arguments: Vec<String>,
}

/// A stage while it is built.
pub(crate) struct StageBuilder<'session, 'build> {
    session: &'session mut Session<'build>,
    plan: &'session Plan,
    index: usize,
    draft: Draft,
    /// What expansions and commands see: the image's environment and the ARGs so far.
    environment: Environment,
    /// The names of the ARGs so far.
    arguments: Vec<String>,
    /// Whether this stage has a CMD of its own, which a later ENTRYPOINT leaves alone.
    has_cmd: bool,
    position: usize,
    total: usize,
}

impl<'session, 'build> StageBuilder<'session, 'build> {
    /// Builds a stage; those that it needs are finished.
    pub(crate) fn build(
        session: &'session mut Session<'build>,
        plan: &'session Plan,
        index: usize,
    ) -> Result<Finished, BuildError> {
        let stage = &plan.stages[index];
        let visible = stage
            .steps
            .iter()
            .filter(|step| is_visible(&step.instruction))
            .count();
        let from_image = usize::from(matches!(stage.base, Base::Image(_)));
        let mut builder = StageBuilder {
            session,
            plan,
            index,
            draft: Draft::scratch(),
            environment: Environment::default(),
            arguments: Vec::new(),
            has_cmd: false,
            position: 0,
            total: visible + from_image,
        };
        let triggers = builder.begin()?;
        for step in triggers.iter().chain(&stage.steps) {
            builder.step(step)?;
        }
        Ok(Finished {
            draft: builder.draft,
            environment: builder.environment,
            arguments: builder.arguments,
        })
    }

    /// Takes over the base and gives the steps that its ONBUILD instructions ask for.
    fn begin(&mut self) -> Result<Vec<Step>, BuildError> {
        let stage = &self.plan.stages[self.index];
        let base = self.base(&stage.base);
        if let Ok(base) = base.as_ref() {
            self.draft.clone_from(base);
        }
        self.inherit(&stage.base);
        let triggers = std::mem::take(&mut self.draft.triggers);
        let parse = |text: &String| Dockerfile::parse_trigger(text, stage.span);
        let steps = triggers.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        self.total += steps
            .iter()
            .filter(|step| is_visible(&step.instruction))
            .count();
        if let Base::Image(reference) = &stage.base {
            let started = self.start(&format!("FROM {}", reference.familiar()));
            let base = self.session.progress.fail_on_error(started, base);
            base.map_err(|cause| BuildError::at(stage.span, &stage.original, cause))?;
            self.session.progress.finish(started, Outcome::Cached);
        }
        Ok(steps)
    }

    /// Takes over what expansions see: the environment of the image, and below it the ARGs of the
    /// stage that this one is built on.
    fn inherit(&mut self, base: &Base) {
        if let Base::Stage(index) = base
            && let Some(parent) = &self.session.finished[*index]
        {
            self.environment = parent.environment.clone();
            self.arguments.clone_from(&parent.arguments);
        }
        for (name, value) in self.draft.environment.iter() {
            self.environment.set(name, value);
        }
    }

    fn base(&self, base: &Base) -> Result<Draft, StepError> {
        match base {
            Base::Scratch => Ok(Draft::scratch()),
            Base::Stage(index) => {
                let stage = self.session.finished[*index].as_ref();
                Ok(stage
                    .expect("a needed stage is built before those on it")
                    .draft
                    .clone())
            }
            Base::Image(reference) => {
                let image = self.session.image(reference, self.plan)?;
                Ok(Draft::from_image(self.session.store, &image)?)
            }
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), BuildError> {
        if self.session.interrupt.is_triggered() {
            return Err(BuildError::step(step, StepError::Interrupted));
        }
        let result = match &step.instruction {
            Instruction::Run(run) => self.run(step, run),
            Instruction::Copy(transfer) => self.copy(step, transfer, false),
            Instruction::Add(transfer) => self.copy(step, transfer, true),
            Instruction::Workdir(path) => self.workdir(step, path),
            other => {
                return self
                    .metadata(other)
                    .map_err(|cause| BuildError::step(step, cause));
            }
        };
        result.map_err(|failure| match failure {
            Failure::Step(cause) => BuildError::step(step, *cause),
            Failure::Build(error) => *error,
        })
    }

    /// Reports the beginning of a step.
    fn start(&mut self, instruction: &str) -> Started {
        self.position += 1;
        let label = match self.plan.stages.len() {
            1 => String::new(),
            _ => format!("{} ", self.plan.stages[self.index].label),
        };
        let name = format!("[{label}{}/{}] {instruction}", self.position, self.total);
        self.session.progress.start(name)
    }

    /// The chain id below the next layer, as text.
    fn parent(&self) -> String {
        self.draft
            .chain_id()
            .map(|id| id.to_string())
            .unwrap_or_default()
    }

    /// What the cache holds for `key`, unless it is not to be used.
    fn cached(&self, key: &Digest) -> Option<Made> {
        if self.session.request.no_cache {
            None
        } else {
            self.session.cache.get(key)
        }
    }

    /// Adds the result of a step to the image.
    fn commit(
        &mut self,
        started: Started,
        outcome: Outcome,
        created_by: String,
        layer: Option<Layer>,
    ) {
        self.draft
            .commit(created_by, layer, self.session.request.epoch);
        self.session.progress.finish(started, outcome);
    }

    fn expand(&self, text: &str) -> Result<String, StepError> {
        let expanded = self.plan.expander.word(text, &self.environment);
        expanded.map_err(|cause| SyntaxError::from(cause).into())
    }
}

/// Whether people see the instruction as a step: it can make a layer.
fn is_visible(instruction: &Instruction) -> bool {
    use Instruction::{Add, Copy, Run, Workdir};
    matches!(instruction, Add(_) | Copy(_) | Run(_) | Workdir(_))
}

/// Why a step ended: itself, or what all steps share.
pub(crate) enum Failure {
    Step(Box<StepError>),
    Build(Box<BuildError>),
}

impl<E: Into<StepError>> From<E> for Failure {
    fn from(cause: E) -> Self {
        Self::Step(Box::new(cause.into()))
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        Self::Build(Box::new(error))
    }
}
