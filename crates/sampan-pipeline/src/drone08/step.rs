//! One container of Drone 0.8.

use std::collections::BTreeMap;

use sampan_model::nearest;
use sampan_model::yaml::{Content, Key, Location, Node};

use super::{Compiler, unsupported};
use crate::PipelineError;
use crate::compose;
use crate::graph::{
    Action, Container, EnvironmentValue, Failure, Limits, Pull, Reason, RegistryLogin, Role,
    RunWhen, Setting, Step, Verdict, Workspace,
};
use crate::read::{self, Fields};
use crate::settings::{self, FromSecret};

/// A container that is about to be read.
pub(super) struct Source<'a> {
    pub(super) fields: &'a Fields<'a>,
    pub(super) name: String,
    pub(super) location: &'a Location,
    pub(super) role: Role,
    pub(super) workspace: &'a Workspace,
    pub(super) arch: &'a str,
}

impl Compiler<'_> {
    pub(super) fn default_clone(&self, location: &Location, workspace: &Workspace) -> Step {
        let depth = Setting::String("0".to_owned());
        let mut environment = self.environment(BTreeMap::new(), workspace);
        environment.insert("PLUGIN_DEPTH".to_owned(), "0".into());
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
                image: "plugins/git:latest".into(),
                working_directory: Some(workspace.path.clone().into()),
                ..Container::default()
            }),
            action: Action::Plugin {
                settings: BTreeMap::from([("depth".to_owned(), depth)]),
            },
            environment,
            timeout: None,
        }
    }

    pub(super) fn step(
        &self,
        source: Source<'_>,
        notes: &mut Vec<Reason>,
    ) -> Result<Step, PipelineError> {
        let fields = source.fields;
        let (verdict, when) = self.conditions(fields.get("when"), source.arch)?;
        let written = fields.read_or_default("environment", read::text_map_or_list)?;
        let mut environment = self.environment(written, source.workspace);
        let detached = fields.read_or_default("detach", read::boolean)?;
        let detached = detached || source.role == Role::Service;
        let commands = fields.read_or_default("commands", read::text_or_texts)?;
        let secrets = fields.read_or_default("secrets", compose::secrets)?;
        let mut container = container(fields)?;
        if !detached || !commands.is_empty() {
            container.working_directory = Some(source.workspace.path.clone().into());
        }
        let action = action(&source, commands, detached, notes)?;
        match &action {
            Action::Plugin { settings } => {
                for (name, value) in settings {
                    let text = settings::encoded(&value.resolve(&|_| None));
                    let text = text.map(|text| (settings::variable_name(name), text.into()));
                    environment.extend(text);
                }
            }
            Action::Commands { .. } => {
                environment.insert("HOME".to_owned(), "/root".into());
                environment.insert("SHELL".to_owned(), "/bin/sh".into());
            }
            _ => {}
        }
        for (target, mut secret) in secrets {
            let target = target.to_uppercase();
            if let Some(EnvironmentValue::Text(text)) = environment.remove(&target) {
                secret.otherwise = Some(text);
            }
            environment.insert(target, EnvironmentValue::Secret(secret));
        }
        Ok(Step {
            name: source.name,
            title: None,
            location: source.location.clone(),
            role: source.role,
            needs: Vec::new(),
            verdict,
            when,
            failure: Failure::default(),
            detached,
            container: Some(container),
            action,
            environment,
            timeout: None,
        })
    }

    /// The step's own variables, over which come those of the build and the matrix unless they are empty or false.
    fn environment(
        &self,
        written: BTreeMap<String, String>,
        workspace: &Workspace,
    ) -> BTreeMap<String, EnvironmentValue> {
        let mut environment = written;
        for (name, value) in &self.variables {
            if !matches!(value.as_str(), "" | "0" | "false") {
                environment.insert(name.clone(), value.clone());
            }
        }
        for name in ["CI_WORKSPACE", "DRONE_WORKSPACE"] {
            environment.insert(name.to_owned(), workspace.path.clone());
        }
        environment
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect()
    }
}

