//! `.drone.yml` of Drone 1.x and 2.x: documents with a `kind`, one pipeline each.
//!
//! As in the original, which pipelines run is decided by the text as it is written; for each of them its document is then
//! substituted with the variables of that stage, and the pipeline is read from the result.

use std::collections::BTreeSet;

use sampan_model::nearest;
use sampan_model::yaml::{Location, Node};

use crate::PipelineError;
use crate::allowance::Allowance;
use crate::build::Build;
use crate::glob::Form;
use crate::graph::{Dialect, Graph, Hindrance, Platform, Reason, Stage, Verdict};
use crate::lenient;
use crate::order::{self, Waiting};
use crate::read::{self, Fields};
use crate::substitution;

mod conditions;
mod part;
pub mod signature;
mod stage;
mod step;
mod variables;
mod version;

use part::Part;

/// How many documents a file may have.
const LIMIT: usize = 500;

/// Types of pipelines that run on machines of others.
const ELSEWHERE: [&str; 5] = ["ssh", "digitalocean", "macstadium", "aws", "nomad"];

/// The kinds of documents.
const KINDS: [&str; 6] = [
    "pipeline",
    "secret",
    "signature",
    "cron",
    "registry",
    "template",
];

/// Reads a `.drone.yml` of Drone 1.x or 2.x. Signatures are not looked at here: see [`signature::verify`].
///
/// # Errors
/// [`PipelineError`] with file and line for what the dialect does not have or Sampan does not do.
pub fn parse(file: &str, text: &str, build: &Build) -> Result<Graph, PipelineError> {
    read::check_size(file, text)?;
    let mut notes = Vec::new();
    let documents = lenient::documents(file, text, &[], &mut notes)?;
    let pipelines = pipelines(file, &documents)?;
    let allowance = Allowance::default();
    let mut triggers = pipelines
        .iter()
        .map(|node| {
            lenient::read(node, &mut notes, |node, _| {
                Trigger::read(node, (build, &allowance))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    notes.extend(forget_unknown_needs(&mut triggers));
    let mut graph = Graph {
        dialect: Dialect::Drone,
        stages: Vec::new(),
        notes,
    };
    let waiting: Vec<_> = triggers.iter().map(Trigger::waiting).collect();
    order::check("pipelines", &waiting)?;
    let mut missing = BTreeSet::new();
    let mut errors = Vec::new();
    for (index, trigger) in triggers.into_iter().enumerate() {
        let source = (file, text);
        match stage(source, (build, &allowance), index, trigger, &mut missing) {
            Ok((stage, notes)) => {
                allowance.stage(&stage)?;
                graph.stages.push(stage);
                graph.notes.extend(notes);
            }
            Err(error) => errors.push(error),
        }
    }
    PipelineError::join(errors)?;
    graph
        .notes
        .extend(missing.iter().filter_map(crate::drone08::missing));
    Ok(graph)
}

/// As in the original, a pipeline does not wait for one that is not there; but that is worth a note.
fn forget_unknown_needs(triggers: &mut [Trigger]) -> Vec<Reason> {
    let names: BTreeSet<_> = triggers
        .iter()
        .map(|trigger| trigger.name.clone())
        .collect();
    let mut notes = Vec::new();
    for trigger in triggers {
        let (known, unknown) = std::mem::take(&mut trigger.needs)
            .into_iter()
            .partition(|need| names.contains(need));
        trigger.needs = known;
        notes.extend(Vec::into_iter(unknown).map(|need: String| Reason {
            location: Some(trigger.location.clone()),
            text: match nearest(&need, names.iter().map(String::as_str)) {
                Some(nearest) => format!(
                    "`{}` needs `{need}`, which does not exist; `{nearest}` does",
                    trigger.name
                ),
                None => format!("`{}` needs `{need}`, which does not exist", trigger.name),
            },
        }));
    }
    notes
}

/// The documents that are pipelines; the others are checked.
fn pipelines<'a>(file: &str, documents: &'a [Node]) -> Result<Vec<&'a Node>, PipelineError> {
    let mut pipelines = Vec::new();
    let mut errors = Vec::new();
    for node in documents {
        match kind(node) {
            Ok(kind) if kind == "pipeline" => pipelines.push(node),
            Ok(kind) => errors.extend(check_resource(node, &kind).err()),
            Err(error) => errors.push(error),
        }
    }
    if pipelines.is_empty() && errors.is_empty() {
        errors.push(PipelineError::NoPipeline {
            file: file.to_owned(),
            problem: "the file has no document of the kind `pipeline`",
        });
    }
    if let Some(first) = pipelines.first()
        && pipelines.len() > LIMIT
    {
        errors.push(PipelineError::TooMany {
            location: first.location.clone(),
            what: "pipelines",
            count: pipelines.len(),
            limit: LIMIT,
        });
    }
    PipelineError::join(errors)?;
    Ok(pipelines)
}

fn kind(node: &Node) -> Result<String, PipelineError> {
    Fields::of(node, "the document")?.require("kind", read::text)
}

/// Checks a document that is no pipeline.
fn check_resource(node: &Node, kind: &str) -> Result<(), PipelineError> {
    let fields = Fields::of(node, format!("the {kind}"))?;
    for key in ["kind", "type", "name", "version"] {
        fields.read(key, read::text)?;
    }
    let known: &[&'static str] = match kind {
        "secret" => &["data", "get", "external"],
        "signature" => &["hmac"],
        "cron" => &["spec"],
        "registry" => &["data"],
        "template" => {
            return Err(PipelineError::Unsupported {
                location: node.location.clone(),
                what: "the kind `template`".to_owned(),
                hint: Some("put the pipelines that the template makes into the file".to_owned()),
            });
        }
        other => {
            return Err(PipelineError::InvalidValue {
                location: node.location.clone(),
                what: "kind of document".to_owned(),
                value: other.to_owned(),
                hint: nearest(other, KINDS).map(|kind| format!("did you mean `{kind}`?")),
            });
        }
    };
    for key in known {
        fields.get(key);
    }
    if kind == "signature" {
        fields.require("hmac", read::text)?;
    }
    fields.finish()
}

/// What decides over a pipeline before anything is substituted.
#[derive(Clone)]
struct Trigger {
    name: String,
    location: Location,
    needs: Vec<String>,
    kind_type: String,
    platform: Platform,
    verdict: Verdict,
    when: crate::graph::RunWhen,
}

impl Trigger {
    fn read(node: &Node, (build, allowance): (&Build, &Allowance)) -> Result<Self, PipelineError> {
        let fields = Fields::of(node, "the pipeline")?;
        let name = fields.read_or_default("name", read::text)?;
        let name = if name.is_empty() {
            "default".to_owned()
        } else {
            name
        };
        let mut verdict = Verdict::default();
        crate::skip::check(build, false, &mut verdict);
        let when = conditions::read(
            fields.get("trigger"),
            "`trigger`",
            Form::Deep,
            (build, allowance),
            &mut verdict,
        )?;
        let kind_type = fields.read_or_default("type", read::text)?;
        let kind_type = if kind_type.is_empty() {
            "docker".to_owned()
        } else {
            kind_type
        };
        Ok(Self {
            name,
            location: node.location.clone(),
            needs: fields.read_or_default("depends_on", read::text_or_texts)?,
            platform: fields.read_or_default("platform", stage::platform)?,
            kind_type,
            verdict,
            when,
        })
    }

    /// Whether its steps may do without images, because they run on a machine that has the tools itself.
    fn has_machine(&self) -> bool {
        matches!(self.kind_type.as_str(), "vm" | "exec")
    }

    fn waiting(&self) -> Waiting<'_> {
        Waiting {
            name: &self.name,
            location: &self.location,
            needs: &self.needs,
        }
    }
}

/// A pipeline that runs where nothing of ours does.
fn elsewhere(trigger: Trigger) -> Result<Stage, PipelineError> {
    let hindrance = Hindrance {
        location: trigger.location.clone(),
        what: format!("the pipeline type `{}` is not supported", trigger.kind_type),
        hint: Some(format!(
            "types that run are `docker`, `kubernetes`, `vm` and `exec`; leave it out with `--exclude '{}'`",
            trigger.name
        )),
    };
    if !ELSEWHERE.contains(&&*trigger.kind_type) {
        return Err(PipelineError::Unsupported {
            location: hindrance.location,
            what: format!("the pipeline type `{}`", trigger.kind_type),
            hint: hindrance.hint,
        });
    }
    Ok(Stage {
        hindrance: Some(hindrance),
        ..stage::empty(trigger)
    })
}

fn stage(
    (file, text): (&str, &str),
    (build, allowance): (&Build, &Allowance),
    index: usize,
    trigger: Trigger,
    missing: &mut BTreeSet<String>,
) -> Result<(Stage, Vec<Reason>), PipelineError> {
    if !matches!(trigger.kind_type.as_str(), "docker" | "kubernetes") && !trigger.has_machine() {
        return Ok((elsewhere(trigger)?, Vec::new()));
    }
    let variables = variables::Variables::new(build, &trigger, index + 1);
    let part = Part::at(text, trigger.location.line);
    let substituted =
        substitution::substitute(file, part.text, &|name| variables.for_substitution(name))
            .map_err(|error| part.moved_error(error))?;
    missing.extend(substituted.missing);
    // What is said of the text as it is written need not be said again.
    let documents = lenient::documents(file, &substituted.text, &[], &mut Vec::new())
        .map_err(|error| part.moved_error(error))?;
    let node = documents
        .into_iter()
        .next()
        .map(|node| part.moved(node))
        .ok_or_else(|| PipelineError::NoPipeline {
            file: file.to_owned(),
            problem: "the substitutions take a pipeline out of the file",
        })?;
    allowance.document(&node)?;
    let mut notes = Vec::new();
    let stage = lenient::read(&node, &mut notes, |node, notes| {
        stage::read(node, (build, allowance), &trigger, &variables, notes)
    })?;
    Ok((stage, notes))
}
