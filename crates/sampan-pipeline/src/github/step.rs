//! Steps of jobs and of composite actions.

use sampan_model::yaml::{Content, Location, Node};

use super::field::{self, Texts};
use super::problems::Problems;
use super::{input, is_id, scope};
use crate::PipelineError;
use crate::expression::Scope;
use crate::graph::{Deferred, Expression, Text};
use crate::read::{Fields, list, wrong_type};

/// A step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Where it is described.
    pub location: Location,
    /// The name by which others refer to its outputs.
    pub id: Option<String>,
    /// The name for people.
    pub name: Option<Text>,
    /// When it runs; without one, when all is well so far.
    pub condition: Option<Expression>,
    /// The environment beyond that of the job.
    pub env: Texts,
    /// Whether a failure leaves the job well.
    pub continue_on_error: Deferred<bool>,
    /// When it is ended by force, in minutes.
    pub timeout_minutes: Option<Deferred<f64>>,
    /// Whether the job goes on while it runs.
    pub background: bool,
    /// What it does.
    pub does: Does,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Does {
    /// It runs a script.
    Run {
        /// The script.
        script: Text,
        /// The shell; that of the job without one.
        shell: Option<Text>,
        /// The folder in which it begins.
        working_directory: Option<Text>,
    },
    /// It runs an action.
    Uses {
        /// The action.
        uses: Uses,
        /// Its inputs.
        with: Texts,
    },
    /// It waits for steps in the background, by their ids.
    Wait(Vec<String>),
    /// It waits for all steps in the background.
    WaitAll,
    /// It ends a step in the background, by its id.
    Cancel(String),
    /// It runs steps at once, and waits for all of them.
    Parallel(Vec<Step>),
}

/// Which action a step names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Uses {
    /// A folder of the source tree.
    Local {
        /// Its path, as written: `./.github/actions/setup`; `$/` in front means the source tree as well.
        path: String,
    },
    /// A folder of a repository.
    Repository {
        /// The user or group.
        owner: String,
        /// The repository.
        repository: String,
        /// The folder in it; empty for its root.
        path: String,
        /// The tag, branch or commit.
        version: String,
    },
    /// An image.
    Image {
        /// The image without `docker://`.
        image: String,
    },
}

impl Uses {
    /// Reads what stands behind `uses` of a step.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence without a full stop.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const FORMS: &str = "write `OWNER/REPOSITORY[/PATH]@VERSION`, `./PATH` or `docker://IMAGE`";
        if let Some(image) = text.strip_prefix("docker://") {
            let image = image.to_owned();
            return if image.is_empty() {
                Err(FORMS)
            } else {
                Ok(Self::Image { image })
            };
        }
        if text == "."
            || ["./", ".\\", "$/"]
                .iter()
                .any(|start| text.starts_with(start))
        {
            if text.split(['/', '\\']).any(|part| part == "..") {
                return Err("the path must stay within the source tree");
            }
            return Ok(Self::Local {
                path: text.to_owned(),
            });
        }
        let Some((name, version)) = text.split_once('@') else {
            return Err(FORMS);
        };
        let mut parts = name.splitn(3, '/');
        let (owner, repository) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        if owner.is_empty() || repository.is_empty() || version.is_empty() {
            return Err(FORMS);
        }
        let path = parts.next().unwrap_or("").trim_matches('/');
        if path.split('/').any(|part| part == "..") {
            return Err("the path must stay within the repository");
        }
        Ok(Self::Repository {
            owner: owner.to_owned(),
            repository: repository.to_owned(),
            path: path.to_owned(),
            version: version.to_owned(),
        })
    }
}

impl std::fmt::Display for Uses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Local { path } => f.write_str(path),
            Self::Image { image } => write!(f, "docker://{image}"),
            Self::Repository {
                owner,
                repository,
                path,
                version,
            } => {
                write!(f, "{owner}/{repository}")?;
                if !path.is_empty() {
                    write!(f, "/{path}")?;
                }
                write!(f, "@{version}")
            }
        }
    }
}

/// What a list of steps belongs to, which decides what may be named in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Job,
    Composite,
}

impl Place {
    fn scope(self) -> &'static Scope<'static> {
        match self {
            Self::Job => &scope::STEP,
            Self::Composite => &scope::COMPOSITE,
        }
    }

    fn condition_scope(self) -> &'static Scope<'static> {
        match self {
            Self::Job => &scope::STEP_IF,
            Self::Composite => &scope::COMPOSITE_IF,
        }
    }
}

/// How many steps a list may have.
const LIMIT_STEPS: usize = 1_000;

pub(super) fn steps(node: &Node, what: &str, place: Place) -> Result<Vec<Step>, PipelineError> {
    let items = list(node, what)?;
    if items.len() > LIMIT_STEPS {
        return Err(PipelineError::TooMany {
            location: node.location.clone(),
            what: "steps",
            count: items.len(),
            limit: LIMIT_STEPS,
        });
    }
    let mut problems = Problems::default();
    let steps: Vec<Step> = items
        .iter()
        .enumerate()
        .filter_map(|(index, item)| problems.keep(step(item, index, place).map(Some)))
        .collect();
    for (index, step) in steps.iter().enumerate() {
        let Some(id) = &step.id else { continue };
        let same = |other: &Step| {
            other
                .id
                .as_ref()
                .is_some_and(|other| other.eq_ignore_ascii_case(id))
        };
        if steps[..index].iter().any(same) {
            problems.note(PipelineError::RepeatedName {
                location: step.location.clone(),
                what: "steps",
                name: id.clone(),
            });
        }
    }
    problems.none_or(steps)
}

