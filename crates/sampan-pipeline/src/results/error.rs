//! Why a file with results cannot be read.

use sampan_model::Hint;

use super::{LIMIT_BYTES, LIMIT_ENTRIES};

/// Why a file is not what it is taken for.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// The file is longer than [`LIMIT_BYTES`].
    #[error("the {format} file has {size_bytes} bytes; at most {LIMIT_BYTES} are read")]
    TooLarge {
        /// The format.
        format: &'static str,
        /// Its length.
        size_bytes: usize,
    },
    /// The file has more entries than [`LIMIT_ENTRIES`].
    #[error("the {format} file has more than {LIMIT_ENTRIES} entries")]
    TooMany {
        /// The format.
        format: &'static str,
    },
    /// The file is not XML.
    #[error("the {format} file is not XML, near byte {position}: {problem}")]
    Xml {
        /// The format.
        format: &'static str,
        /// Where reading stopped.
        position: u64,
        /// What is wrong, in the reader's words.
        problem: String,
    },
    /// There is no element in the file.
    #[error("the {format} file is not XML")]
    NoElement {
        /// The format.
        format: &'static str,
    },
    /// Elements nest deeper than they do in any real file.
    #[error("the elements of the {format} file nest too deep, near byte {position}")]
    TooDeep {
        /// The format.
        format: &'static str,
        /// Where.
        position: u64,
    },
    /// An element has no end.
    #[error("the {format} file ends within an element")]
    Ends {
        /// The format.
        format: &'static str,
    },
    /// The outermost element is another one.
    #[error("the {format} file begins with `<{found}>`")]
    Root {
        /// The format.
        format: &'static str,
        /// The element.
        found: String,
    },
    /// The file is not JSON, or lacks what the format has.
    #[error("the {format} file cannot be read")]
    Json {
        /// The format.
        format: &'static str,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A line that the format does not have.
    #[error("line {line} of the {format} file cannot be read: `{text}`")]
    Line {
        /// The format.
        format: &'static str,
        /// The line, from 1.
        line: usize,
        /// Its beginning.
        text: String,
    },
}

impl Hint for ResultsError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::TooLarge { .. } | Self::TooMany { .. } => {
                Some("write several files, each for a part of the code".to_owned())
            }
            Self::Root { .. } => Some("name the format that the file has".to_owned()),
            _ => None,
        }
    }
}
