//! The container of a job: what it is made from, and what keeps it alive.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Mutex;

use rustix::fs::{CWD, Mode, OFlags, openat};
use sampan_container::{ContainerId, ContainerSpec, ContainerState, Mount, Network, Runtime};

use super::files::Files;
use super::kept::EarlierJob;
use super::{Job, JobError, JobState, PATH, RUNNER, apply_options};
use crate::expression::Value;
use crate::github::context::Conclusion;
use crate::github::matcher::Matchers;
use crate::graph::{Container, Deferred};
use crate::run::RunError;
use crate::run::description::{Parts, Program, bind, describe};
use crate::run::environment::Variables;
use crate::run::stage_run::StageRun;
use crate::run::step::{Guarded, StepError};
use crate::run::workflow::Given;

impl Job {
    /// Makes the job's container and starts it; goes on where the job was in an earlier run.
    pub(in crate::run) fn begin(
        run: &mut StageRun<'_>,
        given: Given,
        earlier: Option<&EarlierJob>,
    ) -> Result<Self, StepError> {
        run.masks.know(given.secrets.values());
        let root = run.folders.root.join("runner");
        for name in ["home", "temp", "tools", "actions", "files"] {
            let path = root.join(name);
            std::fs::create_dir_all(&path).map_err(RunError::io("make", &path))?;
        }
        let kept = match earlier {
            Some(earlier) => {
                earlier.restore(&root)?;
                Some(earlier.read(run, &given)?)
            }
            None => None,
        };
        let event = given.github.get("event").map(Value::to_json);
        let path = root.join("event.json");
        std::fs::write(&path, event.unwrap_or_default()).map_err(RunError::io("write", &path))?;
        let place = run.network.place_of_job()?;
        let (container, own) = container(run, &given)?;
        let image = run.image(&container)?;
        let program = program(run, &root, own, run.stage.container.is_some());
        let upper = root.join("upper");
        std::fs::create_dir_all(&upper).map_err(RunError::io("make", &upper))?;
        let shared = run.shared;
        let mut spec = describe(Parts {
            data: &shared.executor.data,
            run: shared.run.folder,
            trust: shared.run.trust,
            stage: run.stage,
            folders: &run.folders,
            container: &container,
            image: &image,
            program,
            upper,
            network: Network::Namespace(place.namespace.path().to_owned()),
            hosts: run.network.hosts().to_vec(),
            host_name: &run.stage.name,
        })?;
        let changed = match (earlier, &kept) {
            (Some(earlier), Some(kept)) => earlier.changed(kept, &image.lower)?,
            _ => Vec::new(),
        };
        spec.rootfs.lower.splice(0..0, changed.iter().cloned());
        let mut state = JobState::new();
        if let Some(kept) = kept {
            kept.put(run, &mut state)?;
        }
        let runtime = &shared.executor.runtime;
        let guarded = Guarded::create(runtime, &spec)?;
        runtime.start(&guarded.id)?;
        Ok(Self {
            container_root: root_of(runtime, &guarded.id)?,
            container: guarded,
            layers: image.lower.clone(),
            changed,
            path: variable(&spec, "PATH", PATH),
            home: variable(&spec, "HOME", "/root"),
            files: Files::open(&root.join("files"))?,
            root,
            place,
            in_container: run.stage.container.is_some(),
            given,
            state: Mutex::new(state),
        })
    }
}

impl JobState {
    fn new() -> Self {
        Self {
            steps: Vec::new(),
            outputs: BTreeMap::new(),
            variables: Variables::new(),
            paths: Vec::new(),
            status: Conclusion::Success,
            posts: Vec::new(),
            saved: BTreeMap::new(),
            prepared: BTreeMap::new(),
            matchers: Matchers::default(),
            passed: 0,
            grace: None,
            broken: None,
        }
    }
}

/// What a variable of a container holds.
fn variable(spec: &ContainerSpec, name: &str, otherwise: &str) -> String {
    let mut lines = spec.process.env.iter().rev();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    value.unwrap_or(otherwise).to_owned()
}

/// The root folder as a container sees it. It stays that one whatever becomes of the process.
fn root_of(runtime: &Runtime, id: &ContainerId) -> Result<OwnedFd, StepError> {
    let pid = || match runtime.status(id)?.state {
        ContainerState::Running { pid } => Ok::<_, StepError>(pid),
        _ => Err(JobError::Ended.into()),
    };
    let found = pid()?;
    let path = format!("/proc/{found}/root");
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = openat(CWD, &*path, flags, Mode::empty())
        .map_err(|error| RunError::io("open", &path)(error.into()))?;
    // Had it ended meanwhile, another process might have its number.
    if pid()? == found {
        Ok(root)
    } else {
        Err(JobError::Ended.into())
    }
}

/// The container of the job, as the file or the table of runners names it, with the variables of its options.
fn container(run: &StageRun<'_>, given: &Given) -> Result<(Container, Variables), StepError> {
    if let Some(container) = &run.stage.container {
        let mut container = container.clone();
        container.image = Deferred::Now(run.text(&container.image)?);
        let own = apply_options(run, &mut container)?;
        return Ok((container, own));
    }
    let mut labels = Vec::new();
    for (label, _) in &run.stage.platform.labels {
        labels.push(label.to_lowercase());
    }
    let image = labels.iter().find_map(|label| given.runners.get(label));
    let image = image.ok_or_else(|| JobError::NoRunner {
        labels: labels.join(", "),
    })?;
    let container = Container {
        image: Deferred::Now(image.clone()),
        ..Container::default()
    };
    Ok((container, Variables::new()))
}

/// What keeps the job's container alive.
fn program(
    run: &StageRun<'_>,
    root: &Path,
    mut variables: Variables,
    in_container: bool,
) -> Program {
    let home = if in_container {
        "/github/runner/home"
    } else {
        "/root"
    };
    variables
        .entry("HOME".to_owned())
        .or_insert_with(|| home.to_owned());
    let keep = ["/bin/sh", "-c", "while :; do sleep 86400; done"];
    Program {
        entrypoint: Some(keep.map(str::to_owned).to_vec()),
        command: Vec::new(),
        variables,
        folder: Some(run.stage.workspace.path.clone()),
        mounts: mounts(root),
    }
}

/// The folders of the runner as all containers of the job see them.
pub(super) fn mounts(root: &Path) -> Vec<Mount> {
    let seen =
        |name: &str, read_only| bind(root.join(name), &format!("{RUNNER}/{name}"), read_only);
    vec![
        seen("home", false),
        seen("temp", false),
        seen("tools", false),
        seen("files", false),
        seen("actions", true),
        seen("event.json", true),
    ]
}
