//! The API, through the real `kubectl` and raw requests, without any workload behind it.
#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

mod create;
mod fixture;
mod kubectl;
mod raw;
