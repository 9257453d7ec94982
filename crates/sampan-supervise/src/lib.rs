//! The `sampan-supervise` crate.
