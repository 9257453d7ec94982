//! One workflow of Woodpecker as a stage.

use std::collections::{BTreeMap, BTreeSet};

use sampan_model::yaml::{Content, Key, Location, Node};

use super::step::{Kind, Source};
use super::{Need, Workflow};
use crate::PipelineError;
use crate::condition::Patterns;
use crate::glob::Form;
use crate::graph::{
    Concurrency, Deferred, Platform, Queue, Reason, Role, RunWhen, Stage, Step, Verdict, Workspace,
};
use crate::read::{self, Fields};
use crate::{compose, matrix, order};

/// How many steps a workflow may have.
const LIMIT: usize = 5_000;

/// The folder on which the workspace is mounted for plugins, and for all others unless the file says otherwise.
pub(super) const BASE: &str = "/woodpecker";

impl Workflow<'_> {
    pub(super) fn stage(
        &self,
        node: &Node,
        notes: &mut Vec<Reason>,
    ) -> Result<(Stage, Vec<Need>), PipelineError> {
        let fields = Fields::of(node, format!("the workflow `{}`", self.name))?;
        fields.get("matrix");
        fields.get("version");
        let (verdict, when) = self.stage_conditions(&fields)?;
        let platform = platform(&fields, notes)?;
        let workspace = self.workspace(&fields)?;
        let concurrency = fields.read("concurrency", concurrency)?;
        // No limit is as good as none.
        let concurrency = concurrency.filter(|concurrency| concurrency.limit > 0);
        let needs = fields.read_or_default("depends_on", needs)?;
        let steps = self.steps(&fields, &workspace, verdict.runs(), notes)?;
        fields.finish_document(notes)?;
        order::check_steps(&steps)?;
        let stage = Stage {
            id: matrix::stage_id(&self.name, self.combination),
            name: self.name.clone(),
            location: node.location.clone(),
            needs: Vec::new(),
            matrix: self
                .combination
                .iter()
                .map(|(key, value)| (key.clone(), value.clone().into()))
                .collect(),
            strategy: None,
            verdict,
            when,
            platform,
            workspace,
            container: None,
            steps,
            volumes: Vec::new(),
            networks: Vec::new(),
            registry_secrets: Vec::new(),
            outputs: BTreeMap::new(),
            concurrency: concurrency.into_iter().collect(),
            timeout: None,
            ignores_failure: Deferred::default(),
            early_exit: None,
            hindrance: None,
        };
        Ok((stage, needs))
    }

    fn stage_conditions(&self, fields: &Fields<'_>) -> Result<(Verdict, RunWhen), PipelineError> {
        let (mut verdict, mut when) = self.conditions(fields.get("when"), true)?;
        crate::skip::check(self.build, false, &mut verdict);
        if let Some(branches) = fields.read("branches", |node, what| {
            Patterns::read(node, what, Form::DeepWithParent)
        })? && self.build.commit.tag().is_none()
        {
            let branch = &self.build.commit.branch;
            branches.check("branch", branch, self.allowance, &mut verdict)?;
        }
        let statuses = fields.read_or_default("runs_on", read::text_or_texts)?;
        if !statuses.is_empty() {
            when = RunWhen::Status {
                success: statuses.iter().any(|status| status == "success"),
                failure: statuses.iter().any(|status| status == "failure"),
            };
        }
        Ok((verdict, when))
    }

    fn workspace(&self, fields: &Fields<'_>) -> Result<Workspace, PipelineError> {
        let (base, path) = match fields.get("workspace") {
            None => (None, None),
            Some(node) => {
                let workspace = Fields::of(node, "`workspace`")?;
                let base = workspace.read("base", read::text)?;
                let path = workspace.read("path", read::text)?;
                workspace.finish()?;
                (base, path)
            }
        };
        let base = base.unwrap_or_else(|| BASE.to_owned());
        let link = &self.build.repository.link;
        let path = path.unwrap_or_else(|| crate::path::source_path(link));
        Ok(Workspace {
            path: crate::path::join(&base, &path),
            base,
        })
    }

    /// Clone steps one after the other, the services, then the steps: in the order of the file, or by what they wait for
    /// as soon as any of them says so.
    fn steps(
        &self,
        fields: &Fields<'_>,
        workspace: &Workspace,
        runs: bool,
        notes: &mut Vec<Reason>,
    ) -> Result<Vec<Step>, PipelineError> {
        let skip_clone = fields.read_or_default("skip_clone", read::boolean)?;
        let mut reader = Reader {
            workflow: self,
            workspace,
            number: 0,
            notes,
        };
        let mut steps = Vec::new();
        let mut before: Vec<String> = Vec::new();
        let mut clone = reader.section(fields, "clone", Role::Clone)?;
        if skip_clone {
            clone.clear();
        } else if clone.is_empty() {
            clone.push(reader.default_clone(&fields.node().location));
        }
        for mut read in clone {
            read.step.needs = std::mem::replace(&mut before, vec![read.step.name.clone()]);
            steps.push(read.step);
        }
        let services = reader.section(fields, "services", Role::Service)?;
        if !services.is_empty() {
            let names = services.iter().map(|read| read.step.name.clone()).collect();
            let needs = std::mem::replace(&mut before, names);
            for mut read in services {
                read.step.needs.clone_from(&needs);
                steps.push(read.step);
            }
        }
        let mut own = reader.section(fields, "steps", Role::Step)?;
        own.extend(reader.section(fields, "pipeline", Role::Step)?);
        rename(&mut own, &steps);
        if own.is_empty() {
            return Err(PipelineError::MissingKey {
                location: fields.node().location.clone(),
                within: fields.within().to_owned(),
                key: "steps",
            });
        }
        if own.iter().any(|read| read.needs.is_some()) {
            steps.extend(by_needs(own, &before, runs)?);
        } else {
            let grouped = own
                .into_iter()
                .map(|read| (read.group, read.step))
                .collect();
            steps.extend(order::in_groups(grouped, before));
        }
        Ok(steps)
    }
}