fn step(node: &Node, index: usize, place: Place) -> Result<Step, PipelineError> {
    if !matches!(node.content, Content::Mapping(_)) {
        return Err(wrong_type(node, "a step", "a mapping"));
    }
    let name = node.get("name").or_else(|| node.get("id"));
    let within = match name.and_then(Node::as_str) {
        Some(name) => format!("the step `{}`", sampan_model::shortened(name, 60)),
        None => format!("step {}", index + 1),
    };
    let fields = Fields::of(node, within)?;
    let scope = place.scope();
    let mut step = Step {
        location: node.location.clone(),
        id: None,
        name: None,
        condition: None,
        env: Texts::default(),
        continue_on_error: Deferred::Now(false),
        timeout_minutes: None,
        background: false,
        does: Does::WaitAll,
    };
    if place == Place::Job
        && let Some(steps) = fields.read("parallel", parallel)?
    {
        fields.finish()?;
        step.does = Does::Parallel(steps);
        return Ok(step);
    }
    step.id = fields.read("id", id)?;
    step.name = fields.read("name", |node, what| field::text(node, what, scope))?;
    step.continue_on_error = fields.read_or_default("continue-on-error", |node, what| {
        field::boolean(node, what, scope)
    })?;
    if place == Place::Job
        && let Some(does) = waits(&fields)?
    {
        fields.finish()?;
        step.does = does;
        return Ok(step);
    }
    step.condition = fields.read("if", |node, what| {
        field::condition(node, what, place.condition_scope())
    })?;
    step.env = fields.read_or_default("env", |node, what| field::text_map(node, what, scope))?;
    if place == Place::Job {
        step.timeout_minutes = fields.read("timeout-minutes", |node, what| {
            field::number(node, what, scope)
        })?;
        step.background = fields.read_or_default("background", input::flag)?;
    }
    step.does = does(&fields, place)?;
    fields.finish()?;
    Ok(step)
}

/// Steps that run at once. Waiting and further groups within would have no meaning.
fn parallel(node: &Node, what: &str) -> Result<Vec<Step>, PipelineError> {
    let mut steps = Vec::new();
    for (index, node) in list(node, what)?.iter().enumerate() {
        if node.get("parallel").is_some() {
            return Err(PipelineError::InvalidValue {
                location: node.location.clone(),
                what: format!("step of {what}"),
                value: "parallel".to_owned(),
                hint: Some("put all steps into one list".to_owned()),
            });
        }
        steps.push(step(node, index, Place::Job)?);
    }
    Ok(steps)
}

/// A step that only has to do with steps in the background.
fn waits(fields: &Fields<'_>) -> Result<Option<Does>, PipelineError> {
    if let Some(ids) = fields.read("wait", field::plain_list)? {
        return Ok(Some(Does::Wait(ids)));
    }
    if let Some(id) = fields.read("cancel", field::plain)? {
        return Ok(Some(Does::Cancel(id)));
    }
    // `wait-all:` has no value as a rule.
    fields.get("wait-all");
    let there = fields
        .entries()
        .iter()
        .any(|(key, _)| key.name == "wait-all");
    Ok(there.then_some(Does::WaitAll))
}

fn id(node: &Node, what: &str) -> Result<String, PipelineError> {
    let id = field::plain(node, what)?;
    if is_id(&id) {
        return Ok(id);
    }
    Err(PipelineError::InvalidValue {
        location: node.location.clone(),
        what: "id of a step".to_owned(),
        value: id,
        hint: Some(
            "it begins with a letter or `_`, and has letters, digits, `-` and `_`".to_owned(),
        ),
    })
}

fn does(fields: &Fields<'_>, place: Place) -> Result<Does, PipelineError> {
    let scope = place.scope();
    let text = |node: &Node, what: &str| field::text(node, what, scope);
    if let Some(node) = fields.get("uses") {
        if fields.get("run").is_some() {
            return Err(PipelineError::InvalidValue {
                location: node.location.clone(),
                what: "key beside `run`".to_owned(),
                value: "uses".to_owned(),
                hint: Some("make two steps of it".to_owned()),
            });
        }
        let written = field::plain(node, "`uses`")?;
        let uses = Uses::parse(&written).map_err(|hint| PipelineError::InvalidValue {
            location: node.location.clone(),
            what: "action".to_owned(),
            value: written,
            hint: Some(hint.to_owned()),
        })?;
        let with =
            fields.read_or_default("with", |node, what| field::text_map(node, what, scope))?;
        return Ok(Does::Uses { uses, with });
    }
    let script = fields.require("run", text)?;
    let shell = match place {
        Place::Job => fields.read("shell", text)?,
        Place::Composite => Some(fields.require("shell", text)?),
    };
    Ok(Does::Run {
        script,
        shell,
        working_directory: fields.read("working-directory", text)?,
    })
}
