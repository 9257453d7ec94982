//! Uploads of one request, which nobody can go on with.

use std::sync::Arc;

use super::{Registry, Session};

/// Removes an upload with the request that began it, also when its client leaves in the middle.
#[derive(Debug)]
pub(crate) struct Fleeting(Option<(Registry, Arc<Session>)>);

impl Registry {
    /// Removes an upload at the end of a request, unless it has become a blob.
    pub(crate) fn fleeting(&self, session: &Arc<Session>) -> Fleeting {
        Fleeting(Some((self.clone(), Arc::clone(session))))
    }

    /// Waits for whoever still writes to an upload, and removes it.
    async fn give_up(&self, session: &Session) {
        let Some(held) = session.outlast().await else {
            return;
        };
        if let Err(error) = self.uploads.discard(session, held).await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "an upload stays until it is old");
        }
    }
}

impl Fleeting {
    /// The request has ended.
    pub(crate) async fn end(mut self) {
        if let Some((registry, session)) = self.0.take() {
            registry.give_up(&session).await;
        }
    }
}

impl Drop for Fleeting {
    fn drop(&mut self) {
        if let Some((registry, session)) = self.0.take() {
            let steps = registry.steps.clone();
            steps.spawn("upload", async move { registry.give_up(&session).await });
        }
    }
}
