//! The single-machine target: a Kubernetes API, the controllers behind it, and the pods it runs.
//!
//! Everything goes through [`objects`]: the HTTP server ([`api`]) parses a request, calls it and renders the
//! answer; the controllers and the kubelet half call the same functions with typed objects. Objects live in
//! `sampan-store`, whose history of changes feeds every watcher, inside and outside of the process.
//!
//! The crate knows nothing of apps, releases or charts, and it does not listen for the users' traffic: it
//! publishes facts about services and ready endpoints ([`routing`]), which the gateway reads.

mod access;
pub mod api;
pub mod controllers;
pub mod custom;
mod decode;
pub mod defaults;
pub mod deps;
pub mod engine;
pub mod error;
pub mod keys;
pub mod kubelet;
pub mod objects;
pub mod openapi;
pub mod patch;
pub mod resources;
pub mod routing;
pub mod schema;
pub mod server;
pub mod streams;
pub mod table;
mod usage;
pub mod validate;
pub mod workloads;
