//! Housekeeping while serving: what rules call old goes, and so does content that nobody needs.
//!
//! Nothing is walked to find out what is needed: the ledger counts. A collection drops links that have been idle for
//! long, which leaves blobs without a holder; those are taken away a page at a time, while pushes of the same blobs wait
//! for an instant. Between the pages it rests, so that requests keep their speed. One task carries out one collection
//! after the other, on time and when asked to; killed in between, the next one finishes what was begun.

mod offline;
mod online;
mod order;
mod pins;
mod report;

pub use self::offline::{CollectError, OrderError, Place, collect, order};
pub use self::order::Options;
pub use self::pins::{Pinned, Pins};
pub use self::report::{Entry, Kind, Report, Sum};

pub(crate) use self::online::Collection;
pub(crate) use self::order::{Housekeeper, Orders};
