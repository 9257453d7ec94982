//! The server through HTTP: the corners of the protocol over a bare socket, and what real clients make of it.

#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

#[path = "server/client.rs"]
mod client;
#[path = "server/closing.rs"]
mod closing;
#[path = "client/content.rs"]
mod content;
#[path = "server/fixture.rs"]
mod fixture;
#[path = "server/housekeeping.rs"]
mod housekeeping;
#[path = "server/listing.rs"]
mod listing;
#[path = "server/manifests.rs"]
mod manifests;
#[path = "server/oci_client.rs"]
mod oci_client;
#[path = "server/place.rs"]
mod place;
#[path = "server/pull.rs"]
mod pull;
#[path = "server/push.rs"]
mod push;
#[path = "server/replication.rs"]
mod replication;
#[path = "client/scripted.rs"]
mod scripted;
#[path = "server/tools.rs"]
mod tools;
#[path = "server/trickle.rs"]
mod trickle;
#[path = "server/upstream.rs"]
mod upstream;
#[path = "server/upstream_tools.rs"]
mod upstream_tools;
