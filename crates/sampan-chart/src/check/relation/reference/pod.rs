//! What pods and claims refer to.

use sampan_model::yaml::Node;

use super::{Gatherer, Target};
use crate::check::pod::Pod;

impl<'a> Gatherer<'a> {
    pub(super) fn pod(&mut self, pod: &Pod<'a>) {
        for container in pod.containers() {
            let from = container.get("envFrom").map_or(&[][..], Node::items);
            for source in from {
                self.source(
                    source.at(&["configMapRef"]),
                    "name",
                    Target::ConfigMap,
                    "gives variables to a container",
                );
                self.source(
                    source.at(&["secretRef"]),
                    "name",
                    Target::Secret,
                    "gives variables to a container",
                );
            }
            for variable in container.env() {
                let source = |kind| variable.at(&["valueFrom", kind]);
                self.source(
                    source("configMapKeyRef"),
                    "name",
                    Target::ConfigMap,
                    "gives a variable to a container",
                );
                self.source(
                    source("secretKeyRef"),
                    "name",
                    Target::Secret,
                    "gives a variable to a container",
                );
            }
        }
        for volume in pod.volumes() {
            self.volume(volume);
        }
        let spec = |field: &str| pod.spec.at(&[field]);
        self.add(
            Target::ServiceAccount,
            "ServiceAccount",
            spec("serviceAccountName").or_else(|| spec("serviceAccount")),
            "the pod runs as",
        );
        self.cluster(
            Target::PriorityClass,
            "PriorityClass",
            spec("priorityClassName"),
            "ranks the pod",
        );
        self.cluster(
            Target::RuntimeClass,
            "RuntimeClass",
            spec("runtimeClassName"),
            "runs the pod",
        );
        for secret in spec("imagePullSecrets").map_or(&[][..], Node::items) {
            self.add(
                Target::Secret,
                "Secret",
                secret.get("name"),
                "opens the registry of the images",
            );
        }
    }

    fn volume(&mut self, volume: &'a Node) {
        self.source(
            volume.at(&["configMap"]),
            "name",
            Target::ConfigMap,
            "is mounted as a volume",
        );
        self.source(
            volume.at(&["secret"]),
            "secretName",
            Target::Secret,
            "is mounted as a volume",
        );
        self.add(
            Target::Claim,
            "PersistentVolumeClaim",
            volume.at(&["persistentVolumeClaim", "claimName"]),
            "is mounted as a volume",
        );
        self.claim(volume.at(&["ephemeral", "volumeClaimTemplate", "spec"]));
        for source in volume
            .at(&["projected", "sources"])
            .map_or(&[][..], Node::items)
        {
            self.source(
                source.at(&["configMap"]),
                "name",
                Target::ConfigMap,
                "is mounted as a volume",
            );
            self.source(
                source.at(&["secret"]),
                "name",
                Target::Secret,
                "is mounted as a volume",
            );
        }
    }

    pub(super) fn claim_templates(&mut self, templates: Option<&'a Node>) {
        for template in templates.map_or(&[][..], Node::items) {
            self.claim(template.at(&["spec"]));
        }
    }

    pub(super) fn claim(&mut self, spec: Option<&'a Node>) {
        let Some(spec) = spec else { return };
        self.cluster(
            Target::StorageClass,
            "StorageClass",
            spec.at(&["storageClassName"]),
            "provides the volume",
        );
        self.cluster(
            Target::Volume,
            "PersistentVolume",
            spec.at(&["volumeName"]),
            "is claimed",
        );
    }
}
