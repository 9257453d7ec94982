//! Pod and image → the description of one container. Reads the image's user files, starts nothing.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use sampan_container::{
    Capabilities, ContainerSpec, HostEntry, Mount, MountKind, Network, Process, Resources, RootFs,
    Signal, User,
};
use sampan_oci::Config;

use super::environment::{self, EnvironmentError};
use super::expansion::expand;
use super::fields::Surroundings;
use super::images::Ready;
use super::labels::Identity;
use super::sandbox::Sandbox;
use super::sources::Sources;
use super::volumes::{Pins, Prepared, VolumeError};
use super::{dns, quantity};

/// A log is rotated at this size; one older file is kept.
const LOG_LIMIT_BYTES: u64 = 10 * 1024 * 1024;

/// Why a container cannot be described.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    /// Its environment.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// One of its mounts.
    #[error(transparent)]
    Volume(#[from] VolumeError),
    /// Its user.
    #[error("cannot find the user of the container")]
    User(#[source] sampan_container::Error),
    /// It would be root and must not.
    #[error("container has runAsNonRoot and image will run as root")]
    Root,
    /// Neither it nor its image says what to run.
    #[error("no command specified")]
    NoCommand,
}

/// What a container is launched from.
pub(crate) struct Launch<'a> {
    /// The pod.
    pub(crate) pod: &'a Pod,
    /// The container.
    pub(crate) container: &'a Container,
    /// Its image.
    pub(crate) image: &'a Ready,
    /// The pod's network.
    pub(crate) sandbox: &'a Sandbox,
    /// The pod's volumes.
    pub(crate) volumes: &'a BTreeMap<String, Prepared>,
    /// What it refers to.
    pub(crate) sources: &'a Sources,
    /// Where it is.
    pub(crate) around: &'a Surroundings,
    /// The cluster's DNS.
    pub(crate) dns: IpAddr,
    /// The file for its last words.
    pub(crate) last_words: PathBuf,
    /// How often it has been restarted.
    pub(crate) attempt: i32,
}

