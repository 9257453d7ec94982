//! One container of Woodpecker.

use std::collections::BTreeMap;

use sampan_model::yaml::{Content, Location, Node};

use super::workflow::{self, BASE, Read};
use super::{Workflow, variables};
use crate::PipelineError;
use crate::build::Event;
use crate::compose;
use crate::graph::{
    Action, Container, Deferred, EnvironmentValue, Failure, Limits, Pull, Reason, Role, RunWhen,
    SecretUse, Setting, Step, Verdict, Workspace,
};
use crate::read::{self, Fields};
use crate::settings::{self, FromSecret};

/// What a container is to its workflow.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) role: Role,
}

/// A container that is about to be read.
pub(super) struct Source<'a> {
    pub(super) name: String,
    pub(super) location: &'a Location,
    pub(super) node: &'a Node,
    pub(super) kind: Kind,
    pub(super) workspace: &'a Workspace,
    pub(super) number: usize,
}

type Environment = BTreeMap<String, EnvironmentValue>;
type Settings = BTreeMap<String, Setting>;

impl Workflow<'_> {
    pub(super) fn default_clone(
        &self,
        location: &Location,
        workspace: &Workspace,
        number: usize,
    ) -> Step {
        let text = |text: &str| Setting::String(text.to_owned());
        let mut settings = BTreeMap::from([("depth".to_owned(), text("0"))]);
        if self.build.event == Event::Tag {
            settings.insert("tags".to_owned(), text("true"));
        }
        let workspace = plugin_workspace(workspace);
        let mut environment = self.environment("clone", number, true, &workspace);
        add_settings(&settings, &mut environment);
        Step {
            name: "clone".to_owned(),
            title: None,
            location: location.clone(),
            role: Role::Clone,
            needs: Vec::new(),
            verdict: Verdict::default(),
            when: RunWhen::default(),
            failure: Failure::default(),
            detached: false,
            container: Some(Container {
                image: "docker.io/woodpeckerci/plugin-git".into(),
                working_directory: Some(workspace.path.into()),
                ..Container::default()
            }),
            action: Action::Plugin { settings },
            environment,
            timeout: None,
        }
    }

    pub(super) fn step(
        &self,
        source: &Source<'_>,
        notes: &mut Vec<Reason>,
    ) -> Result<Read, PipelineError> {
        let called = source.node.get("name").and_then(Node::scalar);
        let called = called.unwrap_or(&source.name);
        let fields = Fields::of(source.node, format!("the step `{called}`"))?;
        let name = fields.read_or_default("name", read::text)?;
        let name = if name.is_empty() {
            source.name.clone()
        } else {
            name
        };
        let (verdict, when) = self.conditions(fields.get("when"), false)?;
        let detached = fields.read_or_default("detach", read::boolean)?;
        let detached = detached || source.kind.role == Role::Service;
        let commands = fields.read_or_default("commands", read::text_or_texts)?;
        let entrypoint = fields.read_or_default("entrypoint", read::text_or_texts)?;
        let written = fields.read_or_default("environment", written_environment)?;
        let settings = fields.read_or_default("settings", step_settings)?;
        let plugin = commands.is_empty() && entrypoint.is_empty() && written.is_empty();
        refuse_both(&fields, &settings, &commands, &entrypoint)?;
        let workspace = if plugin {
            plugin_workspace(source.workspace)
        } else {
            source.workspace.clone()
        };
        let mut environment = self.environment(&name, source.number, plugin, &workspace);
        add_settings(&settings, &mut environment);
        add_written(&written, &mut environment);
        add_secrets(&fields, &mut environment, notes)?;
        let mut container = container(&fields, notes)?;
        let directory = fields.read_or_default("directory", read::text)?;
        container.working_directory = Some(working_directory(&directory, &workspace).into());
        let needs = fields.read("depends_on", workflow::needs)?;
        let group = fields.read("group", read::text)?;
        let failure = fields.read_or_default("failure", failure)?;
        fields.finish()?;
        let step = Step {
            name,
            title: None,
            location: source.location.clone(),
            role: source.kind.role,
            needs: Vec::new(),
            verdict,
            when,
            failure,
            detached,
            container: Some(container),
            action: action(commands, entrypoint, settings, detached),
            environment,
            timeout: None,
        };
        Ok(Read {
            name: step.name.clone(),
            step,
            needs,
            group,
        })
    }

    /// The variables of the workflow; those of the matrix and the user's are not for plugins.
    fn environment(
        &self,
        step: &str,
        number: usize,
        plugin: bool,
        workspace: &Workspace,
    ) -> Environment {
        let mut values = self.variables.clone();
        variables::of_step(self.build, step, number, &mut values);
        if plugin {
            variables::for_plugins_of_drone(&mut values);
        } else {
            values.extend(self.combination.iter().cloned());
            values.extend(self.build.parameters.clone());
        }
        values.insert("CI_WORKSPACE".to_owned(), workspace.path.clone());
        values
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect()
    }
}