fn platform(fields: &Fields<'_>, notes: &mut Vec<Reason>) -> Result<Platform, PipelineError> {
    let labels = fields.read_or_default("labels", read::text_map)?;
    let mut written = labels.get("platform").cloned();
    if let Some(node) = fields.get("platform") {
        notes.push(Reason {
            location: Some(node.location.clone()),
            text: "`platform` of workflows is a label since Woodpecker 1.0".to_owned(),
        });
        written = read::scalar(node);
    }
    let (os, arch) = match written.as_deref().and_then(|text| text.split_once('/')) {
        Some((os, arch)) if os != "*" && arch != "*" => {
            (Some(os.to_owned()), Some(arch.to_owned()))
        }
        _ => (None, None),
    };
    Ok(Platform {
        os,
        arch,
        labels: labels
            .into_iter()
            .map(|(key, value)| (key, value.into()))
            .collect(),
        ..Platform::default()
    })
}

/// A step with what its place depends on.
pub(super) struct Read {
    /// The name by which other steps need it.
    pub(super) name: String,
    pub(super) step: Step,
    pub(super) needs: Option<Vec<Need>>,
    pub(super) group: Option<String>,
}

struct Reader<'a> {
    workflow: &'a Workflow<'a>,
    workspace: &'a Workspace,
    number: usize,
    notes: &'a mut Vec<Reason>,
}

impl Reader<'_> {
    fn default_clone(&mut self, location: &Location) -> Read {
        self.number += 1;
        let step = self
            .workflow
            .default_clone(location, self.workspace, self.number);
        Read {
            name: step.name.clone(),
            step,
            needs: None,
            group: None,
        }
    }

    fn section(
        &mut self,
        fields: &Fields<'_>,
        key: &'static str,
        role: Role,
    ) -> Result<Vec<Read>, PipelineError> {
        let Some(node) = fields.get(key) else {
            return Ok(Vec::new());
        };
        let entries = entries(node, key)?;
        if entries.len() > LIMIT {
            return Err(PipelineError::TooMany {
                location: node.location.clone(),
                what: "steps",
                count: entries.len(),
                limit: LIMIT,
            });
        }
        let mut steps = Vec::new();
        let mut errors = Vec::new();
        for (name, location, node) in entries {
            self.number += 1;
            let source = Source {
                name,
                location,
                node,
                kind: Kind { role },
                workspace: self.workspace,
                number: self.number,
            };
            match self.workflow.step(&source, self.notes) {
                Ok(read) => {
                    self.workflow.allowance.step(&read.step)?;
                    steps.push(read);
                }
                Err(error) => errors.push(error),
            }
        }
        PipelineError::join(errors)?;
        Ok(steps)
    }
}

