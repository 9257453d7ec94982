//! One pipeline of Drone 1.x as a stage.

use std::collections::BTreeMap;

use sampan_model::nearest;
use sampan_model::yaml::Node;

use super::Trigger;
use super::step::{Names, Source};
use super::variables::Variables;
use crate::PipelineError;
use crate::allowance::Allowance;
use crate::build::Build;
use crate::compose;
use crate::graph::{
    Action, Concurrency, Container, Deferred, Failure, MountSource, Platform, Queue, Reason, Role,
    RunWhen, Setting, Stage, Step, Text, Verdict, Volume, VolumeSource, Workspace,
};
use crate::order;
use crate::read::{self, Fields};

/// How many steps a pipeline may have.
const LIMIT: usize = 5_000;

/// Keys of the type `kubernetes` that say where and as whom pods run, which has no meaning here.
const OF_KUBERNETES: [&str; 9] = [
    "dns_config",
    "host_aliases",
    "metadata",
    "node_name",
    "node_selector",
    "policy",
    "resources",
    "service_account_name",
    "tolerations",
];

/// Reads a pipeline after substitution.
pub(super) fn read(
    node: &Node,
    (build, allowance): (&Build, &Allowance),
    trigger: &Trigger,
    variables: &Variables,
    notes: &mut Vec<Reason>,
) -> Result<Stage, PipelineError> {
    let fields = Fields::of(node, format!("the pipeline `{}`", trigger.name))?;
    skip_known(&fields, trigger);
    let workspace = fields.read("workspace", workspace)?;
    let workspace = workspace.unwrap_or_else(|| joined(None, None));
    let volumes = fields.read_or_default("volumes", volumes)?;
    let environment = fields.read_or_default("environment", read::text_map)?;
    let mut platform = trigger.platform.clone();
    platform.labels = fields
        .read_or_default("node", read::text_map)?
        .into_iter()
        .map(|(key, value)| (key, value.into()))
        .collect();
    if trigger.has_machine() {
        let pool = fields.read_or_default("pool", pool)?;
        let labels = std::iter::once(trigger.kind_type.clone()).chain(pool);
        let labels = labels.map(|label| (label, Text::from("")));
        platform.labels.extend(labels);
    }
    let limit = match fields.get("concurrency") {
        None => 0,
        Some(node) => concurrency(node)?,
    };
    let clone = match fields.get("clone") {
        None => Clone::default(),
        Some(node) => Clone::read(node)?,
    };
    let common = variables.before_step(&environment, common(build, &clone, &workspace));
    let names = Names {
        build,
        allowance,
        variables,
        common: &common,
        workspace: &workspace,
        volumes: &volumes,
        has_machine: trigger.has_machine(),
    };
    let mut steps = steps(&fields, &clone, &names)?;
    forget_unknown_volumes(&mut steps, &volumes, notes);
    note_sizes(node, &volumes, notes);
    let registry_secrets = fields.read_or_default("image_pull_secrets", read::texts)?;
    fields.finish()?;
    order::check_steps(&steps)?;
    Ok(Stage {
        platform,
        workspace,
        steps,
        volumes,
        registry_secrets,
        concurrency: (limit > 0)
            .then(|| Concurrency {
                group: trigger.name.clone().into(),
                limit,
                cancels: Deferred::default(),
                queue: Queue::All,
            })
            .into_iter()
            .collect(),
        ..empty(trigger.clone())
    })
}

/// A pipeline without steps.
pub(super) fn empty(trigger: Trigger) -> Stage {
    Stage {
        id: trigger.name.clone(),
        name: trigger.name,
        location: trigger.location,
        needs: trigger.needs,
        matrix: Vec::new(),
        strategy: None,
        verdict: trigger.verdict,
        when: trigger.when,
        platform: trigger.platform,
        workspace: joined(None, None),
        container: None,
        steps: Vec::new(),
        volumes: Vec::new(),
        networks: Vec::new(),
        registry_secrets: Vec::new(),
        outputs: BTreeMap::new(),
        concurrency: Vec::new(),
        timeout: None,
        ignores_failure: Deferred::default(),
        early_exit: Some(78),
        hindrance: None,
    }
}

/// Takes note of keys that are read from the text before substitution, or do nothing here.
fn skip_known(fields: &Fields<'_>, trigger: &Trigger) {
    for key in [
        "kind",
        "type",
        "name",
        "version",
        "depends_on",
        "trigger",
        "platform",
    ] {
        fields.get(key);
    }
    if trigger.kind_type == "kubernetes" {
        for key in OF_KUBERNETES {
            fields.get(key);
        }
    }
}

/// From which machines one is taken.
fn pool(node: &Node, what: &str) -> Result<Option<String>, PipelineError> {
    let fields = Fields::of(node, what)?;
    let name = fields.read("use", read::text)?;
    fields.finish()?;
    Ok(name)
}