fn action(
    source: &Source<'_>,
    commands: Vec<String>,
    detached: bool,
    notes: &mut Vec<Reason>,
) -> Result<Action, PipelineError> {
    let fields = source.fields;
    let entrypoint = fields.read_or_default("entrypoint", compose::command)?;
    let command = fields.read_or_default("command", compose::command)?;
    let replaced = [("entrypoint", &entrypoint), ("command", &command)]
        .into_iter()
        .find(|(_, words)| !words.is_empty());
    if let Some((key, _)) = replaced
        && (!commands.is_empty() || !detached)
    {
        return Err(PipelineError::Unsupported {
            location: source.location.clone(),
            what: format!("`{key}` of {}", fields.within()),
            hint: Some(format!(
                "use `commands`; `{key}` is for services and detached steps without commands"
            )),
        });
    }
    if !commands.is_empty() {
        // Whoever gives commands gives no parameters, so other keys are typing errors.
        fields.finish()?;
        return Ok(Action::Commands {
            commands,
            entrypoint: Vec::new(),
            shell: None,
        });
    }
    if detached {
        for (key, _) in fields.rest() {
            notes.push(Reason {
                location: Some(key.location.clone()),
                text: format!("`{}` has no effect on {}", key.name, fields.within()),
            });
        }
        return Ok(Action::Image {
            entrypoint,
            command,
        });
    }
    let settings = fields
        .rest()
        .map(|(key, node)| {
            note_slip(key, node, fields.within(), notes);
            let value = settings::setting(node, FromSecret::Never)?;
            Ok((key.name.clone(), value))
        })
        .collect::<Result<_, PipelineError>>()?;
    Ok(Action::Plugin { settings })
}

/// A mistyped `commands` makes a step a plugin that goes well without doing anything: every key may be a parameter.
fn note_slip(key: &Key, node: &Node, within: &str, notes: &mut Vec<Reason>) {
    let is_list = matches!(node.content, Content::Sequence(_));
    if is_list && nearest(&key.name, ["commands"]).is_some() {
        notes.push(Reason {
            location: Some(key.location.clone()),
            text: format!(
                "`{}` is a parameter for the image of {within}, which runs no commands; did you mean `commands`?",
                key.name
            ),
        });
    }
}

fn container(fields: &Fields<'_>) -> Result<Container, PipelineError> {
    for key in ["isolation", "ipc_mode"] {
        if let Some(node) = fields.get(key) {
            let what = format!("`{key}` of {}", fields.within());
            return Err(unsupported(node, &what));
        }
    }
    let image = fields.require("image", read::text)?;
    let login = fields.read("auth_config", login)?.flatten();
    let pull = fields.read_or_default("pull", read::boolean)?;
    Ok(Container {
        image: image.into(),
        pull: if pull { Pull::Always } else { Pull::Default },
        login,
        privileged: fields.read_or_default("privileged", read::boolean)?,
        mounts: fields.read_or_default("volumes", compose::mounts)?,
        tmpfs: fields.read_or_default("tmpfs", read::text_or_texts)?,
        devices: fields.read_or_default("devices", read::texts)?,
        dns: fields.read_or_default("dns", read::text_or_texts)?,
        dns_search: fields.read_or_default("dns_search", read::text_or_texts)?,
        extra_hosts: fields.read_or_default("extra_hosts", read::texts)?,
        networks: fields.read_or_default("networks", compose::network_names)?,
        network_mode: fields.read("network_mode", read::text)?,
        cap_add: fields.read_or_default("cap_add", read::texts)?,
        cap_drop: fields.read_or_default("cap_drop", read::texts)?,
        sysctls: fields.read_or_default("sysctls", read::text_map_or_list)?,
        ulimits: fields.read_or_default("ulimits", compose::ulimits)?,
        labels: fields.read_or_default("labels", read::text_map_or_list)?,
        limits: limits(fields)?,
        ..Container::default()
    })
}

fn limits(fields: &Fields<'_>) -> Result<Limits, PipelineError> {
    Ok(Limits {
        memory_bytes: fields.read("mem_limit", compose::size)?,
        memory_swap_bytes: fields.read("memswap_limit", read::bytes)?,
        swappiness: fields.read("mem_swappiness", compose::count)?,
        shared_memory_bytes: fields.read("shm_size", compose::size)?,
        cpu_quota_us: fields.read("cpu_quota", read::integer)?,
        cpu_shares: fields.read("cpu_shares", compose::count)?,
        cpu_set: fields.read("cpuset", read::text)?,
    })
}

fn login(node: &Node, what: &str) -> Result<Option<RegistryLogin>, PipelineError> {
    let fields = Fields::of(node, what)?;
    let username = fields.read("username", read::text)?;
    let password = fields.read("password", read::text)?;
    fields.get("email");
    fields.finish()?;
    Ok(username
        .zip(password)
        .map(|(username, password)| RegistryLogin {
            username: username.into(),
            password: password.into(),
        }))
}