impl Launch<'_> {
    /// Describes the container, which can be created while the pins are there.
    pub(crate) fn describe(&self, pins: &mut Pins) -> Result<ContainerSpec, LaunchError> {
        let spec = self.pod.spec.clone().unwrap_or_default();
        let environment = self.environment()?;
        let security = self.container.security_context.clone().unwrap_or_default();
        let privileged = security.privileged == Some(true);
        let image = &self.image.image;
        let cwd = self
            .container
            .working_dir
            .clone()
            .filter(|dir| !dir.is_empty());
        let cwd = cwd
            .or_else(|| image.setting(Config::working_dir))
            .unwrap_or_default();
        let capabilities = security.capabilities.unwrap_or_default();
        Ok(ContainerSpec {
            image: self.container.image.clone().unwrap_or_default(),
            rootfs: RootFs {
                lower: self.image.layers.clone(),
                upper: None,
                read_only: security.read_only_root_filesystem == Some(true),
                directories: image.volumes(),
            },
            process: Process {
                args: self.command(&environment)?,
                env: environment
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect(),
                cwd,
                user: self.user(&spec)?,
                terminal: self.container.tty == Some(true),
                stdin: self.container.stdin == Some(true),
                stdin_once: self.container.stdin_once == Some(true),
                capabilities: Capabilities {
                    add: capabilities.add.unwrap_or_default(),
                    drop: capabilities.drop.unwrap_or_default(),
                },
                privileged,
                no_new_privileges: security.allow_privilege_escalation == Some(false)
                    && !privileged,
                ..Process::default()
            },
            hostname: self.sandbox.namespace.as_ref().map(|_| hostname(self.pod)),
            mounts: self.mounts(&environment, pins)?,
            network: match &self.sandbox.namespace {
                Some(path) => Network::Namespace(path.clone()),
                None => Network::Host,
            },
            resources: resources(self.container),
            labels: self.identity().labels(),
            stop_signal: image
                .setting(Config::stop_signal)
                .and_then(|text| text.parse::<Signal>().ok()),
            hosts: self.hosts(&spec),
            dns: dns::config(
                &spec,
                self.pod.metadata.namespace.as_deref().unwrap_or_default(),
                self.dns,
            ),
            log_limit_bytes: Some(LOG_LIMIT_BYTES),
            ..ContainerSpec::default()
        })
    }

    fn identity(&self) -> Identity {
        let meta = &self.pod.metadata;
        Identity {
            namespace: meta.namespace.clone().unwrap_or_default(),
            pod: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone().unwrap_or_default(),
            container: self.container.name.clone(),
            attempt: self.attempt,
        }
    }

    fn environment(&self) -> Result<BTreeMap<String, String>, LaunchError> {
        let image = self.image.image.setting(Config::env).unwrap_or_default();
        let mut environment =
            environment::build(self.pod, self.container, &image, self.sources, self.around)?;
        if self.sandbox.namespace.is_some() {
            environment
                .entry("HOSTNAME".to_owned())
                .or_insert_with(|| hostname(self.pod));
        }
        Ok(environment)
    }

    /// `command` replaces the image's entry point and its arguments, `args` the arguments only.
    fn command(&self, environment: &BTreeMap<String, String>) -> Result<Vec<String>, LaunchError> {
        let own = |list: &Option<Vec<String>>| -> Option<Vec<String>> {
            let list = list.as_ref().filter(|list| !list.is_empty())?;
            Some(
                list.iter()
                    .map(|text| expand(text, |name| environment.get(name).cloned()))
                    .collect(),
            )
        };
        let (command, args) = (own(&self.container.command), own(&self.container.args));
        let words = self.image.image.command_line(command, args);
        if words.is_empty() {
            Err(LaunchError::NoCommand)
        } else {
            Ok(words)
        }
    }

    fn user(&self, spec: &PodSpec) -> Result<User, LaunchError> {
        let pod = spec.security_context.clone().unwrap_or_default();
        let own = self.container.security_context.clone().unwrap_or_default();
        let number = |id: Option<i64>| id.and_then(|id| u32::try_from(id).ok());
        let uid = number(own.run_as_user.or(pod.run_as_user));
        let text = match uid {
            Some(uid) => uid.to_string(),
            None => self.image.image.setting(Config::user).unwrap_or_default(),
        };
        let mut user = sampan_container::user::resolve(&self.image.layers, &text)
            .map_err(LaunchError::User)?;
        if let Some(gid) = number(own.run_as_group.or(pod.run_as_group)) {
            user.gid = gid;
        }
        let groups = pod
            .supplemental_groups
            .into_iter()
            .flatten()
            .chain(pod.fs_group);
        user.additional_gids
            .extend(groups.filter_map(|group| number(Some(group))));
        user.additional_gids.sort_unstable();
        user.additional_gids.dedup();
        let must_not = own.run_as_non_root.or(pod.run_as_non_root) == Some(true);
        if must_not && user.uid == 0 {
            Err(LaunchError::Root)
        } else {
            Ok(user)
        }
    }

    fn mounts(
        &self,
        environment: &BTreeMap<String, String>,
        pins: &mut Pins,
    ) -> Result<Vec<Mount>, LaunchError> {
        let mut mounts = Vec::new();
        for wanted in self.container.volume_mounts.iter().flatten() {
            let Some(volume) = self.volumes.get(&wanted.name) else {
                return Err(VolumeError::NoVolume(wanted.name.clone()).into());
            };
            let part = match (&wanted.sub_path, &wanted.sub_path_expr) {
                (_, Some(text)) if !text.is_empty() => {
                    expand(text, |name| environment.get(name).cloned())
                }
                (Some(text), _) => text.clone(),
                _ => String::new(),
            };
            let source = if part.is_empty() {
                volume.path.clone()
            } else {
                pins.pin(&volume.path, &part)?
            };
            mounts.push(Mount {
                source,
                target: absolute(&wanted.mount_path),
                read_only: volume.read_only || wanted.read_only == Some(true),
                kind: MountKind::Bind,
            });
        }
        // Outer directories first, whatever the order in which they were written.
        mounts.sort_by_key(|mount| mount.target.components().count());
        let target = self
            .container
            .termination_message_path
            .as_deref()
            .unwrap_or("/dev/termination-log");
        mounts.push(Mount {
            source: self.last_words.clone(),
            target: absolute(target),
            read_only: false,
            kind: MountKind::Bind,
        });
        Ok(mounts)
    }

    fn hosts(&self, spec: &PodSpec) -> Vec<HostEntry> {
        let mut entries = Vec::new();
        if self.sandbox.namespace.is_some()
            && let Ok(address) = self.sandbox.address.parse()
        {
            let name = hostname(self.pod);
            let namespace = self.pod.metadata.namespace.as_deref().unwrap_or_default();
            let mut names = vec![name.clone()];
            if let Some(subdomain) = spec.subdomain.as_ref().filter(|s| !s.is_empty()) {
                names.insert(
                    0,
                    format!(
                        "{name}.{subdomain}.{namespace}.svc.{}",
                        crate::routing::DOMAIN
                    ),
                );
            }
            entries.push(HostEntry { address, names });
        }
        for alias in spec.host_aliases.iter().flatten() {
            if let Ok(address) = alias.ip.parse() {
                entries.push(HostEntry {
                    address,
                    names: alias.hostnames.clone().unwrap_or_default(),
                });
            }
        }
        entries
    }
}

