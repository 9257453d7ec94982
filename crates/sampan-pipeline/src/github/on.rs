//! `on`: what causes a workflow to run.

use sampan_model::nearest;
use sampan_model::yaml::{Content, Key, Location, Node};

use super::field;
use super::input::{self, Input};
use super::pattern::{Pattern, Patterns};
use crate::PipelineError;
use crate::graph::Text;
use crate::read::{Fields, wrong_type};

mod events;

/// What causes a workflow to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Triggers {
    /// The events with their filters, in the order of the file.
    pub events: Vec<Trigger>,
    /// The schedules of `schedule`, as cron lines.
    pub schedules: Vec<String>,
    /// The inputs of `workflow_dispatch`.
    pub dispatch_inputs: Vec<Input>,
    /// How other workflows call this one; `None` when they may not.
    pub call: Option<Call>,
}

/// An event with its filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The event as GitHub calls it.
    pub event: String,
    /// Where it stands.
    pub location: Location,
    /// The branches; for pull requests those that they are made for.
    pub branches: Option<Filter>,
    /// The tags.
    pub tags: Option<Filter>,
    /// The changed files.
    pub paths: Option<Filter>,
    /// What happened in detail; `None` for what the event means by itself.
    pub types: Option<Vec<String>>,
    /// The workflows that `workflow_run` waits for.
    pub workflows: Vec<String>,
    /// Filters that the event does not have and GitHub does not look at, with where they stand.
    pub ignored: Vec<(String, Location)>,
}

/// Patterns of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Where they stand.
    pub location: Location,
    /// Whether what they choose does not cause a run.
    pub ignores: bool,
    /// The patterns.
    pub patterns: Patterns,
}

/// How other workflows call a workflow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Call {
    /// What they hand over.
    pub inputs: Vec<Input>,
    /// The secrets that they hand over, with whether they must.
    pub secrets: Vec<(String, bool)>,
    /// What they get.
    pub outputs: Vec<(String, Text)>,
}

impl Triggers {
    /// The filters of an event.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<&Trigger> {
        self.events.iter().find(|trigger| trigger.event == name)
    }
}

/// Reads `on`: an event, a list of events, or events with their filters.
pub(super) fn triggers(node: &Node) -> Result<Triggers, PipelineError> {
    let mut triggers = Triggers::default();
    match &node.content {
        Content::Sequence(items) => {
            for item in items {
                named(&mut triggers, item)?;
            }
        }
        Content::Mapping(entries) => {
            let mut errors = Vec::new();
            for (key, node) in entries {
                errors.extend(described(&mut triggers, key, node).err());
            }
            PipelineError::join(errors)?;
        }
        _ => named(&mut triggers, node)?,
    }
    Ok(triggers)
}

/// An event without filters.
fn named(triggers: &mut Triggers, node: &Node) -> Result<(), PipelineError> {
    let key = Key {
        name: field::plain(node, "`on`")?,
        location: node.location.clone(),
    };
    let nothing = Node {
        location: node.location.clone(),
        content: Content::Null,
    };
    described(triggers, &key, &nothing)
}

fn described(triggers: &mut Triggers, key: &Key, node: &Node) -> Result<(), PipelineError> {
    let Some(known) = events::known(&key.name) else {
        return Err(PipelineError::InvalidValue {
            location: key.location.clone(),
            what: "event".to_owned(),
            value: key.name.clone(),
            hint: nearest(&key.name, events::names()).map(|name| format!("did you mean `{name}`?")),
        });
    };
    let what = format!("`{}` of `on`", key.name);
    let mut ignored = Vec::new();
    match &*key.name {
        "schedule" => triggers.schedules = schedules(node, &what)?,
        "workflow_call" => triggers.call = Some(call(node, &what)?),
        "workflow_dispatch" => {
            let fields = Fields::of(node, what)?;
            triggers.dispatch_inputs =
                fields.read_or_default("inputs", |node, what| input::inputs(node, what, false))?;
            ignored = filters_without_meaning(&fields);
            fields.finish()?;
        }
        _ => {}
    }
    let handled = matches!(
        &*key.name,
        "schedule" | "workflow_call" | "workflow_dispatch"
    );
    let nothing = Node {
        location: node.location.clone(),
        content: Content::Null,
    };
    let mut trigger = trigger(key, if handled { &nothing } else { node }, known)?;
    trigger.ignored.append(&mut ignored);
    triggers.events.push(trigger);
    Ok(())
}

fn schedules(node: &Node, what: &str) -> Result<Vec<String>, PipelineError> {
    let Content::Sequence(items) = &node.content else {
        return Err(wrong_type(node, what, "a list of mappings with `cron`"));
    };
    items
        .iter()
        .map(|item| {
            let fields = Fields::of(item, "an item of `schedule`")?;
            let cron = fields.require("cron", cron)?;
            fields.read("timezone", field::plain)?;
            fields.finish()?;
            Ok(cron)
        })
        .collect()
}

/// A line of five fields; what is in them is the scheduler's business.
fn cron(node: &Node, what: &str) -> Result<String, PipelineError> {
    let text = field::plain(node, what)?;
    let well = text.split_whitespace().count() == 5
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c.is_whitespace() || "*,-/".contains(c));
    if well {
        return Ok(text);
    }
    Err(PipelineError::InvalidValue {
        location: node.location.clone(),
        what: what.to_owned(),
        value: text,
        hint: Some(
            "it takes five fields: minute, hour, day of the month, month, day of the week"
                .to_owned(),
        ),
    })
}

