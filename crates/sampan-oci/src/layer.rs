//! Layers: writing directories as archives, and reading archives whatever their compression.

mod compression;
mod directory;
mod error;
mod overlay;
mod tree;
mod writer;

pub(crate) use self::compression::Encoder;
pub use self::compression::{Compression, decompress};
pub use self::directory::{from_directory, kept_attributes};
pub use self::error::LayerError;
pub use self::overlay::from_overlay;
pub use self::writer::{Layer, LayerOptions, LayerWriter};

/// Before the name of a file, in a layer: the file of that name below is hidden.
pub const WHITEOUT_PREFIX: &[u8] = b".wh.";
/// The name of an entry, in a layer: all files below the same directory are hidden.
pub const OPAQUE_MARKER: &[u8] = b".wh..wh..opq";