/// The host name of a pod: its own, or the pod's name, as far as a host name can be long.
pub(crate) fn hostname(pod: &Pod) -> String {
    let own = pod.spec.as_ref().and_then(|spec| spec.hostname.clone());
    let name = own
        .filter(|name| !name.is_empty())
        .or_else(|| pod.metadata.name.clone());
    let name: String = name.unwrap_or_default().chars().take(63).collect();
    name.trim_end_matches(['-', '.']).to_owned()
}

fn absolute(path: &str) -> PathBuf {
    Path::new("/").join(path)
}

fn resources(container: &Container) -> Resources {
    let positive = |value: Option<i128>| {
        value
            .filter(|value| *value > 0)
            .and_then(|value| u64::try_from(value).ok())
    };
    let cpu = quantity::request(container, "cpu").and_then(quantity::millis);
    Resources {
        memory_bytes: positive(quantity::limit(container, "memory").and_then(quantity::units)),
        cpu_millis: positive(quantity::limit(container, "cpu").and_then(quantity::millis)),
        cpu_shares: positive(cpu).map(|millis| (millis * 1024 / 1000).max(2)),
        ..Resources::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(meta: &serde_json::Value, spec: &serde_json::Value) -> Pod {
        serde_json::from_value(json!({"metadata": meta, "spec": spec})).unwrap()
    }

    #[test]
    fn host_names_are_the_pods_own_and_never_too_long() {
        assert_eq!(
            hostname(&pod(&json!({"name": "web-1"}), &json!({"containers": []}))),
            "web-1"
        );
        let own = pod(
            &json!({"name": "x"}),
            &json!({"hostname": "db-0", "containers": []}),
        );
        assert_eq!(hostname(&own), "db-0");
        let long = format!("{}-{}", "a".repeat(62), "b".repeat(20));
        let long = pod(&json!({"name": long}), &json!({"containers": []}));
        assert_eq!(hostname(&long), "a".repeat(62));
    }

    #[test]
    fn limits_become_what_the_kernel_understands() {
        let container: Container = serde_json::from_value(json!({"name": "a",
            "resources": {"limits": {"cpu": "500m", "memory": "64Mi"}, "requests": {"cpu": "250m"}}}))
        .unwrap();
        let resources = resources(&container);
        assert_eq!(resources.memory_bytes, Some(64 << 20));
        assert_eq!(
            (resources.cpu_millis, resources.cpu_shares),
            (Some(500), Some(256))
        );
    }
}
