//! Jobs: pods that run to their end, so often and so many at once.

mod backoff;
mod conditions;
mod ended;
mod indexes;
mod plan;
mod pod;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use sampan_supervise::clock;
use serde_json::Value;

use super::context::Context;
use super::ownership::Owner;
use super::queue::Key;
use super::runner::Reconciler;
use crate::error::Error;
use crate::objects::{Change, DeleteOptions, Preconditions, Propagation, WriteOptions};
use crate::resources;
pub(crate) use conditions::{Outcome, outcome};
use plan::{News, Plan};

const SOURCE: &str = "job-controller";

/// The controller.
pub(crate) struct Jobs(pub(crate) Context);

impl Reconciler for Jobs {
    const NAME: &'static str = SOURCE;

    fn concerned(&self, change: &Change) -> Vec<Key> {
        change.keys_of("Job", &["Pod"])
    }

    async fn all(&self) -> Result<Vec<Key>, Error> {
        super::keys_of_all::<Job>(&self.0.objects).await
    }

    async fn reconcile(&self, key: &Key) -> Result<Option<Timestamp>, Error> {
        let objects = &self.0.objects;
        let found = objects.get::<Job>(key.namespace(), &key.name).await?;
        let Some(mut job) = found.filter(is_ours) else {
            return Ok(None);
        };
        let now = clock::now();
        if outcome(&job).is_some() {
            return self.expire(&job, now).await;
        }
        let selector = job.spec.as_ref().map(|spec| spec.selector.clone());
        let selector = selector.flatten().unwrap_or_default();
        let owner = Owner {
            api_version: "batch/v1",
            kind: "Job",
            meta: &job.metadata,
            selector: &selector,
        };
        let pods: Vec<Pod> = owner.claim(objects).await?;
        let mut plan = plan::plan(&job, &pods, now);
        // The status goes first: it notes which pods are stopped without having failed.
        let status = std::mem::take(&mut plan.status);
        if job.status.as_ref() != Some(&status) {
            job.status = Some(status);
            job = objects.update_status(&job).await?;
        }
        if let Some(news) = plan.news.take() {
            self.tell(&job, news);
        }
        self.carry_out(&job, &plan).await?;
        Ok(plan.again_at)
    }
}

/// Whether nobody else has taken the job on.
fn is_ours(job: &Job) -> bool {
    let manager = job
        .spec
        .as_ref()
        .and_then(|spec| spec.managed_by.as_deref());
    manager.is_none_or(|manager| manager == "kubernetes.io/job-controller")
}

impl Jobs {
    /// Deletes a job that has ended, once its time is over.
    async fn expire(&self, job: &Job, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        let Some(at) = conditions::expires_at(job) else {
            return Ok(None);
        };
        if at > now || job.metadata.deletion_timestamp.is_some() {
            return Ok(Some(at).filter(|at| *at > now));
        }
        let options = DeleteOptions {
            propagation: Some(Propagation::Foreground),
            preconditions: Preconditions {
                uid: job.metadata.uid.clone(),
                resource_version: job.metadata.resource_version.clone(),
            },
            ..DeleteOptions::default()
        };
        let name = job.metadata.name.as_deref().unwrap_or_default();
        let namespace = job.metadata.namespace.as_deref();
        self.0
            .objects
            .delete::<Job>(namespace, name, &options)
            .await?;
        Ok(None)
    }

    async fn carry_out(&self, job: &Job, plan: &Plan) -> Result<(), Error> {
        let objects = &self.0.objects;
        let namespace = job.metadata.namespace.as_deref();
        for name in &plan.mark {
            self.mark(job, name).await?;
        }
        for name in &plan.delete {
            match objects
                .delete::<Pod>(namespace, name, &DeleteOptions::default())
                .await
            {
                Ok(()) => {
                    let message = format!("Deleted pod: {name}");
                    self.0.normal(SOURCE, job, "SuccessfulDelete", message);
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        for index in &plan.create {
            match objects.create(&pod::of(job, *index)).await {
                Ok(pod) => {
                    let name = pod.metadata.name.as_deref().unwrap_or_default();
                    let message = format!("Created pod: {name}");
                    self.0.normal(SOURCE, job, "SuccessfulCreate", message);
                }
                Err(error) => {
                    let message = format!("Error creating: {error}");
                    self.0.warning(SOURCE, job, "FailedCreate", message);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Marks a pod as counted.
    async fn mark(&self, job: &Job, name: &str) -> Result<(), Error> {
        let objects = &self.0.objects;
        let resource = resources::of::<Pod>().ok_or(Error::NoSuchResource)?;
        let namespace = job.metadata.namespace.as_deref();
        let uid = job.metadata.uid.as_deref().unwrap_or_default();
        let marked = |pod: &Value| {
            let mut pod = pod.clone();
            let owners = pod.pointer("/metadata/ownerReferences");
            let mut owners = owners.and_then(Value::as_array).into_iter().flatten();
            if owners.any(|owner| owner["uid"] == uid) {
                pod["metadata"]["annotations"][ended::COUNTED] = "true".into();
            }
            Ok(pod)
        };
        let options = WriteOptions::engine();
        let updated = objects
            .update_value(resource, namespace, name, &options, marked)
            .await;
        match updated {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    fn tell(&self, job: &Job, news: News) {
        match news {
            News::Completed => {
                self.0
                    .normal(SOURCE, job, "Completed", "Job completed".to_owned());
            }
            News::Failed { reason, message } => self.0.warning(SOURCE, job, &reason, message),
            News::Suspended => {
                self.0
                    .normal(SOURCE, job, "Suspended", "Job suspended".to_owned());
            }
            News::Resumed => {
                self.0
                    .normal(SOURCE, job, "Resumed", "Job resumed".to_owned());
            }
        }
    }
}
