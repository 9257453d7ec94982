//! Runs pipelines in real containers.

#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

mod order;
mod services;
mod site;
