//! The defaults of what makes pods, and of volume claims.

use serde_json::{Map, Value, json};

use super::fill::{canonical_quantities, child, each, present, set, text};
use super::pod::template;

/// A deployment.
pub(super) fn deployment(object: &mut Map<String, Value>) {
    child(object, "spec", |spec| {
        set(spec, "replicas", 1);
        set(spec, "revisionHistoryLimit", 10);
        set(spec, "progressDeadlineSeconds", 600);
        child(spec, "strategy", |strategy| {
            set(strategy, "type", "RollingUpdate");
            if text(strategy, "type") == "RollingUpdate" {
                child(strategy, "rollingUpdate", |update| {
                    set(update, "maxSurge", "25%");
                    set(update, "maxUnavailable", "25%");
                });
            }
        });
        child(spec, "template", template);
    });
    child(object, "status", |_| ());
}

/// A daemon set.
pub(super) fn daemon_set(object: &mut Map<String, Value>) {
    child(object, "spec", |spec| {
        set(spec, "revisionHistoryLimit", 10);
        child(spec, "updateStrategy", |strategy| {
            set(strategy, "type", "RollingUpdate");
            if text(strategy, "type") == "RollingUpdate" {
                child(strategy, "rollingUpdate", |update| {
                    set(update, "maxSurge", 0);
                    set(update, "maxUnavailable", 1);
                });
            }
        });
        child(spec, "template", template);
    });
    child(object, "status", |status| {
        for count in [
            "currentNumberScheduled",
            "desiredNumberScheduled",
            "numberMisscheduled",
            "numberReady",
        ] {
            set(status, count, 0);
        }
    });
}

/// A replica set.
pub(super) fn replica_set(object: &mut Map<String, Value>) {
    child(object, "spec", |spec| {
        set(spec, "replicas", 1);
        child(spec, "template", template);
    });
    child(object, "status", |status| set(status, "replicas", 0));
}

/// A stateful set.
pub(super) fn stateful_set(object: &mut Map<String, Value>) {
    child(object, "spec", |spec| {
        set(spec, "replicas", 1);
        set(spec, "revisionHistoryLimit", 10);
        set(spec, "podManagementPolicy", "OrderedReady");
        set(spec, "serviceName", "");
        child(spec, "updateStrategy", |strategy| {
            set(strategy, "type", "RollingUpdate");
            if text(strategy, "type") == "RollingUpdate" {
                child(strategy, "rollingUpdate", |update| {
                    set(update, "partition", 0);
                });
            }
        });
        child(spec, "persistentVolumeClaimRetentionPolicy", |policy| {
            set(policy, "whenDeleted", "Retain");
            set(policy, "whenScaled", "Retain");
        });
        child(spec, "template", template);
        each(spec, "volumeClaimTemplates", |claim| {
            set(claim, "apiVersion", "v1");
            set(claim, "kind", "PersistentVolumeClaim");
            child(claim, "spec", claim_spec);
            set(claim, "status", json!({"phase": "Pending"}));
        });
    });
    child(object, "status", |status| {
        set(status, "replicas", 0);
        set(status, "availableReplicas", 0);
    });
}

/// The spec of a volume claim.
pub(super) fn claim_spec(spec: &mut Map<String, Value>) {
    set(spec, "volumeMode", "Filesystem");
    present(spec, "resources", |resources| {
        canonical_quantities(resources, "limits");
        canonical_quantities(resources, "requests");
    });
}
