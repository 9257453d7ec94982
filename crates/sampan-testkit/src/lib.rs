//! For tests only: boots the real binary in an installation of its own and drives it, with the real clients.
//!
//! An [`Installation`] is a temporary data folder, with a network namespace of its own where a test needs
//! one. Whatever a test started in it is stopped and removed when it goes out of scope, also on a panic.
//! Nothing here knows what the commands mean; tests do.
#![expect(
    clippy::missing_panics_doc,
    reason = "in tests, a failed expectation is a panic"
)]

pub mod cutter;
pub mod docker_registry;
pub mod finished;
pub mod helm;
pub mod installation;
pub mod namespace;
pub mod script;
pub mod server;
pub mod source;
pub mod terminal;
pub mod wait;

pub use cutter::Cutter;
pub use docker_registry::DockerRegistry;
pub use finished::Finished;
pub use helm::Helm;
pub use installation::Installation;
pub use namespace::Namespace;
pub use script::Script;
pub use server::{Server, kubectl_minor};
pub use source::SourceTree;
pub use terminal::Terminal;
pub use wait::eventually;
