//! Everything that Sampan knows about Helm charts and Kubernetes manifests before they reach a target.
//!
//! A chart and the user's values go in, manifests come out, byte for byte as Helm prints them: `template` is Go's
//! text/template language over the dynamic [`value`]s of Go, [`functions`] are the functions that charts call, and the
//! writers of YAML and JSON follow the libraries that Helm uses, because charts compare and hash what they print.
//!
//! The crate reads files and archives that nobody here wrote: recursion, sizes and work are bounded everywhere. It opens
//! no connections; what comes from registries and clusters reaches it through ports.

pub mod chart;
pub mod check;
pub mod compatibility;
mod deadline;
pub mod functions;
pub mod images;
pub mod json;
pub mod kustomize;
pub mod limits;
pub mod lint;
pub mod manifest;
pub mod package;
pub mod release;
pub mod render;
pub mod repository;
mod schema;
pub mod starter;
pub mod template;
pub mod toml;
pub mod value;
pub mod values;
pub mod version;
pub mod yaml;
