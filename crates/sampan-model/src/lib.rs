//! The `sampan-model` crate.
