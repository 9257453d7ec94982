//! The server with its blobs in a bucket: all that holds on the disk, and what happens when the bucket is not there.

#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

#[path = "s3/breaking.rs"]
mod breaking;
#[path = "server/client.rs"]
mod client;
#[path = "server/closing.rs"]
mod closing;
#[path = "client/content.rs"]
mod content;
#[path = "server/fixture.rs"]
mod fixture;
#[path = "charts/helm.rs"]
mod helm;
#[path = "server/housekeeping.rs"]
mod housekeeping;
#[path = "charts/index.rs"]
mod index;
#[path = "server/listing.rs"]
mod listing;
#[path = "server/manifests.rs"]
mod manifests;
#[path = "server/oci_client.rs"]
mod oci_client;
#[path = "s3/opening.rs"]
mod opening;
#[path = "charts/packing.rs"]
mod packing;
#[path = "s3/place.rs"]
mod place;
#[path = "server/pull.rs"]
mod pull;
#[path = "server/push.rs"]
mod push;
#[path = "server/replication.rs"]
mod replication;
#[path = "charts/rights.rs"]
mod rights;
#[path = "charts/robustness.rs"]
mod robustness;
#[path = "client/scripted.rs"]
mod scripted;
#[path = "s3/service.rs"]
mod service;
#[path = "s3/sweeping.rs"]
mod sweeping;
#[path = "../../../fuzz/charts.rs"]
mod targets;
#[path = "server/tools.rs"]
mod tools;
#[path = "server/trickle.rs"]
mod trickle;
#[path = "charts/upload.rs"]
mod upload;
#[path = "server/upstream.rs"]
mod upstream;
#[path = "server/upstream_tools.rs"]
mod upstream_tools;
