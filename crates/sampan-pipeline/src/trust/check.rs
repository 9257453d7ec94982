//! What a graph asks of the machine without having the right.

use sampan_model::Hint;
use sampan_model::yaml::Location;

use super::{Right, Trust};
use crate::github::Options;
use crate::graph::{Container, Graph, Mount, MountSource, Stage, Text, Volume, VolumeSource};

/// Something that a pipeline asks for and may not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{location}: {}", self.sentence())]
pub struct Violation {
    /// Where the step or the stage is described.
    pub location: Location,
    /// Who asks: "the step `build`".
    pub who: String,
    /// What is asked for: "`privileged`".
    pub what: String,
    /// The right that is missing.
    pub right: Right,
    /// How the same can be had without the right, where there is a way.
    pub instead: Option<&'static str>,
}

impl Violation {
    /// Who asks for what, without the place.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { who, what, .. } = self;
        format!("{who} asks for {what}, which only trusted projects may")
    }
}

impl Hint for Violation {
    fn hint(&self) -> Option<String> {
        let allow = format!(
            "if you trust the pipeline, run it with `--trusted`, or give its project the right `{}` under `trusted` in `ci.yaml`",
            self.right
        );
        Some(match self.instead {
            Some(instead) => format!("{instead}; {allow}"),
            None => allow,
        })
    }
}

const DOCKER_SOCKET: &str = "/var/run/docker.sock";
const INSTEAD_OF_ENGINE: &str =
    "name a cluster with `kubernetes_server` and a secret `kubernetes_token` of its own";
const INSTEAD_OF_DOCKER: &str = "there is no Docker here: `plugins/docker` and `docker/build-push-action` build images without it";

/// All that the stages and steps of a graph that may run ask for without having the right, in the order of the graph.
#[must_use]
pub fn violations(graph: &Graph, trust: Trust) -> Vec<Violation> {
    let mut list = List {
        trust,
        found: Vec::new(),
    };
    for stage in graph.stages.iter().filter(|stage| stage.verdict.runs()) {
        list.stage(stage);
    }
    list.found
}

/// What a stage asks for without having the right.
#[must_use]
pub(crate) fn of_stage(stage: &Stage, trust: Trust) -> Vec<Violation> {
    let mut list = List {
        trust,
        found: Vec::new(),
    };
    list.stage(stage);
    list.found
}

/// The first thing that a container asks for without having the right, when it is about to be made.
pub(crate) fn of_container(
    stage: &Stage,
    container: &Container,
    name: &str,
    trust: Trust,
) -> Result<(), Box<Violation>> {
    let mut list = List {
        trust,
        found: Vec::new(),
    };
    let who = format!("the container of `{name}`");
    list.container(stage, container, &who, &stage.location);
    match list.found.into_iter().next() {
        Some(violation) => Err(Box::new(violation)),
        None => Ok(()),
    }
}

struct List {
    trust: Trust,
    found: Vec<Violation>,
}

impl List {
    fn ask(&mut self, right: Right, what: String, who: &str, location: &Location) {
        if self.trust.allows(right) {
            return;
        }
        let instead = match right {
            Right::Engine => Some(INSTEAD_OF_ENGINE),
            _ => what.contains(DOCKER_SOCKET).then_some(INSTEAD_OF_DOCKER),
        };
        self.found.push(Violation {
            location: location.clone(),
            who: who.to_owned(),
            what,
            right,
            instead,
        });
    }

    fn stage(&mut self, stage: &Stage) {
        if let Some(container) = &stage.container {
            let who = format!("the stage `{}`", stage.name);
            self.container(stage, container, &who, &stage.location);
        }
        for step in stage.steps.iter().filter(|step| step.verdict.runs()) {
            let who = format!("the step `{}`", step.name);
            // What is built in has no container that could have rights.
            match (crate::built_in::of(step), &step.container) {
                (Some(Ok(built_in)), _) if built_in.wants_own_engine(step) => {
                    let what = "the engine of the installation".to_owned();
                    self.ask(Right::Engine, what, &who, &step.location);
                }
                (None, Some(container)) => {
                    self.container(stage, container, &who, &step.location);
                }
                _ => {}
            }
        }
    }

    fn container(&mut self, stage: &Stage, container: &Container, who: &str, location: &Location) {
        let mut ask = |right, what| self.ask(right, what, who, location);
        if container.privileged {
            ask(Right::Privileges, "`privileged`".to_owned());
        }
        for capability in &container.cap_add {
            ask(Right::Privileges, format!("the capability `{capability}`"));
        }
        for device in &container.devices {
            ask(Right::Privileges, format!("the device `{device}`"));
        }
        for parameter in container.sysctls.keys() {
            ask(
                Right::Privileges,
                format!("the kernel parameter `{parameter}`"),
            );
        }
        if let Some(mode) = &container.network_mode
            && !matches!(mode.as_str(), "" | "none" | "bridge" | "default")
            && !stage.networks.contains(mode)
        {
            ask(Right::Network, format!("the network `{mode}`"));
        }
        for mount in &container.mounts {
            if let Some(what) = beyond(mount, &stage.volumes) {
                ask(Right::Volumes, what);
            }
        }
        // What only the run can tell is looked at when the container is made.
        if let Some(Text::Now(options)) = &container.options
            && let Ok(options) = Options::parse(options, location)
        {
            self.options(&options, who, location);
        }
    }

    fn options(&mut self, options: &Options, who: &str, location: &Location) {
        for (name, value) in &options.others {
            let value = value.as_deref().unwrap_or_default();
            let Some(right) = right_of_option(name, value) else {
                continue;
            };
            let what = if value.is_empty() {
                format!("`{name}`")
            } else {
                format!("`{name} {value}`")
            };
            self.ask(right, what, who, location);
        }
    }
}

/// What a mount reaches beyond the run, if it does.
fn beyond(mount: &Mount, volumes: &[Volume]) -> Option<String> {
    let name = match &mount.source {
        MountSource::Empty => return None,
        MountSource::Host(path) => return Some(format!("the folder `{path}` of the machine")),
        MountSource::Volume(name) => name,
    };
    match volumes
        .iter()
        .find(|volume| volume.name == *name)
        .map(|volume| &volume.source)
    {
        Some(VolumeSource::Temporary { .. }) => None,
        Some(VolumeSource::Host { path }) => Some(format!("the folder `{path}` of the machine")),
        // A name that the stage does not declare is a volume of the machine, as with Docker.
        Some(VolumeSource::Kept { .. }) | None => {
            Some(format!("the volume `{name}` that stays after the run"))
        }
    }
}

/// The right that an option of `docker create` needs.
fn right_of_option(name: &str, value: &str) -> Option<Right> {
    let is_host = value == "host" || value.starts_with("container:");
    match name {
        // To give up what is there needs no right.
        "--security-opt" if value.starts_with("no-new-privileges") => None,
        "--privileged" | "--device" | "--cap-add" | "--sysctl" | "--gpus" | "--runtime"
        | "--oom-kill-disable" | "--oom-score-adj" | "--env-file" | "--security-opt" => {
            Some(Right::Privileges)
        }
        "--pid" | "--ipc" | "--userns" | "--uts" if is_host => Some(Right::Privileges),
        "--volumes-from" => Some(Right::Volumes),
        "--volume" => {
            let source = value.split_once(':').map(|(source, _)| source);
            source.is_some().then_some(Right::Volumes)
        }
        "--mount" => {
            (!value.split(',').any(|part| part.trim() == "type=tmpfs")).then_some(Right::Volumes)
        }
        _ => None,
    }
}
