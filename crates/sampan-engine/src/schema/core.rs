//! The core group, pods apart.

use super::meta::METADATA;
use super::pod::RESOURCES;
use super::{CONDITIONS, Field, Key, NAME, PLAIN, Patch, STATUS, Struct, TYPE, key};

/// `Service`.
pub(super) static SERVICE: Struct = Struct {
    fields: &[
        METADATA,
        Field::always("spec", &SERVICE_SPEC),
        Field::always("status", &SERVICE_STATUS),
    ],
};

static SERVICE_SPEC: Struct = Struct {
    fields: &[
        Field::keyed(
            "ports",
            &[
                key("port"),
                Key {
                    name: "protocol",
                    default: Some("TCP"),
                },
            ],
            &PLAIN,
        ),
        Field::atomic("selector"),
    ],
};

static SERVICE_STATUS: Struct = Struct {
    fields: &[CONDITIONS, Field::always("loadBalancer", &PLAIN)],
};

/// `ConfigMap`.
pub(super) static CONFIG_MAP: Struct = Struct {
    fields: &[METADATA, Field::map("data"), Field::map("binaryData")],
};

/// `Secret`.
pub(super) static SECRET: Struct = Struct {
    fields: &[METADATA, Field::map("data"), Field::map("stringData")],
};

/// `ServiceAccount`.
pub(super) static SERVICE_ACCOUNT: Struct = Struct {
    fields: &[METADATA, Field::keyed("secrets", NAME, &PLAIN)],
};

/// `Namespace`.
pub(super) static NAMESPACE: Struct = Struct {
    fields: &[
        METADATA,
        Field::always("spec", &PLAIN),
        Field::always("status", &STATUS),
    ],
};

/// `Node`.
pub(super) static NODE: Struct = Struct {
    fields: &[
        METADATA,
        Field::always("spec", &NODE_SPEC),
        Field::always("status", &NODE_STATUS),
    ],
};

static NODE_SPEC: Struct = Struct {
    fields: &[Field::set("podCIDRs").patched(Patch::MergeScalars)],
};

static NODE_STATUS: Struct = Struct {
    fields: &[
        CONDITIONS,
        Field::keyed("addresses", TYPE, &PLAIN),
        Field::map("capacity"),
        Field::map("allocatable"),
        Field::always("daemonEndpoints", &DAEMON_ENDPOINTS),
        Field::always("nodeInfo", &PLAIN),
    ],
};

static DAEMON_ENDPOINTS: Struct = Struct {
    fields: &[Field::always("kubeletEndpoint", &PLAIN)],
};

/// `PersistentVolumeClaim`.
pub(super) static PERSISTENT_VOLUME_CLAIM: Struct = Struct {
    fields: &[
        METADATA,
        Field::always("spec", &CLAIM_SPEC),
        Field::always("status", &CLAIM_STATUS),
    ],
};

/// `spec` of a volume claim.
pub(super) static CLAIM_SPEC: Struct = Struct {
    fields: &[
        Field::always("resources", &RESOURCES),
        Field::atomic("selector"),
        Field::atomic("dataSource"),
    ],
};

static CLAIM_STATUS: Struct = Struct {
    fields: &[
        CONDITIONS,
        Field::map("capacity"),
        Field::map("allocatedResources"),
        Field::map("allocatedResourceStatuses"),
    ],
};

/// `PersistentVolume`.
pub(super) static PERSISTENT_VOLUME: Struct = Struct {
    fields: &[
        METADATA,
        Field::always("spec", &VOLUME_SPEC),
        Field::always("status", &PLAIN),
    ],
};

static VOLUME_SPEC: Struct = Struct {
    fields: &[
        Field::map("capacity"),
        Field::of("nodeAffinity", &VOLUME_AFFINITY),
    ],
};

static VOLUME_AFFINITY: Struct = Struct {
    fields: &[Field::atomic("required")],
};

/// `ResourceQuota`.
pub(super) static RESOURCE_QUOTA: Struct = Struct {
    fields: &[
        METADATA,
        Field::always("spec", &QUOTA),
        Field::always("status", &QUOTA),
    ],
};

static QUOTA: Struct = Struct {
    fields: &[
        Field::map("hard"),
        Field::map("used"),
        Field::atomic("scopeSelector"),
    ],
};

/// `Event`, of both groups.
pub(super) static EVENT: Struct = Struct {
    fields: &[
        METADATA,
        Field::atomic("involvedObject"),
        Field::atomic("regarding"),
        Field::atomic("related"),
        Field::always("source", &PLAIN),
        Field::always("deprecatedSource", &PLAIN),
    ],
};

/// `CustomResourceDefinition`; its versions are taken as a whole.
pub(super) static DEFINITION: Struct = Struct {
    fields: &[
        METADATA,
        Field::always("spec", &PLAIN),
        Field::always("status", &STATUS),
    ],
};
