//! The `sampan-engine` crate.
