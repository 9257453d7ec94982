//! What clients send, read into types: paths, ranges, queries, manifests.
//!
//! Everything here is a pure function of untrusted text, bounded in time and memory by the length of the text.

pub mod chart_path;
pub mod document;
pub mod name;
pub mod path;
pub mod query;
pub mod range;
