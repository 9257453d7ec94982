//! Go's text/template language: templates are parsed into [`Templates`] and carried out by an [`Executor`].
//!
//! Text goes through `lexer` and `parser` into the nodes of `tree`, which keep their places in the source, because
//! errors name the place and print the node as Go does. The executor walks the nodes with a stack of its own, so that
//! depth is bounded by counts; only parentheses, `include` and `tpl` recurse.

mod error;
mod execute;
mod letters;
mod lexer;
mod number;
mod parser;
mod set;
mod tree;
mod unquote;

pub use error::Error;
pub(crate) use error::mark_message;
pub use execute::{Cluster, Executor, MissingKey, Settings, Wanted, erase_no_value};
pub use set::Templates;
