//! Pods and the templates that make them.

use super::meta::METADATA;
use super::{CONDITIONS, Field, Key, NAME, PLAIN, Patch, Shape, Struct, key};

/// `Pod`.
pub(super) static POD: Struct = Struct {
    fields: &[
        METADATA,
        Field::always("spec", &POD_SPEC),
        Field::always("status", &POD_STATUS),
    ],
};

/// `PodTemplate`.
pub(super) static POD_TEMPLATE: Struct = Struct {
    fields: &[METADATA, TEMPLATE],
};

/// `template` of a workload.
pub(super) const TEMPLATE: Field = Field::always("template", &TEMPLATE_SPEC);

static TEMPLATE_SPEC: Struct = Struct {
    fields: &[METADATA, Field::always("spec", &POD_SPEC)],
};

static POD_SPEC: Struct = Struct {
    fields: &[
        Field::keyed("containers", NAME, &CONTAINER),
        Field::keyed("initContainers", NAME, &CONTAINER),
        Field::keyed("ephemeralContainers", NAME, &CONTAINER),
        Field::keyed("volumes", NAME, &VOLUME),
        Field::keyed("imagePullSecrets", NAME, &PLAIN),
        Field::keyed("hostAliases", &[key("ip")], &PLAIN),
        Field::keyed(
            "topologySpreadConstraints",
            &[key("topologyKey"), key("whenUnsatisfiable")],
            &SPREAD,
        ),
        Field::keyed("schedulingGates", NAME, &PLAIN),
        Field::keyed("resourceClaims", NAME, &PLAIN),
        Field::atomic("nodeSelector"),
        Field::map("overhead"),
        Field::of("affinity", &AFFINITY),
        Field::of("resources", &RESOURCES),
    ],
};

static SPREAD: Struct = Struct {
    fields: &[Field::atomic("labelSelector")],
};

static AFFINITY: Struct = Struct {
    fields: &[Field::of("nodeAffinity", &NODE_AFFINITY)],
};

static NODE_AFFINITY: Struct = Struct {
    fields: &[Field::atomic(
        "requiredDuringSchedulingIgnoredDuringExecution",
    )],
};

const PORT: &[Key] = &[
    key("containerPort"),
    Key {
        name: "protocol",
        default: Some("TCP"),
    },
];

static CONTAINER: Struct = Struct {
    fields: &[
        Field::keyed("env", NAME, &ENV),
        Field::keyed("ports", PORT, &PLAIN),
        Field::keyed("volumeMounts", &[key("mountPath")], &PLAIN),
        Field::keyed("volumeDevices", &[key("devicePath")], &PLAIN),
        Field::always("resources", &RESOURCES),
    ],
};

static ENV: Struct = Struct {
    fields: &[Field::of("valueFrom", &ENV_SOURCE)],
};

static ENV_SOURCE: Struct = Struct {
    fields: &[
        Field::atomic("fieldRef"),
        Field::atomic("resourceFieldRef"),
        Field::atomic("configMapKeyRef"),
        Field::atomic("secretKeyRef"),
        Field::atomic("fileKeyRef"),
    ],
};

/// `resources` of containers and of volume claims.
pub(super) static RESOURCES: Struct = Struct {
    fields: &[
        Field::map("limits"),
        Field::map("requests"),
        Field::keyed("claims", NAME, &PLAIN).patched(Patch::Default),
    ],
};

static VOLUME: Struct = Struct {
    fields: &[
        Field::of("cephfs", &SECRET_REFERENCE),
        Field::of("cinder", &SECRET_REFERENCE),
        Field::of("flexVolume", &SECRET_REFERENCE),
        Field::of("iscsi", &SECRET_REFERENCE),
        Field::of("rbd", &SECRET_REFERENCE),
        Field::of("scaleIO", &SECRET_REFERENCE),
        Field::of("storageos", &SECRET_REFERENCE),
        Field::of("csi", &CSI),
        Field::of("ephemeral", &EPHEMERAL),
    ],
};

static SECRET_REFERENCE: Struct = Struct {
    fields: &[Field::atomic("secretRef"), Field::map("options")],
};

static CSI: Struct = Struct {
    fields: &[
        Field::atomic("nodePublishSecretRef"),
        Field::map("volumeAttributes"),
    ],
};

static EPHEMERAL: Struct = Struct {
    fields: &[Field::of("volumeClaimTemplate", &CLAIM_TEMPLATE)],
};

static CLAIM_TEMPLATE: Struct = Struct {
    fields: &[METADATA, Field::always("spec", &super::core::CLAIM_SPEC)],
};

static POD_STATUS: Struct = Struct {
    fields: &[
        CONDITIONS,
        Field::keyed("podIPs", &[key("ip")], &PLAIN),
        Field::new("hostIPs", Shape::Atomic, Patch::MergeBy("ip")),
        Field::keyed("resourceClaimStatuses", NAME, &PLAIN),
    ],
};
