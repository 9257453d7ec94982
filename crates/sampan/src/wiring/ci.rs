//! What runs of pipelines ask of the rest of the program: images, builds, registries, clusters, other servers.

mod deployment;
mod image;
mod mail;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use sampan_build::{BuildNetwork, BuildRequest, Builder, Event};
use sampan_model::{Causes, Hint};
use sampan_oci::layer::Compression;
use sampan_oci::{Descriptor, Digest, Reference};
use sampan_pipeline::config::Config;
use sampan_pipeline::lock::Lock;
use sampan_pipeline::run::{
    Deployment, HttpRequest, HttpResponse, ImageBuild, ImagePublish, ImageRequest, Interrupt, Mail,
    PortError, Ports, Tool,
};
use sampan_registry::client::{Client, ClientError, Request, Settings};
use tokio::runtime::Runtime;

use crate::commands::remote;
use crate::config;
use crate::context::Context;
use crate::failure::{Failure, OrFail as _};

/// As much of an answer is read.
const ANSWER_LIMIT_BYTES: usize = 1 << 20;

/// Does what runs of pipelines ask for. Must not be used from asynchronous work.
pub(crate) struct PipelinePorts<'a> {
    context: &'a Context,
    runtime: Arc<Runtime>,
    settings: Settings,
    supplies: Arc<Supplies<'a>>,
    interrupt: Interrupt,
}

/// What says which images are meant.
#[derive(Debug)]
pub(crate) struct Supplies<'a> {
    /// What the installation says.
    pub(crate) config: &'a Config,
    /// What the working tree pins.
    pub(crate) lock: Option<Lock>,
    /// Where the names of images that the run builds are known, when they are no names for all projects.
    pub(crate) space: Option<String>,
}

/// The space for names of images of one project: it is told by the whole name, which is no host that there could be.
pub(crate) fn space_of(project: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let shown: String = project.chars().map(plain).take(40).collect();
    let digest = Digest::of_bytes(project.as_bytes());
    // A name in other letters leaves nothing to show.
    let shown = Some(shown.trim_matches('-')).filter(|shown| !shown.is_empty());
    let shown = shown.unwrap_or("project");
    format!("{shown}.{}.ci.internal", &digest.hex()[..16])
}

impl<'a> PipelinePorts<'a> {
    /// Opens no connection. Builds end when `interrupt` is triggered.
    pub(crate) fn new(
        context: &'a Context,
        supplies: Supplies<'a>,
        interrupt: Interrupt,
    ) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .or_fail("cannot start the asynchronous runtime")?;
        Ok(Self {
            context,
            runtime: Arc::new(runtime),
            settings: remote::settings(context)?,
            supplies: Arc::new(supplies),
            interrupt,
        })
    }

    /// Does something with other machines, unless the run is to end.
    fn ask<T, E: Hint + 'static>(
        &self,
        question: impl Future<Output = Result<T, E>>,
    ) -> Result<T, PortError> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let tell = std::sync::Mutex::new(Some(tell));
        let _registration = self.interrupt.on_trigger(move |_| {
            let sender = tell.lock().ok().and_then(|mut tell| tell.take());
            if sender.is_some_and(|sender| sender.send(()).is_err()) {
                tracing::debug!("what was asked has its answer already");
            }
        });
        self.runtime.block_on(async {
            tokio::select! {
                answer = question => answer.map_err(|error| port_error(&error)),
                Ok(()) = told => Err(PortError::new("the run was asked to end")),
            }
        })
    }
}

