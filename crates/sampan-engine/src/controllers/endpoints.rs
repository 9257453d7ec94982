//! Endpoints and endpoint slices of services.

mod plan;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Endpoints, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;

use super::context::Context;
use super::queue::Key;
use super::runner::Reconciler;
use crate::error::Error;
use crate::objects::{Change, DeleteOptions};

pub(crate) use plan::SERVICE_NAME;
use plan::{MANAGED_BY, MANAGER};

/// The controller. Its keys are namespaces: a change of a pod may concern any service beside it.
pub(crate) struct ServiceEndpoints(pub(crate) Context);

impl Reconciler for ServiceEndpoints {
    const NAME: &'static str = "endpoints-controller";

    fn concerned(&self, change: &Change) -> Vec<Key> {
        let namespace = change.namespace.clone().unwrap_or_default();
        match change.kind {
            "Pod" | "Service" => vec![Key::new(namespace, "")],
            // Ours were changed or removed by somebody else.
            "EndpointSlice"
                if change
                    .labels
                    .get(MANAGED_BY)
                    .is_some_and(|by| by == MANAGER) =>
            {
                vec![Key::new(namespace, "")]
            }
            _ => Vec::new(),
        }
    }

    async fn all(&self) -> Result<Vec<Key>, Error> {
        let services = self.0.objects.list::<Service>(None).await?;
        let namespaces: BTreeSet<String> = services
            .into_iter()
            .filter_map(|service| service.metadata.namespace)
            .collect();
        Ok(namespaces
            .into_iter()
            .map(|namespace| Key::new(namespace, ""))
            .collect())
    }

    async fn reconcile(&self, key: &Key) -> Result<Option<Timestamp>, Error> {
        let objects = &self.0.objects;
        let services: Vec<Service> = objects
            .list::<Service>(key.namespace())
            .await?
            .into_iter()
            .filter(has_selector)
            .collect();
        let pods: Vec<Pod> = if services.is_empty() {
            Vec::new()
        } else {
            objects.list(key.namespace()).await?
        };
        self.sync_endpoints(key, &services, &pods).await?;
        self.sync_slices(key, &services, &pods).await?;
        Ok(None)
    }
}

fn has_selector(service: &Service) -> bool {
    let spec = service.spec.as_ref();
    service.metadata.deletion_timestamp.is_none()
        && spec.and_then(|spec| spec.type_.as_deref()) != Some("ExternalName")
        && spec
            .and_then(|spec| spec.selector.as_ref())
            .is_some_and(|selector| !selector.is_empty())
}

impl ServiceEndpoints {
    async fn sync_endpoints(
        &self,
        key: &Key,
        services: &[Service],
        pods: &[Pod],
    ) -> Result<(), Error> {
        let objects = &self.0.objects;
        let mut present = by_name(objects.list::<Endpoints>(key.namespace()).await?);
        for service in services {
            let wanted = plan::endpoints(service, pods);
            let name = wanted.metadata.name.clone().unwrap_or_default();
            match present.remove(&name) {
                None => drop(objects.create(&wanted).await?),
                Some(mut have) => {
                    if have.subsets != wanted.subsets
                        || have.metadata.labels != wanted.metadata.labels
                    {
                        have.subsets = wanted.subsets;
                        have.metadata.labels = wanted.metadata.labels;
                        objects.update(&have).await?;
                    }
                }
            }
        }
        // Those of services that are gone go with them; those of services without selector are the user's.
        for (name, _) in present {
            if objects
                .get::<Service>(key.namespace(), &name)
                .await?
                .is_none()
            {
                ignore_missing(
                    objects
                        .delete::<Endpoints>(key.namespace(), &name, &DeleteOptions::default())
                        .await,
                )?;
            }
        }
        Ok(())
    }

    async fn sync_slices(
        &self,
        key: &Key,
        services: &[Service],
        pods: &[Pod],
    ) -> Result<(), Error> {
        let objects = &self.0.objects;
        let ours = objects
            .list::<EndpointSlice>(key.namespace())
            .await?
            .into_iter()
            .filter(|slice| {
                let by = slice
                    .metadata
                    .labels
                    .as_ref()
                    .and_then(|labels| labels.get(MANAGED_BY));
                by.is_some_and(|by| by == MANAGER)
            });
        let mut present = by_name(ours.collect());
        for wanted in services
            .iter()
            .flat_map(|service| plan::slices(service, pods))
        {
            let name = wanted.metadata.name.clone().unwrap_or_default();
            match present.remove(&name) {
                None => drop(objects.create(&wanted).await?),
                Some(mut have) => {
                    let same = have.endpoints == wanted.endpoints
                        && have.ports == wanted.ports
                        && have.metadata.labels == wanted.metadata.labels;
                    if !same {
                        have.endpoints = wanted.endpoints;
                        have.ports = wanted.ports;
                        have.metadata.labels = wanted.metadata.labels;
                        objects.update(&have).await?;
                    }
                }
            }
        }
        for (name, _) in present {
            ignore_missing(
                objects
                    .delete::<EndpointSlice>(key.namespace(), &name, &DeleteOptions::default())
                    .await,
            )?;
        }
        Ok(())
    }
}

fn by_name<K: crate::objects::Object>(list: Vec<K>) -> BTreeMap<String, K> {
    list.into_iter()
        .map(|object| (object.metadata().name.clone().unwrap_or_default(), object))
        .collect()
}

fn ignore_missing(outcome: Result<(), Error>) -> Result<(), Error> {
    match outcome {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}
