//! The `sampan-bundle` crate.
