//! Jobs.

use sampan_model::yaml::{Content, Key, Location, Node};

use super::container::{self, Container, Service};
use super::field::{self, Texts};
use super::permissions::{self, Permissions};
use super::problems::Problems;
use super::step::{self, Place, Step};
use super::strategy::{self, Strategy};
use super::{is_id, scope};
use crate::PipelineError;
use crate::expression::Scope;
use crate::graph::{Deferred, Expression, Text};
use crate::read::Fields;

/// A job of a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The name by which others refer to it.
    pub id: String,
    /// Where it is described.
    pub location: Location,
    /// The name for people.
    pub name: Option<Text>,
    /// The jobs that must end before, with the place where it says so.
    pub needs: Vec<(String, Location)>,
    /// When it runs; without one, when all that it needs went well.
    pub condition: Option<Expression>,
    /// How it is multiplied.
    pub strategy: Option<Strategy>,
    /// What the run's token may do.
    pub permissions: Option<Permissions>,
    /// Which runs exclude each other.
    pub concurrency: Option<Concurrency>,
    /// What it does.
    pub kind: Kind,
    /// The job as it stands in the file.
    pub(super) node: Node,
}

impl Job {
    /// The job as it stands in the file, as one of its variants: with nothing that says that there are several.
    pub(super) fn without_strategy(&self) -> Node {
        let content = match &self.node.content {
            Content::Mapping(entries) => Content::Mapping(
                entries
                    .iter()
                    .filter(|(key, _)| key.name != "strategy")
                    .cloned()
                    .collect(),
            ),
            other => other.clone(),
        };
        Node {
            location: self.node.location.clone(),
            content,
        }
    }
}

/// What a job does.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// It runs steps.
    Steps(Box<Body>),
    /// It calls another workflow.
    Call(Called),
}

impl Default for Kind {
    fn default() -> Self {
        Self::Steps(Box::default())
    }
}

/// A job that runs steps.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Body {
    /// What it asks of the machine.
    pub runs_on: RunsOn,
    /// The container in which the steps run.
    pub container: Option<Container>,
    /// Containers that serve the steps.
    pub services: Vec<Service>,
    /// The environment of all steps.
    pub env: Texts,
    /// What it delivers to.
    pub environment: Option<Environment>,
    /// Values for the jobs that need it.
    pub outputs: Texts,
    /// How scripts are run where a step says nothing.
    pub defaults: Defaults,
    /// When it is ended by force, in minutes.
    pub timeout_minutes: Option<Deferred<f64>>,
    /// Whether a failure leaves the run well.
    pub continue_on_error: Deferred<bool>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// A call of another workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Called {
    /// The workflow as written.
    pub workflow: String,
    /// Where it is named.
    pub location: Location,
    /// Its inputs.
    pub with: Texts,
    /// Its secrets.
    pub secrets: CalledSecrets,
}

/// Which secrets a called workflow gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CalledSecrets {
    /// All that the caller has.
    Inherit,
    /// Those that are named.
    Each(Texts),
}

/// What a job asks of the machine that runs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunsOn {
    /// Labels that the machine must have.
    pub labels: Vec<Text>,
    /// The group to which it must belong.
    pub group: Option<Text>,
}

/// How scripts are run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// The shell.
    pub shell: Option<Text>,
    /// The folder in which they begin.
    pub working_directory: Option<Text>,
}

/// Which runs exclude each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concurrency {
    /// Where it stands.
    pub location: Location,
    /// Those of one group do.
    pub group: Text,
    /// Whether a new run cancels those that still run.
    pub cancels: Deferred<bool>,
    /// Whether all runs wait for their turn, not only the newest.
    pub queues_all: bool,
}

/// What a job delivers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: Text,
    /// The address at which users find what was delivered.
    pub url: Option<Text>,
}

