//! Releases and bundles through the public face of the crate.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bundle;
mod fuzz;
mod images;
mod kill;
mod release;
mod support;
