//! Ingresses and services of type `LoadBalancer`: their status says where users get in.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{LoadBalancerIngress, LoadBalancerStatus, Service, ServiceStatus};
use k8s_openapi::api::networking::v1::{
    Ingress, IngressLoadBalancerIngress, IngressLoadBalancerStatus, IngressStatus,
};

use super::context::Context;
use super::queue::Key;
use super::runner::Reconciler;
use super::{key_of, keys_of_all};
use crate::error::Error;
use crate::objects::Change;

/// Tells keys of services from keys of ingresses.
const SERVICE: &str = "service/";

/// The controller.
pub(crate) struct WaysIn(pub(crate) Context);

impl Reconciler for WaysIn {
    const NAME: &'static str = "ingress-controller";

    fn concerned(&self, change: &Change) -> Vec<Key> {
        match change.kind {
            "Ingress" if !change.deleted => vec![change.key()],
            "Service" if !change.deleted => vec![service_key(change.key())],
            _ => Vec::new(),
        }
    }

    async fn all(&self) -> Result<Vec<Key>, Error> {
        let mut keys = keys_of_all::<Ingress>(&self.0.objects).await?;
        let services = self.0.objects.list::<Service>(None).await?;
        keys.extend(services.iter().map(key_of).map(service_key));
        Ok(keys)
    }

    async fn reconcile(&self, key: &Key) -> Result<Option<Timestamp>, Error> {
        match key.name.strip_prefix(SERVICE) {
            Some(name) => self.service(key, name).await?,
            None => self.ingress(key).await?,
        }
        Ok(None)
    }
}

fn service_key(key: Key) -> Key {
    Key {
        name: format!("{SERVICE}{}", key.name),
        ..key
    }
}

impl WaysIn {
    async fn ingress(&self, key: &Key) -> Result<(), Error> {
        let objects = &self.0.objects;
        let found = objects.get::<Ingress>(key.namespace(), &key.name).await?;
        let Some(mut ingress) = found else {
            return Ok(());
        };
        let way = IngressLoadBalancerIngress {
            ip: Some(self.0.node.address.to_string()),
            ..IngressLoadBalancerIngress::default()
        };
        let status = IngressStatus {
            load_balancer: Some(IngressLoadBalancerStatus {
                ingress: Some(vec![way]),
            }),
        };
        if ingress.status.as_ref() != Some(&status) {
            ingress.status = Some(status);
            objects.update_status(&ingress).await?;
        }
        Ok(())
    }

    async fn service(&self, key: &Key, name: &str) -> Result<(), Error> {
        let objects = &self.0.objects;
        let found = objects.get::<Service>(key.namespace(), name).await?;
        let Some(mut service) = found else {
            return Ok(());
        };
        let balanced =
            service.spec.as_ref().and_then(|spec| spec.type_.as_deref()) == Some("LoadBalancer");
        let ways = balanced.then(|| {
            vec![LoadBalancerIngress {
                ip: Some(self.0.node.address.to_string()),
                ip_mode: Some("VIP".to_owned()),
                ..LoadBalancerIngress::default()
            }]
        });
        let have = service
            .status
            .as_ref()
            .and_then(|status| status.load_balancer.as_ref());
        if have.and_then(|have| have.ingress.as_ref()) != ways.as_ref() {
            let status = service.status.get_or_insert_with(ServiceStatus::default);
            status.load_balancer = Some(LoadBalancerStatus { ingress: ways });
            objects.update_status(&service).await?;
        }
        Ok(())
    }
}
