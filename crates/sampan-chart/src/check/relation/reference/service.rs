//! Services that objects send requests to.

use sampan_model::yaml::Node;

use super::{Gatherer, Target};
use crate::check::relation::{field, routes};

impl<'a> Gatherer<'a> {
    pub(super) fn ingress(&mut self) {
        let object = self.object;
        let backends = routes::backends(object);
        for backend in backends {
            self.add(
                Target::Service,
                "Service",
                Some(backend.name),
                "gets requests of the Ingress",
            );
        }
        self.cluster(
            Target::IngressClass,
            "IngressClass",
            object.at(&["spec", "ingressClassName"]),
            "serves the Ingress",
        );
        // The certificates of these are made when the Ingress is there.
        let is_made = object.annotations().iter().any(|(key, _)| {
            key.name.starts_with("cert-manager.io/")
                || key.name.starts_with("certmanager.k8s.io/")
                || key.name == "kubernetes.io/tls-acme"
        });
        for tls in object.at(&["spec", "tls"]).map_or(&[][..], Node::items) {
            let namespace = &object.namespace;
            self.push(
                Target::Secret,
                "Secret",
                namespace,
                tls.get("secretName"),
                (is_made, "holds the certificate of the Ingress"),
            );
        }
    }

    pub(super) fn webhooks(&mut self) {
        let object = self.object;
        for webhook in object.at(&["webhooks"]).map_or(&[][..], Node::items) {
            self.service(
                webhook.at(&["clientConfig", "service"]),
                "is asked before objects are taken",
            );
        }
    }

    pub(super) fn service(&mut self, service: Option<&'a Node>, by: &'static str) {
        let Some(service) = service else { return };
        let namespace = field(service, "namespace").unwrap_or(&self.object.namespace);
        self.push(
            Target::Service,
            "Service",
            namespace,
            service.get("name"),
            (false, by),
        );
    }
}
