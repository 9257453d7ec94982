//! TOML as Helm writes and reads it: `github.com/BurntSushi/toml`.

use crate::compatibility::Compatibility;
use crate::value::{Dict, Text, Value};

mod decode;
mod encode;

/// Why TOML could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing at all is to be written; the text is Go's.
    #[error("reflect: call of reflect.Value.Type on zero Value")]
    Nil,
    /// A list with nothing at some place.
    #[error("toml: cannot encode array with nil element")]
    NilElement,
    /// A list of tables that has no name.
    #[error("toml: top-level values must be Go maps or structs")]
    NoKey,
    /// A type that TOML cannot express.
    #[error("unsupported type: {0}")]
    UnsupportedType(&'static str),
    /// A value that holds itself.
    #[error("toml: values are nested too deep")]
    Cycle,
    /// What would be written is larger than a text may be.
    #[error(
        "toml: the text is over the limit of {} bytes",
        crate::limits::TEXT_BYTES
    )]
    TooLarge,
    /// The text is no TOML.
    #[error("toml: line {line}: {problem}")]
    Text {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
}

impl sampan_model::Hint for Error {}

/// Writes a map as a document, or anything else as a value by itself. Helm 4 writes large numbers with exponents.
///
/// # Errors
/// When the value holds something that TOML cannot express.
pub fn encode(value: &Value, compatibility: Compatibility) -> Result<Text, Error> {
    encode::encode(value, compatibility)
}

/// Reads a document.
///
/// # Errors
/// When the text is no TOML.
pub fn decode(bytes: &[u8]) -> Result<Dict, Error> {
    decode::decode(bytes)
}