/// Reads a job.
pub(super) fn read(key: &Key, node: &Node) -> Result<Job, PipelineError> {
    if !is_id(&key.name) {
        return Err(PipelineError::InvalidValue {
            location: key.location.clone(),
            what: "id of a job".to_owned(),
            value: key.name.clone(),
            hint: Some(
                "it begins with a letter or `_`, and has letters, digits, `-` and `_`".to_owned(),
            ),
        });
    }
    let fields = Fields::of(node, format!("the job `{}`", key.name))?;
    let mut problems = Problems::default();
    let job = Job {
        id: key.name.clone(),
        location: key.location.clone(),
        name: problems.keep(fields.read("name", |node, what| field::text(node, what, &scope::JOB))),
        needs: problems.keep(fields.read_or_default("needs", needs)),
        condition: problems.keep(fields.read("if", |node, what| {
            field::condition(node, what, &scope::JOB_IF)
        })),
        strategy: problems.keep(fields.read("strategy", strategy::read)),
        permissions: problems.keep(fields.read("permissions", permissions::read)),
        concurrency: problems.keep(fields.read("concurrency", |node, what| {
            self::concurrency(node, what, &scope::JOB)
        })),
        kind: match fields.get("uses") {
            Some(uses) => {
                let call = called(&fields, uses).map(Some);
                problems.keep(call).map_or_else(Kind::default, Kind::Call)
            }
            None => Kind::Steps(Box::new(body(&fields, &mut problems))),
        },
        node: node.clone(),
    };
    problems.keep(fields.finish());
    problems.none_or(job)
}

fn needs(node: &Node, what: &str) -> Result<Vec<(String, Location)>, PipelineError> {
    match &node.content {
        Content::Sequence(items) => items
            .iter()
            .map(|item| Ok((field::plain(item, what)?, item.location.clone())))
            .collect(),
        _ => Ok(vec![(field::plain(node, what)?, node.location.clone())]),
    }
}

fn called(fields: &Fields<'_>, uses: &Node) -> Result<Called, PipelineError> {
    let workflow = field::plain(uses, "`uses`")?;
    // Both mean the source tree: Sampan runs what lies in it, so that there is no other commit.
    let local = workflow.starts_with("./") || workflow.starts_with("$/");
    let file = workflow.split('@').next().unwrap_or("");
    let named = matches!(file.rsplit_once('.'), Some((_, "yml" | "yaml")));
    let inside = !workflow.split('/').any(|part| part == "..");
    if !named || !inside || (!local && (workflow.split('/').count() < 3 || !workflow.contains('@')))
    {
        return Err(PipelineError::InvalidValue {
            location: uses.location.clone(),
            what: "workflow".to_owned(),
            value: workflow,
            hint: Some(
                "write `./.github/workflows/FILE.yml` or `OWNER/REPOSITORY/PATH/FILE.yml@VERSION`"
                    .to_owned(),
            ),
        });
    }
    let with = fields.read_or_default("with", |node, what| {
        field::text_map(node, what, &scope::JOB)
    })?;
    let secrets = fields.read("secrets", |node, what| {
        if node.as_str() == Some("inherit") {
            return Ok(CalledSecrets::Inherit);
        }
        field::text_map(node, what, &scope::JOB_SECRETS).map(CalledSecrets::Each)
    })?;
    Ok(Called {
        workflow,
        location: uses.location.clone(),
        with,
        secrets: secrets.unwrap_or(CalledSecrets::Each(Texts::default())),
    })
}

fn body(fields: &Fields<'_>, problems: &mut Problems) -> Body {
    for key in ["snapshot", "cancel-timeout-minutes"] {
        if let Some(node) = fields.get(key) {
            problems.note(PipelineError::Unsupported {
                location: node.location.clone(),
                what: format!("`{key}` of {}", fields.within()),
                hint: None,
            });
        }
    }
    let job = |node: &Node, what: &str| field::text_map(node, what, &scope::JOB_SECRETS);
    Body {
        runs_on: problems.keep(fields.require("runs-on", runs_on)),
        container: problems.keep(fields.read("container", container::container)),
        services: problems.keep(fields.read_or_default("services", container::services)),
        env: problems.keep(fields.read_or_default("env", job)),
        environment: problems.keep(fields.read("environment", environment)),
        outputs: problems.keep(fields.read_or_default("outputs", |node, what| {
            field::text_map(node, what, &scope::RUNNER)
        })),
        defaults: problems.keep(
            fields.read_or_default("defaults", |node, _| defaults(node, &scope::JOB_DEFAULTS)),
        ),
        timeout_minutes: problems.keep(fields.read("timeout-minutes", |node, what| {
            field::number(node, what, &scope::JOB)
        })),
        continue_on_error: problems.keep(
            fields.read_or_default("continue-on-error", |node, what| {
                field::boolean(node, what, &scope::JOB)
            }),
        ),
        steps: problems
            .keep(fields.require("steps", |node, what| step::steps(node, what, Place::Job))),
    }
}

