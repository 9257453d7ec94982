//! Ways into pods: ingresses, their classes, endpoint slices, network policies.

use super::meta::METADATA;
use super::{Field, PLAIN, Struct};

/// `Ingress`.
pub(super) static INGRESS: Struct = Struct {
    fields: &[
        METADATA,
        Field::always("spec", &INGRESS_SPEC),
        Field::always("status", &INGRESS_STATUS),
    ],
};

static INGRESS_SPEC: Struct = Struct {
    fields: &[Field::of("defaultBackend", &BACKEND)],
};

static BACKEND: Struct = Struct {
    fields: &[
        Field::atomic("resource"),
        Field::of("service", &BACKEND_SERVICE),
    ],
};

static BACKEND_SERVICE: Struct = Struct {
    fields: &[Field::atomic("port")],
};

static INGRESS_STATUS: Struct = Struct {
    fields: &[Field::always("loadBalancer", &PLAIN)],
};

/// `IngressClass`.
pub(super) static INGRESS_CLASS: Struct = Struct {
    fields: &[METADATA, Field::always("spec", &PLAIN)],
};

/// `NetworkPolicy`.
pub(super) static NETWORK_POLICY: Struct = Struct {
    fields: &[METADATA, Field::always("spec", &POLICY_SPEC)],
};

static POLICY_SPEC: Struct = Struct {
    fields: &[Field::atomic("podSelector")],
};

/// `EndpointSlice`; its endpoints and ports are taken as a whole.
pub(super) static ENDPOINT_SLICE: Struct = Struct {
    fields: &[METADATA],
};
