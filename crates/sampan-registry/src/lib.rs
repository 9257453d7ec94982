//! The OCI registry: a server on top of the content store, and the client for it and all others.
//!
//! Bytes lie in the content store, what they are called and who holds them lies in the ledger of `sampan-store`. A push
//! is acknowledged when both would survive a power cut: first the bytes under their digest, then the row that
//! makes them visible. Removal goes the other way round. So a kill at any instant leaves at most bytes that nobody
//! names, which the next collection takes away.
//!
//! It deliberately does not know what an image contains, nor apps, releases or rollouts; who may do what is asked through
//! a port. Nothing but the client opens connections, and only to addresses that the user configured or typed.

pub mod auth;
mod charts;
pub mod client;
pub mod collect;
pub mod config;
mod error;
pub mod events;
mod http;
mod locks;
mod metrics;
mod registry;
pub mod replication;
mod retention;
pub mod secret;
mod server;
mod storage;
pub mod upstream;
pub mod wire;

pub use charts::ChartError;
pub use config::Config;
pub use error::Error;
pub use server::{BuildError, Dependencies, Server, build};
pub use storage::{BucketError, OpenError, StorageError};
