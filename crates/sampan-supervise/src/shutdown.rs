//! The signal to stop.

use tokio_util::sync::CancellationToken;

/// Told to everything that runs; cloned freely. Once given, it stays given.
#[derive(Debug, Clone, Default)]
pub struct Shutdown(CancellationToken);

impl Shutdown {
    /// A signal that has not been given yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the signal to this one and all its clones and children.
    pub fn trigger(&self) {
        self.0.cancel();
    }

    /// Whether the signal has been given.
    #[must_use]
    pub fn is_triggered(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Completes once the signal has been given.
    pub async fn triggered(&self) {
        self.0.cancelled().await;
    }

    /// A signal that follows this one but can also be given alone, for a part of the work.
    #[must_use]
    pub fn child(&self) -> Self {
        Self(self.0.child_token())
    }
}
