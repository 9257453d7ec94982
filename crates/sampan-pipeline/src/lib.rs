//! Continuous integration as source trees describe it: Drone, Woodpecker and GitHub workflows.
//!
//! This crate owns the dialects that people already have and the one [`graph`] that all of them become. A file and what
//! happened to the source tree (a [`build::Build`]: event, branch, commit, changed files …) go in; out comes a graph of
//! stages and steps in which everything that can be decided beforehand has been decided, with reasons: which stages and
//! steps run, on what they wait, what their environments hold and which secrets they name. Nothing behind the graph
//! knows which dialect it came from.
//!
//! ```text
//! .drone.yml, .woodpecker.yml, .github/workflows ─▶ dialect ─▶ Graph ─▶ plan ─▶ executor ─▶ ports
//!                       Build (event, commit …) ───────┘                             (build, run, secrets)
//! ```
//!
//! It deliberately does not know images, containers and accounts: how an image is built, how a step is run and what a
//! secret holds are asked of ports that the caller brings. It opens no files and no connections by itself, and it reads
//! no clock. Files are written by people nobody here knows: sizes, nesting, matrices and the work of substitutions are
//! bounded, and what a dialect documents but Sampan does not do is an error that names it, never a silent skip.

mod allowance;
pub mod build;
pub mod built_in;
mod compose;
mod condition;
pub mod config;
pub mod dialect;
pub mod drone;
pub mod drone08;
pub mod error;
pub mod expression;
pub mod gate;
pub mod github;
mod glob;
pub mod graph;
pub mod image;
pub mod images;
mod lenient;
pub mod lock;
pub mod mask;
mod matrix;
mod order;
mod path;
pub mod plan;
mod quote;
mod read;
pub mod results;
pub mod run;
pub mod script;
pub mod secrets;
pub mod settings;
mod skip;
pub mod substitution;
pub mod supplies;
pub mod trust;
pub mod woodpecker;
mod words;

pub use error::PipelineError;