/// Plugins find the workspace where they expect it, wherever the file puts it.
fn plugin_workspace(workspace: &Workspace) -> Workspace {
    let below = workspace
        .path
        .strip_prefix(&workspace.base)
        .unwrap_or(&workspace.path);
    Workspace {
        base: BASE.to_owned(),
        path: crate::path::join(BASE, below),
    }
}

fn working_directory(directory: &str, workspace: &Workspace) -> String {
    if directory.starts_with('/') {
        directory.to_owned()
    } else {
        crate::path::join(&workspace.path, directory)
    }
}

fn action(
    commands: Vec<String>,
    entrypoint: Vec<String>,
    settings: Settings,
    detached: bool,
) -> Action {
    if !commands.is_empty() {
        Action::Commands {
            commands,
            entrypoint,
            shell: None,
        }
    } else if !entrypoint.is_empty() || (detached && settings.is_empty()) {
        Action::Image {
            entrypoint,
            command: Vec::new(),
        }
    } else {
        Action::Plugin { settings }
    }
}

fn refuse_both(
    fields: &Fields<'_>,
    settings: &Settings,
    commands: &[String],
    entrypoint: &[String],
) -> Result<(), PipelineError> {
    let other = if !commands.is_empty() {
        "commands"
    } else if !entrypoint.is_empty() {
        "entrypoint"
    } else {
        return Ok(());
    };
    if settings.is_empty() {
        return Ok(());
    }
    Err(PipelineError::Unsupported {
        location: fields.node().location.clone(),
        what: format!("`settings` beside `{other}` in {}", fields.within()),
        hint: Some("use `environment` for steps, `settings` for plugins".to_owned()),
    })
}

fn step_settings(node: &Node, what: &str) -> Result<Settings, PipelineError> {
    Fields::of(node, what)?
        .entries()
        .iter()
        .map(|(key, node)| {
            let value = settings::setting(node, FromSecret::Anywhere)?;
            Ok((key.name.clone(), required(value)))
        })
        .collect()
}

/// A mapping of any values, or a list of `KEY=VALUE`.
fn written_environment(node: &Node, what: &str) -> Result<Settings, PipelineError> {
    if matches!(node.content, Content::Sequence(_)) {
        let texts = read::text_map_or_list(node, what)?;
        return Ok(texts
            .into_iter()
            .map(|(name, value)| (name, Setting::String(value)))
            .collect());
    }
    let mut values = BTreeMap::new();
    for (key, node) in Fields::of(node, what)?.entries() {
        // Numbers keep their text, which is what a shell shall see.
        let value = match &node.content {
            Content::Number(number) => Setting::String(number.text.clone()),
            _ => required(settings::setting(node, FromSecret::Anywhere)?),
        };
        values.insert(key.name.clone(), value);
    }
    Ok(values)
}

/// Secrets that a step names must be there.
fn required(setting: Setting) -> Setting {
    match setting {
        Setting::Secret(secret) => Setting::Secret(SecretUse {
            required: true,
            ..secret
        }),
        Setting::List(items) => Setting::List(items.into_iter().map(required).collect()),
        Setting::Map(entries) => Setting::Map(
            entries
                .into_iter()
                .map(|(key, value)| (key, required(value)))
                .collect(),
        ),
        other => other,
    }
}

fn add_settings(settings: &Settings, environment: &mut Environment) {
    for (name, value) in settings {
        let name = settings::variable_name(&name.replace(['.', '-'], "_"));
        add(name, value, environment);
    }
}