fn runs_on(node: &Node, what: &str) -> Result<RunsOn, PipelineError> {
    let labels = |node: &Node, what: &str| match &node.content {
        Content::Sequence(_) => field::texts(node, what, &scope::JOB),
        _ => Ok(vec![field::filled_text(node, what, &scope::JOB)?]),
    };
    if !matches!(node.content, Content::Mapping(_)) {
        return Ok(RunsOn {
            labels: labels(node, what)?,
            group: None,
        });
    }
    let fields = Fields::of(node, what)?;
    let runs_on = RunsOn {
        labels: fields.read_or_default("labels", labels)?,
        group: fields.read("group", |node, what| {
            field::filled_text(node, what, &scope::JOB)
        })?,
    };
    fields.finish()?;
    Ok(runs_on)
}

fn environment(node: &Node, what: &str) -> Result<Environment, PipelineError> {
    let name = |node: &Node, what: &str| field::text(node, what, &scope::JOB);
    if !matches!(node.content, Content::Mapping(_)) {
        return Ok(Environment {
            name: name(node, what)?,
            url: None,
        });
    }
    let fields = Fields::of(node, what)?;
    let environment = Environment {
        name: fields.require("name", name)?,
        url: fields.read("url", |node, what| {
            field::text(node, what, &scope::RUNNER_WITHOUT_SECRETS)
        })?,
    };
    fields.read("deployment", |node, what| {
        field::boolean(node, what, &scope::JOB)
    })?;
    fields.finish()?;
    Ok(environment)
}

/// `defaults` of a workflow or a job.
pub(super) fn defaults(node: &Node, scope: &Scope<'_>) -> Result<Defaults, PipelineError> {
    let fields = Fields::of(node, "`defaults`")?;
    let defaults = fields.read_or_default("run", |node, what| {
        let fields = Fields::of(node, what)?;
        let text = |node: &Node, what: &str| field::filled_text(node, what, scope);
        let defaults = Defaults {
            shell: fields.read("shell", text)?,
            working_directory: fields.read("working-directory", text)?,
        };
        fields.finish()?;
        Ok(defaults)
    })?;
    fields.finish()?;
    Ok(defaults)
}

/// `concurrency` of a workflow or a job.
pub(super) fn concurrency(
    node: &Node,
    what: &str,
    scope: &Scope<'_>,
) -> Result<Concurrency, PipelineError> {
    let location = node.location.clone();
    if !matches!(node.content, Content::Mapping(_)) {
        return Ok(Concurrency {
            location,
            group: field::filled_text(node, what, scope)?,
            cancels: Deferred::Now(false),
            queues_all: false,
        });
    }
    let fields = Fields::of(node, what)?;
    let group = fields.require("group", |node, what| field::filled_text(node, what, scope))?;
    let cancels = fields.read_or_default("cancel-in-progress", |node, what| {
        field::boolean(node, what, scope)
    })?;
    let queue = fields.read("queue", |node, what| match &*field::plain(node, what)? {
        "single" => Ok(false),
        "max" => Ok(true),
        other => Err(PipelineError::InvalidValue {
            location: node.location.clone(),
            what: what.to_owned(),
            value: other.to_owned(),
            hint: Some("it is single or max".to_owned()),
        }),
    })?;
    fields.finish()?;
    if queue == Some(true) && cancels == Deferred::Now(true) {
        return Err(PipelineError::InvalidValue {
            location,
            what: what.to_owned(),
            value: "queue: max".to_owned(),
            hint: Some("nobody can wait where `cancel-in-progress` is true".to_owned()),
        });
    }
    Ok(Concurrency {
        location,
        group,
        cancels,
        queues_all: queue.unwrap_or(false),
    })
}
