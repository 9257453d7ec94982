//! The `sampan-store` crate.
