//! Why webhooks cannot be served.

use sampan_model::Hint;

use crate::client::ClientError;

/// Why no events are delivered.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// The ledger failed.
    #[error("cannot subscribe the webhooks")]
    Ledger(#[from] sampan_store::Error),
    /// There is no way to send to a webhook.
    #[error("cannot prepare the webhook `{webhook}`")]
    Connection {
        /// The name of the webhook.
        webhook: String,
        /// Why not.
        #[source]
        source: Box<ClientError>,
    },
}

impl Hint for EventsError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Ledger(error) => error.hint(),
            Self::Connection { source, .. } => source.hint(),
        }
    }
}
