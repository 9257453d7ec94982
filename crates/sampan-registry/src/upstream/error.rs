//! What an upstream does not give.

use sampan_model::Hint;
use sampan_oci::Digest;

use crate::client::ClientError;
use crate::wire::document::DocumentError;

/// Why something cannot be had from an upstream, other than that it does not exist there.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// It cannot be reached, or refuses.
    #[error("the upstream `{upstream}` does not give it")]
    Client {
        /// The upstream.
        upstream: String,
        /// What happened.
        #[source]
        source: Box<ClientError>,
    },
    /// Its manifest is none that this registry knows.
    #[error("the upstream `{upstream}` has something else than a manifest under `{name}`")]
    Document {
        /// The upstream.
        upstream: String,
        /// The tag or digest.
        name: String,
        /// What is wrong with it.
        #[source]
        source: DocumentError,
    },
    /// Its blob has other bytes than it should.
    #[error("the upstream `{upstream}` sent content with digest `{actual}` for `{expected}`")]
    Altered {
        /// The upstream.
        upstream: String,
        /// What was asked for.
        expected: Box<Digest>,
        /// What came.
        actual: Box<Digest>,
    },
    /// Nobody may push to its repositories here.
    #[error("`{repository}` is fetched from the upstream `{upstream}` and cannot be pushed to")]
    ReadOnly {
        /// The repository.
        repository: String,
        /// The upstream.
        upstream: String,
    },
}

impl Hint for UpstreamError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Client { source, .. } => source.hint(),
            Self::ReadOnly { .. } => {
                Some("push to the upstream itself, or under another name".to_owned())
            }
            Self::Document { .. } | Self::Altered { .. } => None,
        }
    }
}