pub(super) fn platform(node: &Node, what: &str) -> Result<Platform, PipelineError> {
    let fields = Fields::of(node, what)?;
    let platform = Platform {
        os: fields.read("os", read::text)?,
        arch: fields.read("arch", read::text)?,
        variant: fields.read("variant", read::text)?,
        version: fields.read("version", read::text)?,
        labels: Vec::new(),
    };
    fields.finish()?;
    Ok(platform)
}

fn workspace(node: &Node, what: &str) -> Result<Workspace, PipelineError> {
    let fields = Fields::of(node, what)?;
    let base = fields.read("base", read::text)?;
    let path = fields.read("path", read::text)?;
    fields.finish()?;
    Ok(joined(base, path))
}

fn joined(base: Option<String>, path: Option<String>) -> Workspace {
    let path = path.unwrap_or_default();
    let (base, path) = match base.filter(|base| !base.is_empty()) {
        Some(base) => (base, path),
        None if path.starts_with('/') => (path, String::new()),
        None => ("/drone/src".to_owned(), path),
    };
    Workspace {
        path: crate::path::join(&base, &path),
        base,
    }
}

fn concurrency(node: &Node) -> Result<u32, PipelineError> {
    let fields = Fields::of(node, "`concurrency`")?;
    let limit = fields.read_or_default("limit", compose::count)?;
    fields.finish()?;
    Ok(u32::try_from(limit).unwrap_or(u32::MAX))
}

/// How the source tree comes into the workspace.
#[derive(Default)]
struct Clone {
    disable: bool,
    depth: i64,
    retries: i64,
    skip_verify: bool,
    trace: bool,
}

impl Clone {
    fn read(node: &Node) -> Result<Self, PipelineError> {
        let fields = Fields::of(node, "`clone`")?;
        let clone = Self {
            disable: fields.read_or_default("disable", read::boolean)?,
            depth: fields.read_or_default("depth", read::integer)?,
            retries: fields.read_or_default("retries", read::integer)?,
            skip_verify: fields.read_or_default("skip_verify", read::boolean)?,
            trace: fields.read_or_default("trace", read::boolean)?,
        };
        fields.finish()?;
        Ok(clone)
    }

    fn settings(&self) -> BTreeMap<String, Setting> {
        let mut settings = BTreeMap::new();
        if self.depth > 0 {
            settings.insert("depth".to_owned(), Setting::Number(self.depth.into()));
        }
        if self.retries > 0 {
            settings.insert("retries".to_owned(), Setting::Number(self.retries.into()));
        }
        if self.skip_verify {
            settings.insert("skip_verify".to_owned(), Setting::Bool(true));
        }
        settings
    }
}

