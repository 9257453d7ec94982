//! Containers through the public face, with a root file system made of busybox. Needs root.
#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

mod life;
mod logs;
mod network;
mod repair;
mod site;
