//! Bundles: one file that carries releases.
//!
//! ```text
//! sampan-bundle.json      what is inside, and what must be on the other side already
//! oci-layout, index.json  the rest of the file is an OCI image layout
//! blobs/sha256/…          first what others point to, then what points
//! ```
//!
//! The file is an uncompressed tar archive (its blobs are compressed already) in which no byte is
//! free: given `sampan-bundle.json`, every header, every padding and the two small files are
//! determined, `index.json` holds the digest of `sampan-bundle.json`, and blobs are named by their
//! digest. So whatever was altered or cut off on the way is noticed.

mod contents;
mod error;
mod load;
mod pack;
mod source;

pub use self::contents::{Base, BlobEntry, Contents, Packed, PackedImage, Required};
pub use self::error::BundleError;
pub use self::load::{Summary, inspect, load};
pub use self::pack::Bundle;

/// How far the work has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the file that are done.
    pub done_bytes: u64,
    /// Bytes of the whole file.
    pub total_bytes: u64,
}
