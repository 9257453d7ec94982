//! Cron jobs: jobs that are made again and again, at certain times.

mod plan;
pub(crate) mod schedule;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use sampan_supervise::clock;

use super::context::{Context, reference};
use super::queue::Key;
use super::runner::Reconciler;
use super::selector::{is_controlled_by, owned_by};
use crate::error::Error;
use crate::objects::{Change, DeleteOptions, Propagation};
use plan::Plan;

const SOURCE: &str = "cronjob-controller";
/// The annotation that tells a job for which time it was made.
const SCHEDULED: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/// How long it takes until it is looked again whether a job that has the name of the next one is gone.
const NAMESAKE: SignedDuration = SignedDuration::from_secs(2);

/// The controller.
pub(crate) struct CronJobs(pub(crate) Context);

impl Reconciler for CronJobs {
    const NAME: &'static str = SOURCE;

    fn concerned(&self, change: &Change) -> Vec<Key> {
        change.keys_of("CronJob", &["Job"])
    }

    async fn all(&self) -> Result<Vec<Key>, Error> {
        super::keys_of_all::<CronJob>(&self.0.objects).await
    }

    async fn reconcile(&self, key: &Key) -> Result<Option<Timestamp>, Error> {
        let objects = &self.0.objects;
        let found = objects.get::<CronJob>(key.namespace(), &key.name).await?;
        let Some(cron) = found else {
            return Ok(None);
        };
        let uid = cron.metadata.uid.as_deref().unwrap_or_default();
        let mut jobs = objects.list::<Job>(key.namespace()).await?;
        jobs.retain(|job| is_controlled_by(&job.metadata, uid));
        let plan = plan::plan(&cron, &jobs, clock::now());
        for happened in &plan.news {
            let message = happened.message.clone();
            self.0.record(
                SOURCE,
                happened.kind,
                reference(&cron),
                happened.reason,
                message,
            );
        }
        self.carry_out(cron, plan).await
    }
}

impl CronJobs {
    async fn carry_out(&self, mut cron: CronJob, plan: Plan) -> Result<Option<Timestamp>, Error> {
        let objects = &self.0.objects;
        let mut status = plan.status;
        if let Some(at) = plan.start {
            // A job that is replaced ends before the next one is made.
            self.delete_all(&cron, &plan.delete).await?;
            match self.start(&cron, at).await? {
                Some(job) => {
                    let active = status.active.get_or_insert_default();
                    active.push(plan::identity(&job));
                }
                None => return Ok(Some(again_soon(plan.again_at))),
            }
        }
        if cron.status.as_ref() != Some(&status) {
            cron.status = Some(status);
            cron = objects.update_status(&cron).await?;
        }
        if plan.start.is_none() {
            // A job tells that it was made for its time, so the status says so before it goes.
            self.delete_all(&cron, &plan.delete).await?;
        }
        Ok(plan.again_at)
    }

    /// Makes the job for a time. None while its name is taken by a job of somebody else.
    async fn start(&self, cron: &CronJob, at: Timestamp) -> Result<Option<Job>, Error> {
        let new = job(cron, at);
        let name = new.metadata.name.as_deref().unwrap_or_default();
        let error = match self.0.objects.create(&new).await {
            Ok(job) => {
                let message = format!("Created job {name}");
                self.0.normal(SOURCE, cron, "SuccessfulCreate", message);
                return Ok(Some(job));
            }
            Err(error) => error,
        };
        if error.is_already_exists() {
            let namespace = cron.metadata.namespace.as_deref();
            let found = self.0.objects.get::<Job>(namespace, name).await?;
            let uid = cron.metadata.uid.as_deref().unwrap_or_default();
            match found {
                Some(job) if is_controlled_by(&job.metadata, uid) => return Ok(Some(job)),
                Some(job) if job.metadata.deletion_timestamp.is_none() => {}
                // That of an earlier cron job of this name, on its way out.
                _ => return Ok(None),
            }
        }
        let message = format!("Error creating job: {error}");
        self.0.warning(SOURCE, cron, "FailedCreate", message);
        Err(error)
    }

    async fn delete_all(&self, cron: &CronJob, names: &[String]) -> Result<(), Error> {
        for name in names {
            self.delete(cron, name).await?;
        }
        Ok(())
    }

    async fn delete(&self, cron: &CronJob, name: &str) -> Result<(), Error> {
        let options = DeleteOptions {
            propagation: Some(Propagation::Background),
            ..DeleteOptions::default()
        };
        let namespace = cron.metadata.namespace.as_deref();
        let deleted = self.0.objects.delete::<Job>(namespace, name, &options);
        match deleted.await {
            Ok(()) => {
                let message = format!("Deleted job {name}");
                self.0.normal(SOURCE, cron, "SuccessfulDelete", message);
                Ok(())
            }
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// When to look whether a name is free, if nothing else is earlier.
fn again_soon(again_at: Option<Timestamp>) -> Timestamp {
    let now = clock::now();
    let soon = now.checked_add(NAMESAKE).unwrap_or(now);
    again_at.map_or(soon, |again| again.min(soon))
}

/// The time zone of a cron job, `None` when there is none of that name.
fn zone(cron: &CronJob) -> Option<TimeZone> {
    let name = cron.spec.as_ref().and_then(|spec| spec.time_zone.as_ref());
    match name {
        // Servers keep the time of the world.
        None => Some(TimeZone::UTC),
        Some(name) => TimeZone::get(name).ok(),
    }
}

/// The job for one time.
fn job(cron: &CronJob, at: Timestamp) -> Job {
    let spec = cron.spec.clone().unwrap_or_default();
    let template = spec.job_template.metadata.clone().unwrap_or_default();
    let mut annotations = template.annotations.unwrap_or_default();
    let zone = zone(cron).unwrap_or(TimeZone::UTC);
    let local = at.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z");
    let local = local.to_string().replace("+00:00", "Z");
    annotations.insert(SCHEDULED.to_owned(), local);
    Job {
        metadata: ObjectMeta {
            name: Some(plan::name_for(cron, at)),
            namespace: cron.metadata.namespace.clone(),
            labels: template.labels,
            annotations: Some(annotations),
            owner_references: Some(vec![owned_by("batch/v1", "CronJob", &cron.metadata)]),
            ..ObjectMeta::default()
        },
        spec: spec.job_template.spec,
        status: None,
    }
}
