//! The `sampan-deploy` crate.
