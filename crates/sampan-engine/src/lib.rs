//! The single-machine target: a Kubernetes API, the controllers behind it, and the pods it runs.

pub mod patch;
pub mod schema;
