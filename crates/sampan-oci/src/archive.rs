//! The tar format, as layers and bundles use it.
//!
//! Written is the ustar format with PAX extended headers where it does not suffice, always in the
//! same way. Read are these and the old GNU extensions for long names. Why not a library: layers
//! need PAX values that are binary (capabilities of files), bounded headers whatever the input
//! claims, and headers that can be foretold byte for byte (bundles).

mod entry;
mod error;
mod header;
mod pax;
mod reader;
mod writer;

pub use self::entry::{Entry, Kind};
pub use self::error::ArchiveError;
pub use self::header::{BLOCK_BYTES, padding};
pub use self::reader::ArchiveReader;
pub(crate) use self::reader::into_archive_error;
pub use self::writer::{ArchiveWriter, header_bytes};
