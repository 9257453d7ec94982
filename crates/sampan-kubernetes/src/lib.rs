//! What the built-in kinds of Kubernetes look like: one table for everybody who must know it.
//!
//! The crate owns [`catalog::Catalog`], which says for each group, version and kind how it is called in paths, from which
//! version of Kubernetes to which it is served and what takes its place, and which fields its objects have: their names
//! in JSON, their numbers in protobuf, their types, whether they are required, and since when they exist. It also owns
//! [`protobuf`], which turns the bodies that `kubectl` and other clients send into JSON by that table.
//!
//! It does no I/O and knows neither the API that is served with it nor the files that are checked with it. What is
//! right beyond the shape of an object (a name that is too long, a port that is used twice) is no business of its.

pub mod catalog;
pub mod kind;
pub mod protobuf;
pub mod structure;
mod text;
pub mod version;

pub use catalog::Catalog;
pub use kind::Kind;
pub use structure::{Field, Structure, Type};
pub use version::Version;
