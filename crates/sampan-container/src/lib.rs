//! The `sampan-container` crate.
