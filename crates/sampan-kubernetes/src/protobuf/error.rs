//! What can be wrong with an object in protobuf.

use sampan_model::Hint;

/// Why bytes are no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtobufError {
    /// The bytes do not begin as such bodies do.
    #[error("the body does not begin with the prefix `k8s\\0` of protobuf objects")]
    NoEnvelope,
    /// What follows is no `runtime.Unknown`.
    #[error("the envelope of the object is damaged")]
    Envelope,
    /// The object is compressed or in another format.
    #[error("the object in the envelope is encoded as `{encoding}`")]
    Encoding {
        /// What the envelope says.
        encoding: String,
    },
    /// The fields of the kind are not known.
    #[error("no kind `{kind}` of `{api_version}` is known in protobuf")]
    UnknownKind {
        /// The `apiVersion`.
        api_version: String,
        /// The `kind`.
        kind: String,
    },
    /// The bytes of a field are no protobuf.
    #[error("`{path}` is damaged: {what}")]
    Malformed {
        /// Where, such as `spec.containers[0].name`.
        path: String,
        /// What does not fit.
        what: &'static str,
    },
    /// Structures lie within each other too deep.
    #[error("`{path}` lies deeper than {limit} levels")]
    TooDeep {
        /// Where.
        path: String,
        /// The limit.
        limit: usize,
    },
    /// There are too many fields and items.
    #[error("the object has more than {limit} values")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

impl Hint for ProtobufError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownKind { .. } => {
                Some("custom resources have no protobuf form: send them as JSON".to_owned())
            }
            _ => None,
        }
    }
}
