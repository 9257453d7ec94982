//! What goes on with a pod beside its objects: its containers' logs, commands in them, attachments
//! to them, and connections to its ports.
//!
//! [`Streams::serve`] answers a request for one of these. Commands and attachments speak either the
//! WebSocket channels of Kubernetes (`v5.channel.k8s.io`, `v4.channel.k8s.io`) or SPDY/3.1; ports
//! are forwarded over SPDY/3.1, plain or inside a WebSocket.

pub(crate) mod fd;
mod forward;
mod log;
mod options;
mod process;
mod remote;
mod spdy;
mod target;
mod upgrade;

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use k8s_openapi::api::core::v1::Pod;
use sampan_container::Runtime;
use sampan_supervise::{Shutdown, Tasks};

use crate::error::Error;
use crate::resources::Subresource;

/// Serves the streams of pods; cloned freely.
#[derive(Debug, Clone)]
pub struct Streams {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    runtime: Runtime,
    tasks: Tasks,
    shutdown: Shutdown,
}

impl Streams {
    /// The streams of the containers of this runtime; `tasks` carries the sessions, which end with
    /// `shutdown`.
    #[must_use]
    pub fn new(runtime: Runtime, tasks: Tasks, shutdown: Shutdown) -> Self {
        Self {
            inner: Arc::new(Inner {
                runtime,
                tasks,
                shutdown,
            }),
        }
    }

    /// Answers a request for the log of a pod, a command in it, an attachment to it, or its ports.
    ///
    /// # Errors
    /// When the request or the pod's state does not allow it; what fails later is told through the
    /// stream itself.
    pub async fn serve(
        &self,
        action: Subresource,
        pod: &Pod,
        request: Request,
    ) -> Result<Response, Error> {
        match action {
            Subresource::Log => log::serve(self, pod, request.uri().query().unwrap_or_default()),
            Subresource::Exec => self.remote(pod, request, true).await,
            Subresource::Attach => self.remote(pod, request, false).await,
            Subresource::PortForward => forward::serve(self, pod, request).await,
            _ => Err(Error::NoSuchResource),
        }
    }

    fn runtime(&self) -> &Runtime {
        &self.inner.runtime
    }

    /// Runs a session until it ends or the server does.
    fn run(&self, name: &'static str, session: impl Future<Output = ()> + Send + 'static) {
        let shutdown = self.inner.shutdown.clone();
        self.inner.tasks.spawn(name, async move {
            tokio::select! {
                () = session => {}
                () = shutdown.triggered() => {}
            }
        });
    }
}
