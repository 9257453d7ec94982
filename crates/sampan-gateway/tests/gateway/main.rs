//! The gateway from outside: real servers behind it, real clients before it, on loopback addresses of their own.

mod dns;
mod http;
mod http2;
mod plain;
mod rolling;
mod server;
mod service;
mod site;
