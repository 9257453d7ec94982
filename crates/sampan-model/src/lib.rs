//! The nouns of Sampan: names, versions, states and their legal transitions.
//!
//! This crate owns what several capabilities must agree on, and nothing that does anything: no I/O, no
//! clock, no async. A capability that finds itself wanting to reach for a file or a socket here wants
//! another crate. Data passes through as text that is parsed once, at the edge, into the types below.

pub mod app;
pub mod causes;
pub mod go_time;
pub mod hint;
pub mod name;
mod nearest;
pub mod order;
pub mod routing;
mod shortened;
pub mod yaml;

pub use causes::Causes;
pub use hint::Hint;
pub use name::{AppName, NameError, ReleaseName, Version};
pub use nearest::nearest;
pub use order::{OrderId, OrderState};
pub use shortened::{on_one_line, shortened};
