//! The metadata of an installation, in one SQLite database: the objects of the engine's API with the history
//! of their changes, the orders of rollouts, and the ledger of the registry. The only SQL of the project is
//! here.
//!
//! The crate knows rows, not what is in them: a body is text, a key is four words, a digest is a word. Writes
//! of objects and of the ledger go through a task each, which commits what has queued up in one transaction;
//! reads go to a small pool beside them. A write is acknowledged once it would survive a power cut: the write-ahead
//! log is synced on every commit (`synchronous=FULL`; `NORMAL` would sync at checkpoints only and could lose
//! the last acknowledged writes). Committing many waiting writes with one sync wins back most of the cost.
//! Nothing is written while nothing changes.

mod error;
pub mod objects;
pub mod orders;
pub mod registry;
mod store;
mod writer;

pub use error::Error;
pub use store::Store;
