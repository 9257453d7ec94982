//! Which stages a build needs, and what each is built on.

use std::collections::BTreeSet;

use sampan_model::nearest;
use sampan_oci::Reference;
use sampan_oci::image::machine_architecture;

use crate::dockerfile::environment::Environment;
use crate::dockerfile::error::{ParseError, SyntaxError};
use crate::dockerfile::expand::Expander;
use crate::dockerfile::instruction::{Instruction, Step};
use crate::dockerfile::mount::Mount;
use crate::dockerfile::{Dockerfile, Span, Stage};
use crate::error::{BuildError, StepError};

/// The stages of a Dockerfile, resolved for one build.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) stages: Vec<PlannedStage>,
    /// The stage whose image is the result.
    pub(crate) target: usize,
    /// The ARGs before the first FROM and those that every build has.
    pub(crate) globals: Environment,
    pub(crate) expander: Expander,
    /// Names that ARG declares anywhere.
    pub(crate) declared: BTreeSet<String>,
}

/// A stage with its base resolved.
#[derive(Debug)]
pub(crate) struct PlannedStage {
    /// Its name, or `stage-N`.
    pub(crate) label: String,
    pub(crate) name: Option<String>,
    pub(crate) base: Base,
    pub(crate) steps: Vec<Step>,
    pub(crate) original: String,
    pub(crate) span: Span,
    /// Whether the target needs it.
    pub(crate) needed: bool,
}

/// What a stage is built on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    Scratch,
    Stage(usize),
    Image(Reference),
}

/// Where the files of a COPY come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Context,
    Stage(usize),
    Image(Reference),
}

impl Plan {
    pub(crate) fn new(
        file: Dockerfile,
        target: Option<&str>,
        args: &[(String, String)],
    ) -> Result<Self, BuildError> {
        let expander = Expander::new(file.escape);
        let mut plan = Self {
            globals: builtin_arguments(target),
            stages: Vec::new(),
            target: 0,
            expander,
            declared: declared(&file),
        };
        plan.take_globals(&file, args)?;
        for stage in file.stages {
            let planned = plan.resolve_stage(stage)?;
            plan.stages.push(planned);
        }
        plan.target = match target {
            None => plan.stages.len() - 1,
            Some(name) => plan
                .find_stage(name)
                .ok_or_else(|| plan.unknown_target(name))?,
        };
        plan.mark_needed()?;
        Ok(plan)
    }

    fn take_globals(
        &mut self,
        file: &Dockerfile,
        args: &[(String, String)],
    ) -> Result<(), BuildError> {
        for (argument, span) in &file.arguments {
            let given = args.iter().rev().find(|(name, _)| *name == argument.name);
            let value = match (given, &argument.default) {
                (Some((_, value)), _) => Some(value.clone()),
                (None, Some(default)) => {
                    let expanded = self.expander.word(default, &self.globals);
                    let original = format!("ARG {}={default}", argument.name);
                    let fail =
                        |cause: _| ParseError::new(*span, &original, SyntaxError::from(cause));
                    Some(expanded.map_err(fail)?)
                }
                (None, None) => None,
            };
            if let Some(value) = value {
                self.globals.set(&argument.name, &value);
            }
        }
        Ok(())
    }

    fn resolve_stage(&self, stage: Stage) -> Result<PlannedStage, ParseError> {
        let fail = |cause: SyntaxError| ParseError::new(stage.span, &stage.original, cause);
        let expand = |text: &str| {
            self.expander
                .word(text, &self.globals)
                .map_err(|cause| fail(SyntaxError::from(cause)))
        };
        let base = expand(&stage.from.base)?;
        if let Some(platform) = &stage.from.platform {
            check_platform(&expand(platform)?).map_err(fail)?;
        }
        let base = match base.as_str() {
            "" => {
                return Err(fail(SyntaxError::BlankBase {
                    written: stage.from.base.clone(),
                }));
            }
            "scratch" => Base::Scratch,
            name => match self
                .stages
                .iter()
                .rposition(|known| known.name.as_deref() == Some(name))
            {
                Some(index) => Base::Stage(index),
                None => Base::Image(
                    name.parse()
                        .map_err(|cause| fail(SyntaxError::Reference(cause)))?,
                ),
            },
        };
        let label = stage.from.name.clone();
        Ok(PlannedStage {
            label: label.unwrap_or_else(|| format!("stage-{}", self.stages.len())),
            name: stage.from.name.clone(),
            base,
            steps: stage.steps,
            original: stage.original.clone(),
            span: stage.span,
            needed: false,
        })
    }

