//! The metadata that all objects share.

use super::{Field, PLAIN, Patch, Struct, key};

/// `metadata` of an object or of a template.
pub(super) const METADATA: Field = Field::always("metadata", &OBJECT_META);

static OBJECT_META: Struct = Struct {
    fields: &[
        Field::map("labels"),
        Field::map("annotations"),
        Field::set("finalizers").patched(Patch::MergeScalars),
        Field::keyed("ownerReferences", &[key("uid")], &PLAIN),
    ],
};