fn call(node: &Node, what: &str) -> Result<Call, PipelineError> {
    let fields = Fields::of(node, what)?;
    let inputs = fields.read_or_default("inputs", |node, what| input::inputs(node, what, true))?;
    let secrets = fields.read_or_default("secrets", |node, what| {
        let entries = Fields::of(node, what)?.entries();
        entries
            .iter()
            .map(|(key, node)| {
                let fields = Fields::of(node, format!("the secret `{}`", key.name))?;
                let required = fields.read("required", input::flag)?.unwrap_or(false);
                fields.read("description", field::plain)?;
                fields.finish()?;
                Ok((key.name.clone(), required))
            })
            .collect()
    })?;
    let outputs = fields.read_or_default("outputs", |node, what| {
        let entries = Fields::of(node, what)?.entries();
        entries
            .iter()
            .map(|(key, node)| {
                let fields = Fields::of(node, format!("the output `{}`", key.name))?;
                let value = fields.require("value", |node, what| {
                    field::text(node, what, &super::scope::CALL_OUTPUT)
                })?;
                fields.read("description", field::plain)?;
                fields.finish()?;
                Ok((key.name.clone(), value))
            })
            .collect()
    })?;
    fields.finish()?;
    Ok(Call {
        inputs,
        secrets,
        outputs,
    })
}

fn trigger(key: &Key, node: &Node, known: &events::Known) -> Result<Trigger, PipelineError> {
    let fields = Fields::of(node, format!("`{}` of `on`", key.name))?;
    let mut trigger = Trigger {
        event: key.name.clone(),
        location: key.location.clone(),
        branches: None,
        tags: None,
        paths: None,
        types: None,
        workflows: Vec::new(),
        ignored: Vec::new(),
    };
    if known.branches {
        trigger.branches = filter(&fields, "branches", "branches-ignore")?;
    }
    if known.tags {
        trigger.tags = filter(&fields, "tags", "tags-ignore")?;
    }
    if known.paths {
        trigger.paths = filter(&fields, "paths", "paths-ignore")?;
    }
    if let Some(types) = known.types {
        trigger.types = fields.read("types", |node, what| activities(node, what, types))?;
    }
    if key.name == "workflow_run" {
        trigger.workflows = fields.require("workflows", field::plain_list)?;
    }
    if key.name == "image_version" {
        fields.read("names", field::plain_list)?;
        fields.read("versions", field::plain_list)?;
    }
    trigger.ignored = filters_without_meaning(&fields);
    fields.finish()?;
    Ok(trigger)
}

/// GitHub takes filters of other events and does nothing with them; whoever explains the run says so.
fn filters_without_meaning(fields: &Fields<'_>) -> Vec<(String, Location)> {
    let mut ignored = Vec::new();
    for filter in FILTERS {
        let found = fields.rest().find(|(key, _)| key.name == filter);
        if let Some((key, _)) = found {
            ignored.push((filter.to_owned(), key.location.clone()));
            fields.get(filter);
        }
    }
    ignored
}

const FILTERS: [&str; 7] = [
    "branches",
    "branches-ignore",
    "tags",
    "tags-ignore",
    "paths",
    "paths-ignore",
    "types",
];

/// The types that an event names; where GitHub knows none by name, all are taken.
fn activities(node: &Node, what: &str, known: &[&str]) -> Result<Vec<String>, PipelineError> {
    let types = field::plain_list(node, what)?;
    let unknown = types
        .iter()
        .find(|name| !known.is_empty() && !known.contains(&name.as_str()));
    match unknown {
        None => Ok(types),
        Some(name) => Err(PipelineError::InvalidValue {
            location: node.location.clone(),
            what: what.to_owned(),
            value: name.clone(),
            hint: Some(match nearest(name, known.iter().copied()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("there are {}", known.join(", ")),
            }),
        }),
    }
}

fn filter(
    fields: &Fields<'_>,
    chosen: &'static str,
    ignored: &'static str,
) -> Result<Option<Filter>, PipelineError> {
    let including = fields.read(chosen, |node, what| patterns(node, what, false))?;
    let ignoring = fields.read(ignored, |node, what| patterns(node, what, true))?;
    match (including, ignoring) {
        (Some(_), Some(ignoring)) => Err(PipelineError::InvalidValue {
            location: ignoring.location,
            what: format!("key beside `{chosen}`"),
            value: ignored.to_owned(),
            hint: Some(format!(
                "one event takes one of both; put `!` before patterns of `{chosen}`"
            )),
        }),
        (including, ignoring) => Ok(including.or(ignoring)),
    }
}

fn patterns(node: &Node, what: &str, ignores: bool) -> Result<Filter, PipelineError> {
    let texts = field::plain_list(node, what)?;
    let patterns: Vec<_> = texts
        .into_iter()
        .map(|text| match Pattern::parse(&text) {
            Ok(pattern) => Ok((text, pattern)),
            Err(problem) => Err(PipelineError::InvalidValue {
                location: node.location.clone(),
                what: format!("pattern of {what}"),
                value: text,
                hint: Some(problem.to_owned()),
            }),
        })
        .collect::<Result<_, _>>()?;
    let patterns = Patterns::new(patterns);
    Ok(Filter {
        location: node.location.clone(),
        ignores,
        patterns,
    })
}
