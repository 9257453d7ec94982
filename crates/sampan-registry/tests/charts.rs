//! The chart repository over HTTP, with curl, beside the registry that holds the same charts.

#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

#[path = "server/fixture.rs"]
#[expect(dead_code, reason = "the tests of images use more of it")]
mod fixture;
#[path = "charts/helm.rs"]
mod helm;
#[path = "charts/index.rs"]
mod index;
#[path = "charts/packing.rs"]
mod packing;
#[path = "server/place.rs"]
mod place;
#[path = "charts/rights.rs"]
mod rights;
#[path = "charts/robustness.rs"]
mod robustness;
#[path = "../../../fuzz/charts.rs"]
mod targets;
#[path = "charts/upload.rs"]
mod upload;