impl Ports for PipelinePorts<'_> {
    fn for_step(&self, interrupt: &Interrupt) -> Option<Box<dyn Ports + '_>> {
        Some(Box::new(PipelinePorts {
            context: self.context,
            runtime: Arc::clone(&self.runtime),
            settings: self.settings.clone(),
            supplies: Arc::clone(&self.supplies),
            interrupt: interrupt.clone(),
        }))
    }

    fn image(&self, request: &ImageRequest<'_>) -> Result<Descriptor, PortError> {
        self.find_image(request)
    }

    fn action(&self, reference: &str) -> Result<PathBuf, PortError> {
        self.find_action(reference)
    }

    fn toolchain(&self, tool: &str, version: &str) -> Result<Tool, PortError> {
        self.find_tool(tool, version)
    }

    fn build_image(
        &self,
        request: &ImageBuild,
        output: &mut dyn FnMut(&[u8]),
    ) -> Result<Descriptor, PortError> {
        self.build(request, output)
    }

    fn publish_image(
        &self,
        request: &ImagePublish,
        output: &mut dyn FnMut(&[u8]),
    ) -> Result<(), PortError> {
        self.publish(request, output)
    }

    fn deploy(&self, request: &Deployment, output: &mut dyn FnMut(&[u8])) -> Result<(), PortError> {
        self.bring(request, output)
    }

    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, PortError> {
        let login = request.login.as_ref();
        let asked = Request {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.clone().into(),
            login: login.map(|login| (login.username.clone(), login.password.clone())),
            unverified: request.insecure,
        };
        let client = Client::new(self.settings.clone());
        let question = async {
            let answer = client.request(&asked, ANSWER_LIMIT_BYTES).await;
            answer.map_err(Unanswered)
        };
        let answer = self.ask(question)?;
        Ok(HttpResponse {
            status: answer.status,
            headers: answer.headers,
            body: answer.body.into(),
        })
    }

    fn send_mail(&self, mail: &Mail) -> Result<(), PortError> {
        self.post(mail)
    }
}

impl PipelinePorts<'_> {
    fn build(
        &self,
        request: &ImageBuild,
        output: &mut dyn FnMut(&[u8]),
    ) -> Result<Descriptor, PortError> {
        let context = self.context;
        let store = context.content().map_err(|error| from_failure(&error))?;
        let builder = Builder::new(
            store,
            context.snapshots().map_err(|error| from_failure(&error))?,
            context.runtime().map_err(|error| from_failure(&error))?,
            context.data(),
        );
        let interrupt = builder.interrupt();
        let _registration = self.interrupt.on_trigger(move |_| interrupt.trigger());
        let names = request.names.iter();
        let names: Result<Vec<Reference>, _> =
            names.map(|name| name.parse::<Reference>()).collect();
        let names = names.map_err(|error| port_error(&error))?;
        let order = BuildRequest {
            context: request.context.clone(),
            dockerfile: Some(request.dockerfile.clone()),
            target: request.target.clone(),
            args: request.arguments.clone(),
            tags: names,
            space: self.supplies.space.clone(),
            labels: request.labels.clone(),
            no_cache: request.no_cache,
            network: BuildNetwork::Bridge,
            // As `sampan build` does it: the same image has the same digest.
            compression: Compression::default(),
            epoch: config::source_date_epoch()
                .map_err(|error| from_failure(&error))?
                .unwrap_or(0),
            proxies: config::proxy_variables(),
        };
        self.bring_bases(&order, request.pull, output)?;
        let built = builder.build(&order, &mut |event| tell(event, output));
        let built = built.map_err(|error| port_error(&error))?;
        if order.space.is_some() && !request.names.is_empty() {
            let names = request.names.join(", ");
            let line = format!(
                "{names}: only pipelines of this project know the image by name, as it has not the right `images`\n"
            );
            output(line.as_bytes());
        }
        Ok(built.descriptor)
    }
}

/// A line for each thing that happens in a build.
fn tell(event: Event, output: &mut dyn FnMut(&[u8])) {
    let line = match event {
        Event::Started { step, name } => format!("#{step} {name}\n"),
        Event::Output { step, line, .. } => format!("#{step} {line}\n"),
        Event::Warning { text } => format!("warning: {text}\n"),
        Event::Finished {
            step,
            outcome,
            elapsed,
        } => {
            let how = match outcome {
                sampan_build::Outcome::Done => "done",
                sampan_build::Outcome::Cached => "cached",
                sampan_build::Outcome::Failed => "failed",
            };
            format!("#{step} {how} {:.1}s\n", elapsed.as_secs_f64())
        }
    };
    output(line.as_bytes());
}

/// Why what a step asked for has no answer. The options that hints of registries name are none of pipelines.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Unanswered(ClientError);

impl Hint for Unanswered {
    fn hint(&self) -> Option<String> {
        match &self.0 {
            ClientError::Unreachable { host, .. } => Some(format!(
                "check the name and the port of `{host}`, and that it runs"
            )),
            ClientError::NoTls { host, .. } => Some(format!(
                "begin the address of `{host}` with `http://` to speak to it without TLS"
            )),
            other => other.hint(),
        }
    }
}

/// An error with all its causes.
fn port_error<E: Hint + 'static>(error: &E) -> PortError {
    PortError::new(Causes(error).to_string()).with_hint(error.hint())
}

fn from_failure(failure: &Failure) -> PortError {
    PortError::new(failure.message())
}
