//! Runs pipelines in real containers.

#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

mod ends;
mod github;
mod killed;
mod masks;
mod order;
mod plugins;
mod services;
mod site;
mod trust;
mod turns;
