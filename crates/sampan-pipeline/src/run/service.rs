//! Services of GitHub's jobs: whether they are well, and where the job finds them.

use std::collections::BTreeMap;
use std::thread::Scope;
use std::time::Instant;

use sampan_container::{ContainerId, ExecSpec, Signal};
use sampan_model::Causes;

use super::forward_port::{self, Port};
use super::health::Check;
use super::job::parse_options;
use super::stage_run::StageRun;
use super::step::StepError;
use crate::github::HealthCheck;
use crate::github::context::JobService;
use crate::graph::Step;

impl StageRun<'_> {
    /// The ports of a service as far as they are known.
    fn ports(&self, step: &Step) -> Vec<Port> {
        let Some(container) = &step.container else {
            return Vec::new();
        };
        let texts = container.ports.iter();
        texts
            .filter_map(|text| forward_port::parse(&self.text(text).ok()?))
            .collect()
    }

    /// The services as the context `job` shows them.
    pub(super) fn services_of_job(&self) -> Vec<JobService> {
        let ids = self.service_ids();
        let steps = self.stage.steps.iter().enumerate();
        steps
            .filter_map(|(number, step)| {
                let id = ids.get(&number)?;
                let ports = self.ports(step).into_iter();
                let ports: BTreeMap<String, String> = ports
                    .map(|port| (port.service.to_string(), port.local.to_string()))
                    .collect();
                Some(JobService {
                    name: step.name.clone(),
                    container: id.to_string(),
                    ports,
                })
            })
            .collect()
    }

    /// Leads the ports of a service to where the job finds them.
    pub(super) fn lead_ports<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        number: usize,
    ) {
        let Some(job) = self.job.as_ref().filter(|job| job.has_local_ports()) else {
            return;
        };
        let Some(address) = self.network.address(number) else {
            return;
        };
        for port in self.ports(&self.stage.steps[number]) {
            match job.place().namespace.listen(port.local) {
                Ok(listener) => {
                    let target = (address, port.service);
                    scope.spawn(move || forward_port::serve(&listener, target, &self.services));
                }
                Err(error) => {
                    tracing::warn!(%error, port = port.local, "cannot lead a port to a service");
                }
            }
        }
    }

    /// Waits until a service is well, where it or its image says how that is told, or the stage is to end. Gives why it is not.
    pub(super) fn wait_until_well(&self, number: usize) -> Result<(), String> {
        let step = &self.stage.steps[number];
        let check = self.check_of(step);
        let Some(check) = check.map_err(|error| Causes(&error).to_string())? else {
            return Ok(());
        };
        let Some(id) = self.service_ids().get(&number).cloned() else {
            return Err(format!("the service `{}` did not begin", step.name));
        };
        let deadline = Instant::now().checked_add(check.patience);
        loop {
            if self.is_well(&id, &check) || self.ends.is_triggered() || self.is_late() {
                return Ok(());
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(format!("the service `{}` did not become well", step.name));
            }
            std::thread::sleep(check.interval);
        }
    }

    /// How it is told whether a service of a job is well, by its options or by its image.
    fn check_of(&self, step: &Step) -> Result<Option<Check>, StepError> {
        let Some(container) = step.container.as_ref().filter(|_| self.job.is_some()) else {
            return Ok(None);
        };
        let options = match &container.options {
            Some(options) => parse_options(&self.text(options)?, &step.location)?.health,
            None => HealthCheck::default(),
        };
        if options.disabled {
            return Ok(None);
        }
        let image = self.image(container)?;
        Ok(Check::of(&options, image.health.as_ref()))
    }

    fn is_well(&self, id: &ContainerId, check: &Check) -> bool {
        let spec = ExecSpec {
            args: check.command.clone(),
            ..ExecSpec::default()
        };
        let asked = self.shared.executor.runtime.exec(id, &spec);
        let mut exec = match asked {
            Ok(exec) => exec,
            Err(error) => {
                tracing::debug!(%error, "cannot ask a service whether it is well");
                return false;
            }
        };
        let mut outputs = super::forward::Outputs::new(exec.stdout.take(), exec.stderr.take());
        let deadline = Instant::now() + check.limit;
        let deadline = self.deadline.map_or(deadline, |end| end.min(deadline));
        let stopped = outputs.forward(Some(exec.ending()), Some(deadline), &mut |_, _| {});
        if !matches!(stopped, Ok(super::forward::Stopped::Ended))
            && let Err(error) = exec.kill(Signal::KILL)
        {
            tracing::debug!(%error, "the question has ended");
        }
        exec.wait_blocking().is_ok_and(|exit| exit.code == 0)
    }
}
