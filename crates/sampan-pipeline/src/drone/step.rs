//! One container of Drone 1.x.

use std::collections::BTreeMap;

use sampan_model::yaml::{Content, Node};

use super::conditions;
use super::variables::Variables;
use crate::PipelineError;
use crate::allowance::Allowance;
use crate::build::Build;
use crate::compose;
use crate::glob::Form;
use crate::graph::{
    Action, Container, Deferred, EnvironmentValue, Failure, Limits, Mount, MountSource, Pull, Role,
    Setting, Step, Verdict, Volume, VolumeSource, Workspace,
};
use crate::read::{self, Fields};
use crate::settings::{self, FromSecret};

/// What all steps of a pipeline share.
pub(super) struct Names<'a> {
    pub(super) build: &'a Build,
    pub(super) allowance: &'a Allowance,
    pub(super) variables: &'a Variables,
    pub(super) common: &'a BTreeMap<String, String>,
    pub(super) workspace: &'a Workspace,
    pub(super) volumes: &'a [Volume],
    /// Whether steps run on a machine where they name no image.
    pub(super) has_machine: bool,
}

/// A container that is about to be read.
pub(super) struct Source<'a> {
    pub(super) node: &'a Node,
    pub(super) role: Role,
    pub(super) number: usize,
}

type Environment = BTreeMap<String, EnvironmentValue>;

impl Names<'_> {
    pub(super) fn step(&self, source: &Source<'_>) -> Result<Step, PipelineError> {
        let fields = Fields::of(source.node, "a step")?;
        let name = fields.read_or_default("name", read::text)?;
        let name = if name.is_empty() {
            format!("step-{}", source.number)
        } else {
            name
        };
        let fields = Fields::of(source.node, format!("the step `{name}`"))?;
        fields.get("name");
        let mut verdict = Verdict::default();
        let when = conditions::read(
            fields.get("when"),
            "`when`",
            Form::Deep,
            (self.build, self.allowance),
            &mut verdict,
        )?;
        let detached = fields.read_or_default("detach", read::boolean)?;
        let detached = detached || source.role == Role::Service;
        let written = fields.read_or_default("environment", environment)?;
        let settings = fields.read_or_default("settings", step_settings)?;
        let mut environment = self.environment(written, &settings);
        environment.extend(self.of_step(&name, source.number));
        keep_secrets(&mut environment, &fields, &settings)?;
        let failure = fields.read_or_default("failure", failure)?;
        let needs = fields.read_or_default("depends_on", read::text_or_texts)?;
        let commands = fields.read_or_default("commands", read::text_or_texts)?;
        let mut container = self.container(&fields)?;
        if container.working_directory.is_none() && (!detached || !commands.is_empty()) {
            container.working_directory = Some(self.workspace.path.clone().into());
        }
        let action = action(&fields, commands, settings, detached)?;
        refuse_builds(&fields)?;
        fields.finish()?;
        Ok(Step {
            name,
            title: None,
            location: source.node.location.clone(),
            role: source.role,
            needs,
            verdict,
            when,
            failure,
            detached,
            container: Some(container),
            action,
            environment,
            timeout: None,
        })
    }

    /// The common variables, then the step's own, then its settings.
    pub(super) fn environment(
        &self,
        written: Environment,
        settings: &BTreeMap<String, Setting>,
    ) -> Environment {
        let mut environment: Environment = self
            .common
            .iter()
            .map(|(name, value)| (name.clone(), value.clone().into()))
            .collect();
        environment.extend(written);
        for (name, value) in settings {
            let encoded = match value {
                Setting::Secret(secret) => Some(EnvironmentValue::Secret(secret.clone())),
                known => settings::encoded(&known.resolve(&|_| None)).map(Into::into),
            };
            if let Some(encoded) = encoded {
                environment.insert(settings::variable_name(name), encoded);
            }
        }
        environment
    }

    /// The variables that a step cannot replace.
    pub(super) fn of_step(&self, name: &str, number: usize) -> Environment {
        let firm = self.variables.of_step(name, number);
        firm.into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect()
    }

    fn container(&self, fields: &Fields<'_>) -> Result<Container, PipelineError> {
        Ok(Container {
            image: match fields.read("image", read::text)? {
                None if self.has_machine => String::new(),
                Some(image) => image,
                None => fields.require("image", read::text)?,
            }
            .into(),
            pull: fields.read_or_default("pull", pull)?,
            working_directory: fields.read("working_dir", read::text)?.map(Into::into),
            user: fields.read("user", read::text)?,
            privileged: fields.read_or_default("privileged", read::boolean)?,
            mounts: fields.read_or_default("volumes", mounts)?,
            devices: fields.read_or_default("devices", |node, what| self.devices(node, what))?,
            ports: fields.read_or_default("ports", ports)?,
            dns: fields.read_or_default("dns", read::text_or_texts)?,
            dns_search: fields.read_or_default("dns_search", read::text_or_texts)?,
            extra_hosts: fields.read_or_default("extra_hosts", read::texts)?,
            network_mode: fields.read("network_mode", read::text)?,
            limits: limits(fields)?,
            ..Container::default()
        })
    }

    /// A device is a volume with a path of the machine.
    fn devices(&self, node: &Node, what: &str) -> Result<Vec<String>, PipelineError> {
        read::list(node, what)?
            .iter()
            .map(|item| {
                let fields = Fields::of(item, format!("an item of {what}"))?;
                let name = fields.require("name", read::text)?;
                let path = fields.require("path", read::text)?;
                fields.finish()?;
                let volume = self.volumes.iter().find(|volume| volume.name == name);
                match volume.map(|volume| &volume.source) {
                    Some(VolumeSource::Host { path: host }) => Ok(format!("{host}:{path}")),
                    _ => Err(PipelineError::InvalidValue {
                        location: item.location.clone(),
                        what: "device".to_owned(),
                        value: name,
                        hint: Some("name a volume with a `host` path".to_owned()),
                    }),
                }
            })
            .collect()
    }
}

