//! The `sampan-oci` crate.
