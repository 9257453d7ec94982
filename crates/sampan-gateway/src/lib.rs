//! The `sampan-gateway` crate.