/// Secrets replace whatever else has their name.
fn keep_secrets(
    environment: &mut Environment,
    fields: &Fields<'_>,
    settings: &BTreeMap<String, Setting>,
) -> Result<(), PipelineError> {
    let written = fields.read_or_default("environment", self::environment)?;
    let secrets = written
        .into_iter()
        .filter(|(_, value)| matches!(value, EnvironmentValue::Secret(_)));
    let of_settings = settings.iter().filter_map(|(name, value)| match value {
        Setting::Secret(secret) => {
            let value = EnvironmentValue::Secret(secret.clone());
            Some((settings::variable_name(name), value))
        }
        _ => None,
    });
    for (name, value) in secrets.chain(of_settings) {
        environment.insert(name, value);
    }
    Ok(())
}

/// Texts, or secrets by `from_secret`.
fn environment(node: &Node, what: &str) -> Result<Environment, PipelineError> {
    let mut environment = BTreeMap::new();
    for (key, node) in Fields::of(node, what)?.entries() {
        let what = format!("`{}` of {what}", key.name);
        let value = match &node.content {
            Content::Null => continue,
            Content::Mapping(_) => match settings::from_secret(node, &what)? {
                Some(secret) => EnvironmentValue::Secret(secret),
                None => return Err(read::wrong_type(node, &what, "text or `from_secret`")),
            },
            _ => read::text(node, &what)?.into(),
        };
        environment.insert(key.name.clone(), value);
    }
    Ok(environment)
}

fn step_settings(node: &Node, what: &str) -> Result<BTreeMap<String, Setting>, PipelineError> {
    Fields::of(node, what)?
        .entries()
        .iter()
        .map(|(key, node)| {
            Ok((
                key.name.clone(),
                settings::setting(node, FromSecret::Whole)?,
            ))
        })
        .collect()
}

fn action(
    fields: &Fields<'_>,
    commands: Vec<String>,
    settings: BTreeMap<String, Setting>,
    detached: bool,
) -> Result<Action, PipelineError> {
    let entrypoint = fields.read_or_default("entrypoint", read::text_or_texts)?;
    let command = fields.read_or_default("command", read::text_or_texts)?;
    let shell = fields.read("shell", read::text)?;
    Ok(if !commands.is_empty() {
        Action::Commands {
            commands,
            entrypoint: Vec::new(),
            shell,
        }
    } else if entrypoint.is_empty() && command.is_empty() && !(detached && settings.is_empty()) {
        Action::Plugin { settings }
    } else {
        Action::Image {
            entrypoint,
            command,
        }
    })
}

/// Keys of a plan for Drone that never came to be.
fn refuse_builds(fields: &Fields<'_>) -> Result<(), PipelineError> {
    for key in ["build", "push"] {
        if let Some(node) = fields.get(key) {
            return Err(PipelineError::Unsupported {
                location: node.location.clone(),
                what: format!("`{key}` of {}", fields.within()),
                hint: Some("use the image `plugins/docker` with settings".to_owned()),
            });
        }
    }
    Ok(())
}

