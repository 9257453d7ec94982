//! Workloads: what makes pods and keeps them.

use super::meta::METADATA;
use super::pod::TEMPLATE;
use super::{CONDITIONS, Field, PLAIN, Patch, STATUS, Shape, Struct};

const SELECTOR: Field = Field::atomic("selector");
const WORKLOAD_STATUS: Field = Field::always("status", &STATUS);

/// `Deployment`.
pub(super) static DEPLOYMENT: Struct = Struct {
    fields: &[
        METADATA,
        Field::always("spec", &DEPLOYMENT_SPEC),
        WORKLOAD_STATUS,
    ],
};

static DEPLOYMENT_SPEC: Struct = Struct {
    fields: &[SELECTOR, TEMPLATE, Field::always("strategy", &PLAIN)],
};

/// `ReplicaSet`.
pub(super) static REPLICA_SET: Struct = Struct {
    fields: &[
        METADATA,
        Field::always("spec", &REPLICA_SET_SPEC),
        WORKLOAD_STATUS,
    ],
};

static REPLICA_SET_SPEC: Struct = Struct {
    fields: &[SELECTOR, TEMPLATE],
};

/// `ReplicationController`.
pub(super) static REPLICATION_CONTROLLER: Struct = Struct {
    fields: &[
        METADATA,
        Field::always("spec", &CONTROLLER_SPEC),
        WORKLOAD_STATUS,
    ],
};

static CONTROLLER_SPEC: Struct = Struct {
    fields: &[SELECTOR, TEMPLATE],
};

/// `StatefulSet`.
pub(super) static STATEFUL_SET: Struct = Struct {
    fields: &[
        METADATA,
        Field::always("spec", &STATEFUL_SET_SPEC),
        WORKLOAD_STATUS,
    ],
};

static STATEFUL_SET_SPEC: Struct = Struct {
    fields: &[SELECTOR, TEMPLATE, Field::always("updateStrategy", &PLAIN)],
};

/// `DaemonSet`.
pub(super) static DAEMON_SET: Struct = Struct {
    fields: &[
        METADATA,
        Field::always("spec", &DAEMON_SET_SPEC),
        WORKLOAD_STATUS,
    ],
};

static DAEMON_SET_SPEC: Struct = Struct {
    fields: &[SELECTOR, TEMPLATE, Field::always("updateStrategy", &PLAIN)],
};

/// `Job`.
pub(super) static JOB: Struct = Struct {
    fields: &[
        METADATA,
        Field::always("spec", &JOB_SPEC),
        Field::always("status", &JOB_STATUS),
    ],
};

static JOB_SPEC: Struct = Struct {
    fields: &[SELECTOR, TEMPLATE],
};

static JOB_STATUS: Struct = Struct {
    fields: &[Field::new(
        "conditions",
        Shape::Atomic,
        Patch::MergeBy("type"),
    )],
};

/// `CronJob`.
pub(super) static CRON_JOB: Struct = Struct {
    fields: &[
        METADATA,
        Field::always("spec", &CRON_JOB_SPEC),
        Field::always("status", &PLAIN),
    ],
};

static CRON_JOB_SPEC: Struct = Struct {
    fields: &[Field::always("jobTemplate", &JOB_TEMPLATE)],
};

static JOB_TEMPLATE: Struct = Struct {
    fields: &[METADATA, Field::always("spec", &JOB_SPEC)],
};

/// `PodDisruptionBudget`.
pub(super) static POD_DISRUPTION_BUDGET: Struct = Struct {
    fields: &[
        METADATA,
        Field::always("spec", &BUDGET_SPEC),
        Field::always("status", &BUDGET_STATUS),
    ],
};

static BUDGET_SPEC: Struct = Struct {
    fields: &[SELECTOR.patched(Patch::Replace)],
};

static BUDGET_STATUS: Struct = Struct {
    fields: &[CONDITIONS, Field::map("disruptedPods")],
};

/// `HorizontalPodAutoscaler`, of both versions.
pub(super) static AUTOSCALER: Struct = Struct {
    fields: &[
        METADATA,
        Field::always("spec", &AUTOSCALER_SPEC),
        Field::always("status", &STATUS),
    ],
};

static AUTOSCALER_SPEC: Struct = Struct {
    fields: &[Field::atomic("scaleTargetRef")],
};

/// `RoleBinding` and `ClusterRoleBinding`.
pub(super) static BINDING: Struct = Struct {
    fields: &[METADATA, Field::atomic("roleRef")],
};
