//! `action.yml`: what an action takes and does.

use sampan_model::yaml::{Location, Node};

use super::field::{self, Texts};
use super::step::{self, Place, Step};
use super::{scope, single_document};
use crate::PipelineError;
use crate::graph::{Expression, Text};
use crate::read::Fields;

/// An action.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// The name for people.
    pub name: String,
    /// What it takes.
    pub inputs: Vec<ActionInput>,
    /// What it gives; the values are those of composite actions, others set them by themselves.
    pub outputs: Vec<(String, Option<Text>)>,
    /// What it does.
    pub runs: Runs,
}

/// An input of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionInput {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub location: Location,
    /// Whether it must be given.
    pub required: bool,
    /// What it is when it is not given.
    pub default: Option<Text>,
    /// Why it should not be given any more.
    pub deprecation: Option<String>,
}

/// What an action does.
#[derive(Debug, Clone, PartialEq)]
pub enum Runs {
    /// It runs steps.
    Composite {
        /// The steps.
        steps: Vec<Step>,
    },
    /// It runs a container.
    Container(Box<ContainerAction>),
    /// It runs a program of Node.js.
    Node {
        /// The version: `node20`.
        version: String,
        /// The program, from the action's folder.
        main: String,
        /// What runs when the job begins.
        pre: Option<Hook>,
        /// What runs when the job ends.
        post: Option<Hook>,
    },
}

/// An action that is a container.
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerAction {
    /// `docker://IMAGE`, or a Dockerfile from the action's folder.
    pub image: String,
    /// Replaces the image's entry point.
    pub entrypoint: Option<String>,
    /// The arguments.
    pub args: Vec<Text>,
    /// The environment.
    pub env: Texts,
    /// What runs when the job begins.
    pub pre: Option<Hook>,
    /// What runs when the job ends.
    pub post: Option<Hook>,
}

/// What an action runs before or after the steps of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// The program or entry point.
    pub program: String,
    /// When it runs; always without one.
    pub condition: Option<Expression>,
}

impl Action {
    /// Reads an `action.yml`.
    ///
    /// # Errors
    /// [`PipelineError`] with what is wrong.
    pub fn parse(file: &str, text: &str) -> Result<Self, PipelineError> {
        let node = single_document(file, text)?;
        let fields = Fields::of(&node, "the action")?;
        let name = fields.read_or_default("name", field::plain)?;
        for key in ["description", "author"] {
            fields.read(key, field::plain)?;
        }
        let branding = |node: &Node, what: &str| {
            let fields = Fields::of(node, what)?;
            fields.read("icon", field::plain)?;
            fields.read("color", field::plain)?;
            fields.finish()
        };
        fields.read("branding", branding)?;
        let inputs = fields.read_or_default("inputs", inputs)?;
        let runs = fields.require("runs", runs)?;
        let outputs = fields.read_or_default("outputs", outputs)?;
        // Other keys are not looked at by GitHub either: actions are published with keys for other programs.
        Ok(Self {
            name,
            inputs,
            outputs,
            runs,
        })
    }

    /// The action of a folder in which there is only a Dockerfile.
    #[must_use]
    pub fn of_dockerfile(dockerfile: &str) -> Self {
        Self {
            name: String::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            runs: Runs::Container(Box::new(ContainerAction {
                image: dockerfile.to_owned(),
                entrypoint: None,
                args: Vec::new(),
                env: Texts::default(),
                pre: None,
                post: None,
            })),
        }
    }

    /// The input of a name, which may be written in any case.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&ActionInput> {
        self.inputs
            .iter()
            .find(|input| input.name.eq_ignore_ascii_case(name))
    }
}

fn inputs(node: &Node, what: &str) -> Result<Vec<ActionInput>, PipelineError> {
    let entries = Fields::of(node, what)?.entries();
    entries
        .iter()
        .map(|(key, node)| {
            let fields = Fields::of(node, format!("the input `{}`", key.name))?;
            Ok(ActionInput {
                name: key.name.clone(),
                location: key.location.clone(),
                required: fields.read_or_default("required", required)?,
                default: fields.read("default", |node, what| {
                    field::text(node, what, &scope::ACTION_INPUT)
                })?,
                deprecation: fields.read("deprecationMessage", field::plain)?,
            })
        })
        .collect()
}

/// Actions are published with all that YAML 1.1 takes for `true` and `false`.
fn required(node: &Node, what: &str) -> Result<bool, PipelineError> {
    match field::plain(node, what)?.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => Ok(true),
        "false" | "no" | "off" | "n" => Ok(false),
        _ => Err(crate::read::wrong_type(node, what, "`true` or `false`")),
    }
}

fn outputs(node: &Node, what: &str) -> Result<Vec<(String, Option<Text>)>, PipelineError> {
    let entries = Fields::of(node, what)?.entries();
    entries
        .iter()
        .map(|(key, node)| {
            let fields = Fields::of(node, format!("the output `{}`", key.name))?;
            let value = fields.read("value", |node, what| {
                field::text(node, what, &scope::COMPOSITE)
            })?;
            Ok((key.name.clone(), value))
        })
        .collect()
}

fn runs(node: &Node, what: &str) -> Result<Runs, PipelineError> {
    let fields = Fields::of(node, what)?;
    let using = fields.require("using", field::plain)?;
    let runs = match &*using.to_ascii_lowercase() {
        "composite" => Runs::Composite {
            steps: fields.require("steps", |node, what| {
                step::steps(node, what, Place::Composite)
            })?,
        },
        "docker" => Runs::Container(Box::new(container(&fields)?)),
        version if version.starts_with("node") => Runs::Node {
            version: version.to_owned(),
            main: fields.require("main", field::plain)?,
            pre: hook(&fields, "pre", "pre-if")?,
            post: hook(&fields, "post", "post-if")?,
        },
        _ => {
            return Err(PipelineError::InvalidValue {
                location: node.location.clone(),
                what: "kind of action".to_owned(),
                value: using,
                hint: Some("`using` is composite, docker, node20 or node24".to_owned()),
            });
        }
    };
    fields.finish()?;
    Ok(runs)
}

fn container(fields: &Fields<'_>) -> Result<ContainerAction, PipelineError> {
    Ok(ContainerAction {
        image: fields.require("image", field::plain)?,
        entrypoint: fields.read("entrypoint", field::plain)?,
        args: fields.read_or_default("args", |node, what| {
            field::texts(node, what, &scope::CONTAINER_ACTION)
        })?,
        env: fields.read_or_default("env", |node, what| {
            field::text_map(node, what, &scope::CONTAINER_ACTION)
        })?,
        pre: hook(fields, "pre-entrypoint", "pre-if")?,
        post: hook(fields, "post-entrypoint", "post-if")?,
    })
}

fn hook(
    fields: &Fields<'_>,
    program: &'static str,
    condition: &'static str,
) -> Result<Option<Hook>, PipelineError> {
    let program = fields.read(program, field::plain)?;
    let condition = fields.read(condition, |node, what| {
        field::condition(node, what, &scope::COMPOSITE_IF)
    })?;
    Ok(program.map(|program| Hook { program, condition }))
}
