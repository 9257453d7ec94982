//! How the bytes of layers are compressed.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::str::FromStr;

use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use oci_spec::image::MediaType;

use super::LayerError;

const ZSTD_LEVEL: i32 = 3;
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const XZ_MAGIC: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z'];
const BZIP2_MAGIC: &[u8] = b"BZh";

/// A way to compress a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Compression {
    /// Zstandard: fast, small, read by every tool of the last years.
    #[default]
    Zstd,
    /// Gzip, for tools that know nothing else.
    Gzip,
    /// None.
    Uncompressed,
}

impl Compression {
    /// The media type of a layer that is compressed so.
    #[must_use]
    pub fn media_type(self) -> MediaType {
        match self {
            Self::Zstd => MediaType::ImageLayerZstd,
            Self::Gzip => MediaType::ImageLayerGzip,
            Self::Uncompressed => MediaType::ImageLayer,
        }
    }
}

impl Compression {
    /// How bytes that begin with `start` are compressed, if this program can read them.
    pub(crate) fn of(start: &[u8]) -> Self {
        if start.starts_with(ZSTD_MAGIC) {
            Self::Zstd
        } else if start.starts_with(GZIP_MAGIC) {
            Self::Gzip
        } else {
            Self::Uncompressed
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
            Self::Uncompressed => "none",
        })
    }
}

impl FromStr for Compression {
    type Err = LayerError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "zstd" => Ok(Self::Zstd),
            "gzip" => Ok(Self::Gzip),
            "none" => Ok(Self::Uncompressed),
            _ => Err(LayerError::Compression {
                name: text.to_owned(),
            }),
        }
    }
}

/// Compresses into a blob.
pub(crate) enum Encoder<W: Write> {
    Zstd(Box<zstd::Encoder<'static, W>>),
    Gzip(Box<GzEncoder<W>>),
    Uncompressed(W),
}

impl<W: Write> Encoder<W> {
    pub(crate) fn new(compression: Compression, blob: W) -> io::Result<Self> {
        Ok(match compression {
            Compression::Zstd => Self::Zstd(Box::new(zstd::Encoder::new(blob, ZSTD_LEVEL)?)),
            Compression::Gzip => Self::Gzip(Box::new(GzEncoder::new(
                blob,
                flate2::Compression::default(),
            ))),
            Compression::Uncompressed => Self::Uncompressed(blob),
        })
    }

    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Self::Zstd(encoder) => encoder.finish(),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Uncompressed(blob) => Ok(blob),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Zstd(encoder) => encoder.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Uncompressed(blob) => blob.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Zstd(encoder) => encoder.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Uncompressed(blob) => blob.flush(),
        }
    }
}

/// Reads what `source` holds, decompressed if its first bytes say that it is compressed.
///
/// # Errors
/// When the first bytes cannot be read, or tell of a compression that this program cannot read.
pub fn decompress<'source>(
    source: impl Read + 'source,
) -> Result<Box<dyn Read + 'source>, LayerError> {
    let mut source = BufReader::with_capacity(128 * 1024, source);
    let start = source.fill_buf().map_err(LayerError::Read)?;
    if start.starts_with(ZSTD_MAGIC) {
        let decoder = zstd::Decoder::with_buffer(source).map_err(LayerError::Read)?;
        Ok(Box::new(decoder))
    } else if start.starts_with(GZIP_MAGIC) {
        Ok(Box::new(MultiGzDecoder::new(source)))
    } else if start.starts_with(XZ_MAGIC) {
        Err(LayerError::Compression {
            name: "xz".to_owned(),
        })
    } else if start.starts_with(BZIP2_MAGIC) {
        Err(LayerError::Compression {
            name: "bzip2".to_owned(),
        })
    } else {
        Ok(Box::new(source))
    }
}