fn add_written(written: &Settings, environment: &mut Environment) {
    for (name, value) in written {
        add(name.clone(), value, environment);
    }
}

fn add(name: String, value: &Setting, environment: &mut Environment) {
    let mut secrets = false;
    value.secrets(&mut |_| secrets = true);
    let value = match value {
        Setting::Secret(secret) => Some(EnvironmentValue::Secret(secret.clone())),
        other if secrets => Some(EnvironmentValue::Setting(other.clone())),
        other => settings::encoded(&other.resolve(&|_| None)).map(Into::into),
    };
    if let Some(value) = value {
        environment.insert(name, value);
    }
}

/// `secrets` of earlier versions: names, or mappings of `source` and `target`.
fn add_secrets(
    fields: &Fields<'_>,
    environment: &mut Environment,
    notes: &mut Vec<Reason>,
) -> Result<(), PipelineError> {
    let Some(node) = fields.get("secrets") else {
        return Ok(());
    };
    notes.push(Reason {
        location: Some(node.location.clone()),
        text: "`secrets` of steps is given up since Woodpecker 3.0; use `from_secret`".to_owned(),
    });
    for (target, secret) in compose::secrets(node, "`secrets`")? {
        let secret = SecretUse {
            required: true,
            ..secret
        };
        environment.insert(target.to_uppercase(), EnvironmentValue::Secret(secret));
    }
    Ok(())
}

fn container(fields: &Fields<'_>, notes: &mut Vec<Reason>) -> Result<Container, PipelineError> {
    let pull = fields.read_or_default("pull", read::boolean)?;
    if let Some(node) = fields.get("backend_options") {
        backend_options(node, notes)?;
    }
    Ok(Container {
        image: fields.require("image", read::text)?.into(),
        pull: if pull { Pull::Always } else { Pull::Default },
        privileged: fields.read_or_default("privileged", read::boolean)?,
        mounts: fields.read_or_default("volumes", compose::mounts)?,
        tmpfs: fields.read_or_default("tmpfs", read::text_or_texts)?,
        devices: fields.read_or_default("devices", read::texts)?,
        ports: fields
            .read_or_default("ports", read::texts)?
            .into_iter()
            .map(Into::into)
            .collect(),
        dns: fields.read_or_default("dns", read::text_or_texts)?,
        dns_search: fields.read_or_default("dns_search", read::text_or_texts)?,
        extra_hosts: fields.read_or_default("extra_hosts", read::texts)?,
        network_mode: fields.read("network_mode", read::text)?,
        limits: limits(fields)?,
        ..Container::default()
    })
}

/// Limits of earlier versions.
fn limits(fields: &Fields<'_>) -> Result<Limits, PipelineError> {
    Ok(Limits {
        memory_bytes: fields.read("mem_limit", compose::size)?,
        memory_swap_bytes: fields.read("memswap_limit", read::bytes)?,
        shared_memory_bytes: fields.read("shm_size", compose::size)?,
        ..Limits::default()
    })
}

/// Options of the machinery that runs steps elsewhere say nothing to the one here.
fn backend_options(node: &Node, notes: &mut Vec<Reason>) -> Result<(), PipelineError> {
    for (key, node) in Fields::of(node, "`backend_options`")?.entries() {
        if !matches!(
            key.name.as_str(),
            "docker" | "kubernetes" | "local" | "dummy"
        ) {
            return Err(PipelineError::UnknownKey {
                location: key.location.clone(),
                within: "`backend_options`".to_owned(),
                key: key.name.clone(),
                nearest: None,
            });
        }
        notes.push(Reason {
            location: Some(node.location.clone()),
            text: format!("options of the backend `{}` have no effect here", key.name),
        });
    }
    Ok(())
}

fn failure(node: &Node, what: &str) -> Result<Failure, PipelineError> {
    let word = read::text(node, what)?;
    match word.as_str() {
        "" | "fail" => Ok(Failure::Fails),
        "ignore" => Ok(Failure::Ignored(Deferred::Now(true))),
        "cancel" => Ok(Failure::FailsFast),
        _ => Err(PipelineError::InvalidValue {
            location: node.location.clone(),
            what: "failure rule".to_owned(),
            value: word,
            hint: Some("write `fail`, `ignore` or `cancel`".to_owned()),
        }),
    }
}