    /// What `--from` of a step in the stage `current` means.
    pub(crate) fn origin(&self, from: &str, current: usize) -> Result<Origin, StepError> {
        if let Ok(index) = from.parse::<usize>() {
            if index < current {
                return Ok(Origin::Stage(index));
            }
            return Err(StepError::StageIndex {
                index,
                stages: current,
            });
        }
        match self.find_stage(from) {
            Some(index) if index < current => Ok(Origin::Stage(index)),
            Some(index) if index == current => Err(StepError::StageItself {
                name: from.to_owned(),
            }),
            Some(_) => Err(StepError::StageLater {
                name: from.to_owned(),
            }),
            None => from
                .parse()
                .map(Origin::Image)
                .map_err(StepError::Reference),
        }
    }

    /// The images that the target is built from, in the order in which they are named.
    pub(crate) fn images(&self) -> Vec<Reference> {
        let mut images = Vec::new();
        for (index, stage) in self.stages.iter().enumerate().filter(|(_, s)| s.needed) {
            if let Base::Image(base) = &stage.base {
                images.push(base.clone());
            }
            for from in stage
                .steps
                .iter()
                .flat_map(|step| sources(&step.instruction))
            {
                if let Ok(Origin::Image(image)) = self.origin(&from, index) {
                    images.push(image);
                }
            }
        }
        let mut seen = BTreeSet::new();
        images.retain(|image| seen.insert(image.familiar()));
        images
    }

    fn find_stage(&self, name: &str) -> Option<usize> {
        let lower = name.to_lowercase();
        let by_name = self
            .stages
            .iter()
            .rposition(|stage| stage.name.as_deref() == Some(&lower));
        by_name.or_else(|| name.parse().ok().filter(|index| *index < self.stages.len()))
    }

    /// The stage whose name is nearly `name`.
    pub(crate) fn nearest_stage(&self, name: &str) -> Option<&str> {
        nearest(
            name,
            self.stages.iter().filter_map(|stage| stage.name.as_deref()),
        )
    }

    fn unknown_target(&self, name: &str) -> BuildError {
        BuildError::UnknownTarget {
            target: name.to_owned(),
            suggestion: self.nearest_stage(name).map(str::to_owned),
            known: self
                .stages
                .iter()
                .map(|stage| stage.label.clone())
                .collect(),
        }
    }

    /// Marks the target and everything that it is built from.
    fn mark_needed(&mut self) -> Result<(), BuildError> {
        let mut pending = vec![self.target];
        while let Some(index) = pending.pop() {
            if std::mem::replace(&mut self.stages[index].needed, true) {
                continue;
            }
            if let Base::Stage(base) = self.stages[index].base {
                pending.push(base);
            }
            for step in &self.stages[index].steps {
                for from in sources(&step.instruction) {
                    let origin = self.origin(&from, index);
                    match origin.map_err(|cause| BuildError::step(step, cause))? {
                        Origin::Stage(stage) => pending.push(stage),
                        Origin::Context | Origin::Image(_) => {}
                    }
                }
            }
        }
        Ok(())
    }
}

/// The stages and images that an instruction takes files from.
fn sources(instruction: &Instruction) -> Vec<String> {
    match instruction {
        Instruction::Copy(transfer) => transfer.from.iter().cloned().collect(),
        Instruction::Run(run) => run
            .mounts
            .iter()
            .filter_map(|text| Mount::source_of(text))
            .collect(),
        _ => Vec::new(),
    }
}

fn declared(file: &Dockerfile) -> BTreeSet<String> {
    let globals = file
        .arguments
        .iter()
        .map(|(argument, _)| argument.name.clone());
    let steps = file.stages.iter().flat_map(|stage| &stage.steps);
    let locals = steps.filter_map(|step| match &step.instruction {
        Instruction::Arg(arguments) => Some(arguments),
        _ => None,
    });
    globals
        .chain(locals.flatten().map(|argument| argument.name.clone()))
        .collect()
}

/// The ARGs that BuildKit declares for every build; a stage sees those that it names.
fn builtin_arguments(target: Option<&str>) -> Environment {
    let architecture = machine_architecture();
    let platform = format!("linux/{architecture}");
    let mut globals = Environment::default();
    for prefix in ["TARGET", "BUILD"] {
        globals.set(&format!("{prefix}PLATFORM"), &platform);
        globals.set(&format!("{prefix}OS"), "linux");
        globals.set(&format!("{prefix}ARCH"), architecture);
        globals.set(&format!("{prefix}VARIANT"), "");
    }
    globals.set("TARGETSTAGE", target.unwrap_or("default"));
    globals
}

/// Images are built for this machine only.
fn check_platform(platform: &str) -> Result<(), SyntaxError> {
    let own = machine_architecture();
    let mut parts = platform.split('/');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    let alias = match second.unwrap_or(first) {
        "x86_64" | "x86-64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let os_only = second.is_none() && first == "linux";
    let matches = os_only || (alias == own && (second.is_none() || first == "linux"));
    if matches {
        return Ok(());
    }
    Err(SyntaxError::Unsupported {
        what: format!("building for `{platform}` on linux/{own}"),
        instead: "build on a machine of that platform, or leave `--platform` out",
    })
}
