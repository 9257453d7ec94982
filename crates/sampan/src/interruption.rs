//! What the user's wish to end a command does.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Does something each time when SIGINT or SIGTERM comes, as long as the process lives.
pub(crate) fn on_signal(act: impl Fn() + Send + 'static) {
    let wait = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let mut interrupt = signal(SignalKind::interrupt())?;
            let mut terminate = signal(SignalKind::terminate())?;
            loop {
                tokio::select! {
                    _ = interrupt.recv() => act(),
                    _ = terminate.recv() => act(),
                }
            }
        })
    };
    // The thread ends with the process.
    drop(std::thread::spawn(move || {
        let outcome: io::Result<()> = wait();
        if let Err(error) = outcome {
            tracing::warn!(%error, "cannot wait for signals; what a killed command leaves is cleaned up by the next one");
        }
    }));
}
