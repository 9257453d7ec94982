//! What every long-running part of Sampan needs: a way to be told to stop, named tasks that are awaited,
//! the clock, back-off, and logging.
//!
//! It knows nothing of what runs. A part takes a [`Shutdown`], starts its work through [`Tasks`], and returns
//! from its `run` once all of it has ended.

pub mod backoff;
pub mod clock;
pub mod logging;
pub mod shutdown;
pub mod tasks;

pub use backoff::Backoff;
pub use shutdown::Shutdown;
pub use tasks::Tasks;
