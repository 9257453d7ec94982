//! A stage that runs, as its steps see it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use sampan_container::ContainerId;

use super::description::StageFolders;
use super::images::Unpacked;
use super::interrupt::Interrupt;
use super::job::{self, Job};
use super::limited::Limit;
use super::log::Log;
use super::masks::Masks;
use super::message::{self, What};
use super::network::StageNetwork;
use super::shared::Shared;
use super::step::{StepError, log_path};
use super::workflow::Given;
use super::{ImageRequest, Login};
use crate::graph::{Container, Deferred, EnvironmentValue, Stage, Text};
use crate::secrets::Asker;

/// A stage that runs.
pub(super) struct StageRun<'a> {
    /// The job, where the stage is one of GitHub; its container ends before the network does.
    pub(super) job: Option<Job>,
    /// What a job sees from outside.
    pub(super) given: Option<Given>,
    pub(super) shared: &'a Shared<'a>,
    pub(super) stage: &'a Stage,
    pub(super) id: Arc<str>,
    pub(super) folders: StageFolders,
    pub(super) logs: PathBuf,
    /// What is masked in what it says.
    pub(super) masks: Masks,
    pub(super) network: StageNetwork,
    /// Ends everything in the stage.
    pub(super) ends: Interrupt,
    /// Ends services and detached steps.
    pub(super) services: Interrupt,
    pub(super) deadline: Option<Instant>,
    /// The containers of services that have begun.
    pub(super) service_ids: Mutex<BTreeMap<usize, ContainerId>>,
}

impl StageRun<'_> {
    /// The containers of services that have begun.
    pub(super) fn service_ids(&self) -> MutexGuard<'_, BTreeMap<usize, ContainerId>> {
        self.service_ids
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether its time is over.
    pub(super) fn is_late(&self) -> bool {
        self.deadline.is_some_and(|end| end <= Instant::now())
    }

    /// The value of a text, as it is known when the stage begins.
    pub(super) fn text(&self, text: &Text) -> Result<String, StepError> {
        match (text, &self.given) {
            (Deferred::Now(text), _) => Ok(text.clone()),
            (later, Some(given)) => {
                let asker = Asker::of_build(self.shared.run.build);
                job::evaluate(later, &given.contexts(&asker))
            }
            (Deferred::Later(_), None) => Err(StepError::Late { what: "a value" }),
        }
    }

    /// The image of a container.
    pub(super) fn image(&self, container: &Container) -> Result<Arc<Unpacked>, StepError> {
        let run = self.shared.run;
        // A job has what it was handed, and that only.
        let secrets = self
            .given
            .as_ref()
            .map_or(run.secrets, |given| &given.secrets);
        let secrets = secrets.of(&Asker::of_build(run.build));
        let text = |value: &EnvironmentValue| match value {
            EnvironmentValue::Text(text) => Ok(text.clone()),
            EnvironmentValue::Secret(wanted) => {
                Ok(secrets.get(&wanted.name).unwrap_or_default().to_owned())
            }
            EnvironmentValue::Later(later) => self.text(&Deferred::Later(later.clone())),
            EnvironmentValue::Setting(_) => Ok(String::new()),
        };
        let login = match &container.login {
            Some(login) => Some(Login {
                registry: None,
                username: text(&login.username)?,
                password: text(&login.password)?,
            }),
            None => None,
        };
        let request = ImageRequest {
            name: &self.text(&container.image)?,
            pull: container.pull,
            login: login.as_ref(),
        };
        let shared = self.shared;
        // What was asked before this step began does not end it.
        let limit = Limit {
            passed: self.ends.times(),
            deadline: None,
        };
        let (image, _) = self.limited(&limit, |_, ports| {
            shared.images.unpack(shared.executor, ports, &request)
        });
        Ok(image?)
    }

    /// An image by its name.
    pub(super) fn image_of(&self, name: &str) -> Result<Arc<Unpacked>, StepError> {
        self.image(&Container {
            image: Deferred::Now(name.to_owned()),
            ..Container::default()
        })
    }

    /// The log of a step that has not begun or has ended.
    pub(super) fn open_log(&self, number: usize) -> Option<Log> {
        let step = self.stage.steps.get(number)?;
        let path = log_path(&self.logs, &step.name);
        let events = self.shared.events.clone();
        let id = Arc::clone(&self.id);
        match Log::open(&path, &self.masks.current(), events, id, number) {
            Ok(log) => Some(log),
            Err(error) => {
                tracing::warn!(%error, "cannot go on with the log of a step");
                None
            }
        }
    }

    pub(super) fn tell(&self, mut what: What) {
        what.hide(&self.masks.current());
        message::send(&self.shared.events, &self.id, what);
    }
}
