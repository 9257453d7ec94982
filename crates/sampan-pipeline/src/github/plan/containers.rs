//! The containers of a job.

use std::collections::BTreeMap;

use sampan_model::yaml::Location;

use super::super::container::{Container, Credentials};
use super::super::job::Body;
use super::stage::{each, value};
use crate::PipelineError;
use crate::graph::{
    self, Action, EnvironmentValue, Failure, Mount, MountSource, RegistryLogin, Role, RunWhen,
    Stage, Step, Text, Verdict, Volume, VolumeSource,
};

/// Puts the job's container and its services into the stage.
pub(super) fn put(
    stage: &mut Stage,
    body: &Body,
    environment: &mut BTreeMap<String, EnvironmentValue>,
) -> Result<(), PipelineError> {
    // An empty image means none: `container: ${{ matrix.image }}`.
    let wanted =
        |container: &&Container| container.image.now().is_none_or(|image| !image.is_empty());
    if let Some(container) = body.container.as_ref().filter(wanted) {
        stage.container = Some(describe(container, &mut stage.volumes)?);
        for (name, text) in each(&container.env, "`env`")? {
            // What a step says has precedence over what its container says.
            environment
                .entry(name.clone())
                .or_insert_with(|| value(text));
        }
    }
    for service in &body.services {
        if !wanted(&&service.container) {
            continue;
        }
        let container = describe(&service.container, &mut stage.volumes)?;
        let own = each(&service.container.env, "`env`")?;
        stage.steps.push(Step {
            name: service.name.clone(),
            title: None,
            location: service.container.location.clone(),
            role: Role::Service,
            needs: Vec::new(),
            verdict: Verdict::default(),
            when: RunWhen::SUCCESS,
            failure: Failure::Fails,
            detached: true,
            container: Some(container),
            action: Action::Image {
                entrypoint: words(&service.container, service.container.entrypoint.as_ref())?,
                command: words(&service.container, service.container.command.as_ref())?,
            },
            environment: own
                .iter()
                .map(|(name, text)| (name.clone(), value(text)))
                .collect(),
            timeout: None,
        });
    }
    Ok(())
}

fn describe(
    container: &Container,
    volumes: &mut Vec<Volume>,
) -> Result<graph::Container, PipelineError> {
    let image = match &container.image {
        Text::Now(image) => Text::from(image.strip_prefix("docker://").unwrap_or(image)),
        Text::Later(_) => container.image.clone(),
    };
    Ok(graph::Container {
        image,
        login: container.credentials.as_ref().map(login),
        mounts: container
            .volumes
            .iter()
            .map(|volume| mount(volume, &container.location, volumes))
            .collect::<Result<_, _>>()?,
        ports: container.ports.clone(),
        options: container.options.clone(),
        ..graph::Container::default()
    })
}

fn login(credentials: &Credentials) -> RegistryLogin {
    RegistryLogin {
        username: value(&credentials.username),
        password: value(&credentials.password),
    }
}

/// `[SOURCE:]TARGET[:ro]`, where the source is a folder of the machine or the name of a volume.
fn mount(
    volume: &Text,
    location: &Location,
    volumes: &mut Vec<Volume>,
) -> Result<Mount, PipelineError> {
    let Text::Now(volume) = volume else {
        return Err(PipelineError::Unsupported {
            location: location.clone(),
            what: "a volume that is known only while the job runs".to_owned(),
            hint: Some("write `SOURCE:TARGET`".to_owned()),
        });
    };
    let parts: Vec<&str> = volume.split(':').collect();
    let (source, target, option) = match *parts {
        [target] => ("", target, ""),
        [source, target] => (source, target, ""),
        [source, target, option] => (source, target, option),
        _ => ("", "", "?"),
    };
    if !target.starts_with('/') || !matches!(option, "" | "ro" | "rw") {
        return Err(PipelineError::InvalidValue {
            location: location.clone(),
            what: "volume".to_owned(),
            value: volume.clone(),
            hint: Some("write `SOURCE:/TARGET` or `SOURCE:/TARGET:ro`".to_owned()),
        });
    }
    let source = if source.is_empty() {
        MountSource::Empty
    } else if source.starts_with(['/', '.', '~']) {
        MountSource::Host(source.to_owned())
    } else {
        if !volumes.iter().any(|known| known.name == source) {
            volumes.push(Volume {
                name: source.to_owned(),
                source: VolumeSource::Kept {
                    name: source.to_owned(),
                },
            });
        }
        MountSource::Volume(source.to_owned())
    };
    Ok(Mount {
        source,
        target: target.to_owned(),
        read_only: option == "ro",
    })
}

/// A command line as a shell would split it.
fn words(container: &Container, line: Option<&Text>) -> Result<Vec<String>, PipelineError> {
    let location = || container.location.clone();
    match line {
        None => Ok(Vec::new()),
        Some(Text::Now(line)) => {
            super::super::container::words(line).ok_or_else(|| PipelineError::InvalidValue {
                location: location(),
                what: "command line".to_owned(),
                value: line.clone(),
                hint: Some("a quote is not closed".to_owned()),
            })
        }
        Some(Text::Later(_)) => Err(PipelineError::Unsupported {
            location: location(),
            what: "a command of a service that is known only while the job runs".to_owned(),
            hint: None,
        }),
    }
}
