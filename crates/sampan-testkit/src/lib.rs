//! The `sampan-testkit` crate.
