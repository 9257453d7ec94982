//! The way in: HTTP routing, balanced service addresses, and the cluster DNS.
//!
//! The gateway owns the sockets that clients talk to and the connections to the endpoints behind them. It is
//! told everything by one watched [`Routing`](sampan_model::routing::Routing): listeners, routes, pools of
//! endpoints, names. It does not know who derives it (there is no Kubernetes here), starts nothing and stores nothing.
//!
//! How data passes through: each new snapshot is compiled into a table (`directory`), whose backends keep their
//! state from table to table. A request is given a backend and counted there *while the table is read-locked*, so
//! that once a snapshot without an endpoint is in place, no request can still be on its way to it uncounted. That is
//! what [`Handle::wait_idle`] relies on, and why a rolling update loses no request.

mod affinity;
mod backend;
mod bind;
mod config;
mod directory;
mod dns;
mod error;
mod gateway;
mod http;
mod routes;
mod service;
mod socket;
mod stats;
mod tunnel;

pub use bind::holder::find as holder;
pub use config::{Config, Limits, Sockets};
pub use error::{Error, Result};
pub use gateway::{Gateway, Handle, build};
pub use stats::Figures;