/// Containers by name, or as a list in which they may have names.
fn entries<'a>(
    node: &'a Node,
    key: &str,
) -> Result<Vec<(String, &'a Location, &'a Node)>, PipelineError> {
    let named = |(key, node): &'a (Key, Node)| (key.name.clone(), &key.location, node);
    match &node.content {
        Content::Mapping(entries) => Ok(entries.iter().map(named).collect()),
        Content::Sequence(items) => Ok(items
            .iter()
            .enumerate()
            .map(|(index, node)| (format!("step-{index}"), &node.location, node))
            .collect()),
        _ => {
            let what = format!("`{key}` of the workflow");
            Err(read::wrong_type(
                node,
                &what,
                "a mapping or a list of steps",
            ))
        }
    }
}

/// A list of names, or of mappings with `name` and `optional`.
pub(super) fn needs(node: &Node, what: &str) -> Result<Vec<Need>, PipelineError> {
    let items = match &node.content {
        Content::Sequence(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    items
        .iter()
        .map(|item| {
            let (name, optional) = if matches!(item.content, Content::Mapping(_)) {
                let fields = Fields::of(item, format!("an item of {what}"))?;
                let name = fields.require("name", read::text)?;
                let optional = fields.read_or_default("optional", read::boolean)?;
                fields.finish()?;
                (name, optional)
            } else {
                (read::text(item, what)?, false)
            };
            Ok(Need {
                name,
                location: item.location.clone(),
                optional,
            })
        })
        .collect()
}

/// A number, or a mapping of `limit` and `group`.
fn concurrency(node: &Node, what: &str) -> Result<Concurrency, PipelineError> {
    let (limit, group) = if matches!(node.content, Content::Mapping(_)) {
        let fields = Fields::of(node, what)?;
        let limit = fields.read_or_default("limit", compose::count)?;
        let group = fields.read_or_default("group", read::text)?;
        fields.finish()?;
        (limit, group)
    } else {
        (compose::count(node, what)?, String::new())
    };
    Ok(Concurrency {
        group: group.into(),
        limit: u32::try_from(limit).unwrap_or(u32::MAX),
        cancels: Deferred::default(),
        queue: Queue::All,
    })
}

/// A step may have the name of a service, which keeps it as its host name.
fn rename(own: &mut [Read], others: &[Step]) {
    let taken: BTreeSet<_> = others.iter().map(|step| step.name.as_str()).collect();
    for read in own {
        if taken.contains(read.name.as_str()) {
            read.step.title = Some(read.name.clone().into());
            read.step.name = format!("{} (step)", read.name);
        }
    }
}

/// Steps that say what they wait for; the others wait for clone steps and services only.
fn by_needs(steps: Vec<Read>, before: &[String], runs: bool) -> Result<Vec<Step>, PipelineError> {
    let verdicts: BTreeMap<String, (String, bool)> = steps
        .iter()
        .map(|read| {
            let step = &read.step;
            (read.name.clone(), (step.name.clone(), step.verdict.runs()))
        })
        .collect();
    let mut result = Vec::new();
    for read in steps {
        let mut step = read.step;
        for need in read.needs.into_iter().flatten() {
            match verdicts.get(&need.name) {
                Some((name, true)) => step.needs.push(name.clone()),
                _ if need.optional => {}
                // As in the original, a step cannot wait for one that is left out by its conditions.
                Some((_, false)) if runs && step.verdict.runs() => {
                    return Err(PipelineError::InvalidValue {
                        location: need.location,
                        what: format!(
                            "step that `{}` can wait for, because its conditions leave it out",
                            step.name
                        ),
                        value: need.name,
                        hint: Some("write `{name: …, optional: true}`".to_owned()),
                    });
                }
                Some((name, false)) => step.needs.push(name.clone()),
                None => {
                    let names = verdicts.keys().map(String::as_str);
                    return Err(PipelineError::UnknownNeed {
                        location: need.location,
                        name: step.name,
                        nearest: sampan_model::nearest(&need.name, names).map(str::to_owned),
                        need: need.name,
                    });
                }
            }
        }
        if step.needs.is_empty() {
            step.needs.extend_from_slice(before);
        }
        result.push(step);
    }
    Ok(result)
}
