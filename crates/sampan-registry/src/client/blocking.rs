//! Work that blocks, away from the threads that serve the network.

/// Runs `work` on a thread for such.
pub(super) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let running = tokio::task::spawn_blocking(work);
    running
        .await
        .expect("work that blocks does not panic and is never aborted")
}
