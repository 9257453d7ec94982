//! The `sampan-build` crate.