/// Variables that come with the way the pipeline is run.
fn common(build: &Build, clone: &Clone, workspace: &Workspace) -> BTreeMap<String, String> {
    let author = &build.commit.author;
    let or =
        |text: &str, otherwise: &str| if text.is_empty() { otherwise } else { text }.to_owned();
    let path = workspace
        .path
        .strip_prefix(&workspace.base)
        .unwrap_or_default()
        .trim_start_matches('/');
    let mut variables = BTreeMap::from(
        [
            ("GIT_AUTHOR_NAME", or(&author.name, "drone")),
            ("GIT_COMMITTER_NAME", or(&author.name, "drone")),
            ("GIT_AUTHOR_EMAIL", or(&author.email, "noreply@drone")),
            ("GIT_COMMITTER_EMAIL", or(&author.email, "noreply@drone")),
            ("GIT_TERMINAL_PROMPT", "0".to_owned()),
            ("DRONE_WORKSPACE", workspace.path.clone()),
            ("DRONE_WORKSPACE_BASE", workspace.base.clone()),
            ("DRONE_WORKSPACE_PATH", path.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    for (name, given) in [
        ("GIT_TRACE", clone.trace),
        ("GIT_SSL_NO_VERIFY", clone.skip_verify),
    ] {
        if given {
            variables.insert(name.to_owned(), "true".to_owned());
        }
    }
    variables
}

fn volumes(node: &Node, what: &str) -> Result<Vec<Volume>, PipelineError> {
    read::list(node, what)?.iter().map(volume).collect()
}

fn volume(node: &Node) -> Result<Volume, PipelineError> {
    let fields = Fields::of(node, "a volume")?;
    let name = fields.require("name", read::text)?;
    let source = if let Some(host) = fields.get("host") {
        let host = Fields::of(host, format!("`host` of the volume `{name}`"))?;
        let path = host.require("path", read::text)?;
        host.finish()?;
        VolumeSource::Host { path }
    } else if fields.entries().iter().any(|(key, _)| key.name == "temp") {
        let empty = Node {
            location: node.location.clone(),
            content: sampan_model::yaml::Content::Null,
        };
        let temporary = fields.get("temp").unwrap_or(&empty);
        let temporary = Fields::of(temporary, format!("`temp` of the volume `{name}`"))?;
        let medium = temporary.read_or_default("medium", read::text)?;
        let size_bytes = temporary.read("size_limit", compose::size)?;
        temporary.finish()?;
        VolumeSource::Temporary {
            in_memory: medium.eq_ignore_ascii_case("memory"),
            size_bytes,
        }
    } else if let Some((key, node)) = fields.rest().next() {
        return Err(PipelineError::Unsupported {
            location: node.location.clone(),
            what: format!("the volume source `{}`", key.name),
            hint: Some("use `temp`, or `host` in trusted projects".to_owned()),
        });
    } else {
        return Err(PipelineError::MissingKey {
            location: node.location.clone(),
            within: format!("the volume `{name}`"),
            key: "temp",
        });
    };
    fields.finish()?;
    Ok(Volume { name, source })
}

/// The clone step, the services and the steps; one after the other, unless any of them names what it waits for.
fn steps(
    fields: &Fields<'_>,
    clone: &Clone,
    names: &Names<'_>,
) -> Result<Vec<Step>, PipelineError> {
    let mut sources = Vec::new();
    for (key, role) in [("services", Role::Service), ("steps", Role::Step)] {
        let nodes =
            fields.read_or_default(key, |node, what| Ok(read::list(node, what)?.to_vec()))?;
        sources.extend(nodes.into_iter().map(|node| (node, role)));
    }
    if sources.len() > LIMIT {
        return Err(PipelineError::TooMany {
            location: fields.node().location.clone(),
            what: "steps",
            count: sources.len(),
            limit: LIMIT,
        });
    }
    let mut steps = Vec::new();
    let mut errors = Vec::new();
    if !clone.disable {
        steps.push(clone_step(fields, clone, names));
    }
    for (node, role) in &sources {
        let number = steps.len() + 1;
        match names.step(&Source {
            node,
            role: *role,
            number,
        }) {
            Ok(step) => {
                names.allowance.step(&step)?;
                steps.push(step);
            }
            Err(error) => errors.push(error),
        }
    }
    PipelineError::join(errors)?;
    set_needs(&mut steps, !clone.disable);
    Ok(steps)
}

fn set_needs(steps: &mut [Step], clones: bool) {
    if steps.iter().all(|step| step.needs.is_empty()) {
        let mut previous: Option<String> = None;
        for step in steps {
            step.needs.extend(previous.replace(step.name.clone()));
        }
        return;
    }
    let has_clone = steps.iter().any(|step| step.name == "clone");
    for step in steps {
        if clones && step.role != Role::Clone && step.needs.is_empty() {
            step.needs.push("clone".to_owned());
        }
        // Without a clone step, waiting for it means waiting for nothing.
        if !has_clone && step.needs == ["clone"] {
            step.needs.clear();
        }
    }
}

fn clone_step(fields: &Fields<'_>, clone: &Clone, names: &Names<'_>) -> Step {
    let settings = clone.settings();
    let mut environment = names.environment(BTreeMap::new(), &settings);
    environment.extend(names.of_step("clone", 1));
    Step {
        name: "clone".to_owned(),
        title: None,
        location: fields
            .get("clone")
            .unwrap_or(fields.node())
            .location
            .clone(),
        role: Role::Clone,
        needs: Vec::new(),
        verdict: Verdict::default(),
        when: RunWhen::Status {
            success: true,
            failure: true,
        },
        failure: Failure::default(),
        detached: false,
        container: Some(Container {
            image: "drone/git:latest".into(),
            working_directory: Some(names.workspace.path.clone().into()),
            ..Container::default()
        }),
        action: Action::Plugin { settings },
        environment,
        timeout: None,
    }
}

/// Notes limits that mean nothing, in the original neither: only memory has a size.
fn note_sizes(node: &Node, volumes: &[Volume], notes: &mut Vec<Reason>) {
    for volume in volumes {
        if let VolumeSource::Temporary {
            in_memory: false,
            size_bytes: Some(_),
        } = volume.source
        {
            notes.push(Reason {
                location: Some(node.location.clone()),
                text: format!(
                    "`size_limit` of the volume `{}` holds only with `medium: memory`",
                    volume.name
                ),
            });
        }
    }
}

/// As in the original, a mount of a volume that is not there is left out; but that is worth a note.
fn forget_unknown_volumes(steps: &mut [Step], volumes: &[Volume], notes: &mut Vec<Reason>) {
    for step in steps {
        let Some(container) = &mut step.container else {
            continue;
        };
        container.mounts.retain(|mount| {
            let MountSource::Volume(name) = &mount.source else {
                return true;
            };
            let known = volumes.iter().any(|volume| volume.name == *name);
            if !known {
                let names = volumes.iter().map(|volume| volume.name.as_str());
                let hint = nearest(name, names).map(|nearest| format!("; `{nearest}` does"));
                notes.push(Reason {
                    location: Some(step.location.clone()),
                    text: format!(
                        "`{}` mounts the volume `{name}`, which does not exist{}",
                        step.name,
                        hint.unwrap_or_default()
                    ),
                });
            }
            known
        });
    }
}
