//! Names of bytes: `sha256:…` and `sha512:…`.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use oci_spec::image::Descriptor;
use ring::digest::{Context, SHA256, SHA512};
use sampan_model::Hint;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A digest, as the OCI image specification writes it: the algorithm, a colon, lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Digest {
    /// The SHA-256 of some bytes; what Sampan itself makes.
    Sha256([u8; 32]),
    /// The SHA-512 of some bytes; accepted from others.
    Sha512([u8; 64]),
}

/// A hash function that names bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// Why a text is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// There is no colon between the algorithm and the value.
    #[error("`{text}` is not a digest: it has no `:`")]
    Separator {
        /// The text.
        text: String,
    },
    /// The algorithm is none that this program computes.
    #[error("digest `{text}` uses an unknown algorithm")]
    Algorithm {
        /// The text.
        text: String,
    },
    /// The value is not lower-case hex of the algorithm's length.
    #[error("digest `{text}` is not {length} lower-case hex digits long")]
    Value {
        /// The text.
        text: String,
        /// How many hex digits the algorithm gives.
        length: usize,
    },
}

impl Hint for DigestError {
    fn hint(&self) -> Option<String> {
        Some("a digest looks like `sha256:` followed by 64 hex digits".to_owned())
    }
}

impl Algorithm {
    /// The name before the colon, which is also the folder below `blobs/`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// All algorithms.
    #[must_use]
    pub fn all() -> [Self; 2] {
        [Self::Sha256, Self::Sha512]
    }
}

impl Digest {
    /// The SHA-256 digest of `bytes`.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(bytes);
        hasher.finish()
    }

    /// The digest that `descriptor` points to.
    ///
    /// # Errors
    /// When the descriptor uses an algorithm that this program does not compute.
    pub fn of(descriptor: &Descriptor) -> Result<Self, DigestError> {
        descriptor.digest().as_ref().parse()
    }

    /// The hash function.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Sha256(_) => Algorithm::Sha256,
            Self::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// The value as lower-case hex, without the algorithm.
    #[must_use]
    pub fn hex(&self) -> String {
        match self {
            Self::Sha256(bytes) => hex::encode(bytes),
            Self::Sha512(bytes) => hex::encode(bytes),
        }
    }

    /// The first twelve hex digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        let mut hex = self.hex();
        hex.truncate(12);
        hex
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((algorithm, value)) = text.split_once(':') else {
            return Err(DigestError::Separator {
                text: text.to_owned(),
            });
        };
        match algorithm {
            "sha256" => decode(text, value).map(Self::Sha256),
            "sha512" => decode(text, value).map(Self::Sha512),
            _ => Err(DigestError::Algorithm {
                text: text.to_owned(),
            }),
        }
    }
}

fn decode<const N: usize>(text: &str, value: &str) -> Result<[u8; N], DigestError> {
    let mut bytes = [0; N];
    let lower = !value.bytes().any(|byte| byte.is_ascii_uppercase());
    if lower && hex::decode_to_slice(value, &mut bytes).is_ok() {
        Ok(bytes)
    } else {
        Err(DigestError::Value {
            text: text.to_owned(),
            length: 2 * N,
        })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.algorithm().name(), self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl From<Digest> for oci_spec::image::Digest {
    fn from(digest: Digest) -> Self {
        Self::from_str(&digest.to_string()).expect("our digests are a subset of the OCI grammar")
    }
}

/// Computes a digest while bytes are written to it.
#[derive(Clone)]
pub struct Hasher {
    algorithm: Algorithm,
    context: Box<Context>,
    length: u64,
}

impl Hasher {
    /// A hasher that has seen nothing yet.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        let context = Context::new(match algorithm {
            Algorithm::Sha256 => &SHA256,
            Algorithm::Sha512 => &SHA512,
        });
        let context = Box::new(context);
        Self {
            algorithm,
            context,
            length: 0,
        }
    }

    /// Takes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
        self.length += bytes.len() as u64;
    }

    /// How many bytes were taken.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The digest of all bytes taken.
    #[must_use]
    pub fn finish(self) -> Digest {
        let value = self.context.finish();
        let value = value.as_ref();
        match self.algorithm {
            Algorithm::Sha256 => Digest::Sha256(array(value)),
            Algorithm::Sha512 => Digest::Sha512(array(value)),
        }
    }
}

/// The output of a hash function, which gives as many bytes as its name says.
fn array<const N: usize>(value: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(value);
    bytes
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new(Algorithm::Sha256)
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Hasher")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