fn failure(node: &Node, what: &str) -> Result<Failure, PipelineError> {
    let word = read::text(node, what)?;
    match word.as_str() {
        "" | "always" | "fail" => Ok(Failure::Fails),
        "ignore" => Ok(Failure::Ignored(Deferred::Now(true))),
        "fast" | "fast-fail" | "fail-fast" => Ok(Failure::FailsFast),
        _ => Err(PipelineError::InvalidValue {
            location: node.location.clone(),
            what: "failure rule".to_owned(),
            value: word,
            hint: Some("write `ignore` or `fast`".to_owned()),
        }),
    }
}

fn pull(node: &Node, what: &str) -> Result<Pull, PipelineError> {
    let word = read::text(node, what)?;
    match word.to_ascii_lowercase().as_str() {
        "" | "default" | "false" => Ok(Pull::Default),
        "always" | "true" => Ok(Pull::Always),
        "if-not-exists" => Ok(Pull::IfNotExists),
        "never" => Ok(Pull::Never),
        _ => Err(PipelineError::InvalidValue {
            location: node.location.clone(),
            what: "pull rule".to_owned(),
            value: word,
            hint: Some("write `always`, `if-not-exists` or `never`".to_owned()),
        }),
    }
}

fn mounts(node: &Node, what: &str) -> Result<Vec<Mount>, PipelineError> {
    read::list(node, what)?
        .iter()
        .map(|item| {
            let fields = Fields::of(item, format!("an item of {what}"))?;
            let name = fields.require("name", read::text)?;
            let target = fields.require("path", read::text)?;
            let read_only = fields.read_or_default("read_only", read::boolean)?;
            fields.finish()?;
            Ok(Mount {
                source: MountSource::Volume(name),
                target,
                read_only,
            })
        })
        .collect()
}

/// Numbers, or mappings of `port`, `host` and `protocol`.
fn ports(node: &Node, what: &str) -> Result<Vec<crate::graph::Text>, PipelineError> {
    read::list(node, what)?
        .iter()
        .map(|item| {
            if !matches!(item.content, Content::Mapping(_)) {
                return Ok(read::text(item, what)?.into());
            }
            let fields = Fields::of(item, format!("an item of {what}"))?;
            let port = fields.require("port", read::text)?;
            let host = fields.read("host", read::text)?;
            let protocol = fields.read("protocol", read::text)?;
            fields.finish()?;
            let host = host.map(|host| format!("{host}:")).unwrap_or_default();
            let protocol = protocol.map(|name| format!("/{}", name.to_lowercase()));
            Ok(format!("{host}{port}{}", protocol.unwrap_or_default()).into())
        })
        .collect()
}

fn limits(fields: &Fields<'_>) -> Result<Limits, PipelineError> {
    let mut limits = Limits {
        memory_bytes: fields.read("mem_limit", compose::size)?,
        memory_swap_bytes: fields.read("memswap_limit", read::bytes)?,
        shared_memory_bytes: fields.read("shm_size", compose::size)?,
        ..Limits::default()
    };
    let Some(node) = fields.get("resources") else {
        return Ok(limits);
    };
    let resources = Fields::of(node, "`resources`")?;
    resources.get("requests");
    if let Some(node) = resources.get("limits") {
        let bounds = Fields::of(node, "`limits` of `resources`")?;
        if let Some(memory) = bounds.read("memory", compose::size)? {
            limits.memory_bytes = Some(memory);
        }
        limits.cpu_quota_us = bounds.read("cpu", processors)?;
        bounds.finish()?;
    }
    resources.finish()?;
    Ok(limits)
}

/// Processors as microseconds of each period of 100 ms: a number of processors (`0.5`, `2`), thousandths (`500m`), or a
/// bare number from 100 on, which counts thousandths too.
fn processors(node: &Node, what: &str) -> Result<i64, PipelineError> {
    let written = read::text(node, what)?;
    let thousandths = match written.strip_suffix('m') {
        Some(number) => number.parse::<f64>().ok(),
        None => written.parse::<f64>().ok().map(|number| {
            if number < 100.0 {
                number * 1000.0
            } else {
                number
            }
        }),
    };
    let quota = thousandths
        .filter(|number| number.is_finite() && (0.0..1e9).contains(number))
        .map(|number| number * 100.0);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range was looked at, and a part of a microsecond does not matter"
    )]
    quota
        .map(|quota| quota as i64)
        .ok_or_else(|| PipelineError::InvalidValue {
            location: node.location.clone(),
            what: "number of processors".to_owned(),
            value: written,
            hint: None,
        })
}
