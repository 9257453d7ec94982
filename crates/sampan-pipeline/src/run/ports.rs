//! What a run asks of the rest of the program.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use sampan_oci::Descriptor;

use super::{Interrupt, PortError};
use crate::graph::Pull;

/// What a run asks of the rest of the program. Everything blocks; several threads call at once.
pub trait Ports: Sync {
    /// The same for one step, which ends when an interrupt of its own is triggered; `None` when nothing here takes long.
    fn for_step(&self, interrupt: &Interrupt) -> Option<Box<dyn Ports + '_>> {
        let _ = interrupt;
        None
    }

    /// The image that a name of a pipeline stands for, in the content store: by the table and the lock first, then what is
    /// there under the name, then the own registry.
    ///
    /// # Errors
    /// When it is not at hand, with what can be done.
    fn image(&self, request: &ImageRequest<'_>) -> Result<Descriptor, PortError>;

    /// The folder of an action of another repository (`OWNER/NAME[/PATH]@REF`), from the vendored set.
    ///
    /// # Errors
    /// When it is not at hand, with what can be done.
    fn action(&self, reference: &str) -> Result<PathBuf, PortError>;

    /// A tool (`go`, `node`) of a version, from the image that the installation sets for it.
    ///
    /// # Errors
    /// When the installation sets none, or the image is not at hand, with what can be done.
    fn toolchain(&self, tool: &str, version: &str) -> Result<Tool, PortError> {
        Err(PortError::no_toolchain(tool, version))
    }

    /// Builds an image from a Dockerfile and gives its descriptor in the content store.
    ///
    /// # Errors
    /// When the build fails.
    fn build_image(
        &self,
        request: &ImageBuild,
        output: &mut dyn FnMut(&[u8]),
    ) -> Result<Descriptor, PortError>;

    /// Brings an image to registries.
    ///
    /// # Errors
    /// When one of them refuses.
    fn publish_image(
        &self,
        request: &ImagePublish,
        output: &mut dyn FnMut(&[u8]),
    ) -> Result<(), PortError>;

    /// Brings manifests to a cluster.
    ///
    /// # Errors
    /// When the cluster refuses, or what it made is not well in time.
    fn deploy(&self, request: &Deployment, output: &mut dyn FnMut(&[u8])) -> Result<(), PortError>;

    /// Sends a request to an address that the pipeline names.
    ///
    /// # Errors
    /// When there is no answer; an answer that is a refusal is none.
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, PortError>;

    /// Sends a mail through the server that the pipeline names.
    ///
    /// # Errors
    /// When the server refuses it.
    fn send_mail(&self, mail: &Mail) -> Result<(), PortError>;
}

/// A tool in the layers of an image. They are shared, and nobody writes there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// The folders of the layers, lowest first.
    pub layers: Vec<PathBuf>,
    /// The tool's folder in the image; where it usually lies when absent.
    pub folder: Option<String>,
}

impl PortError {
    /// That the installation sets no image for a tool.
    #[must_use]
    pub fn no_toolchain(tool: &str, version: &str) -> Self {
        let shown = if version.is_empty() { "*" } else { version };
        Self::new(format!(
            "no image is set that has the tool `{tool}` in version `{shown}`"
        ))
        .with_hint(Some(format!(
            "set `toolchains.{tool}` in `ci.yaml` to an image that has it"
        )))
    }
}

/// An image that a step names.
#[derive(Debug, Clone, Copy)]
pub struct ImageRequest<'a> {
    /// The name as the pipeline has it.
    pub name: &'a str,
    /// Whether a newer one is looked for.
    pub pull: Pull,
    /// The login that the pipeline gives.
    pub login: Option<&'a Login>,
}

/// The login to a registry or a server.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Login {
    /// The registry, where the login is for one only.
    pub registry: Option<String>,
    /// The account.
    pub username: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("registry", &self.registry)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// An image to be built.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageBuild {
    /// The folder that the Dockerfile copies from.
    pub context: PathBuf,
    /// The Dockerfile.
    pub dockerfile: PathBuf,
    /// The stage of the Dockerfile to stop at.
    pub target: Option<String>,
    /// Build arguments.
    pub arguments: Vec<(String, String)>,
    /// Labels.
    pub labels: Vec<(String, String)>,
    /// The names that the image gets in the content store.
    pub names: Vec<String>,
    /// Whether nothing of earlier builds is used.
    pub no_cache: bool,
    /// Whether newer base images are looked for.
    pub pull: bool,
}

/// An image to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImagePublish {
    /// The image in the content store.
    pub image: Descriptor,
    /// The names under which it is published.
    pub names: Vec<String>,
    /// The login.
    pub login: Option<Login>,
    /// Whether those may be used, without a login, that are kept on the machine.
    pub stored_logins: bool,
    /// Whether the registry may be spoken to without TLS.
    pub insecure: bool,
}

/// Manifests to be brought to a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deployment {
    /// The address of the cluster; the installation's own engine when absent.
    pub server: Option<String>,
    /// A bearer token.
    pub token: Option<String>,
    /// The certificate of the cluster's authority, in PEM; without one, that of a `server` is not looked at.
    pub certificate: Option<String>,
    /// A kubeconfig in place of all these.
    pub kubeconfig: Option<String>,
    /// The namespace of objects that name none.
    pub namespace: Option<String>,
    /// Manifests in YAML.
    pub manifests: Vec<String>,
    /// New images of containers of objects that exist: `KIND/NAME`, container (all when absent), image.
    pub images: Vec<(String, Option<String>, String)>,
    /// Whether it is waited until all is well.
    pub wait: bool,
}

/// A request over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpRequest {
    /// The method.
    pub method: String,
    /// The address.
    pub url: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Account and password.
    pub login: Option<Login>,
    /// Whether certificates are not looked at.
    pub insecure: bool,
}

/// An answer over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// Headers, names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body, up to 1 MiB of it.
    pub body: Vec<u8>,
}

/// A file that goes with a mail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub content: Vec<u8>,
}

/// A mail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mail {
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The account at the server.
    pub login: Option<Login>,
    /// Whether certificates are not looked at.
    pub insecure: bool,
    /// The sender.
    pub from: String,
    /// The receivers.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The body in HTML.
    pub html: String,
    /// The files that go with it.
    pub attachments: Vec<Attachment>,
}
