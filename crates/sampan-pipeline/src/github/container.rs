//! `container` and `services`.

use sampan_model::yaml::{Content, Location, Node};

use super::field::{self, Texts};
use super::scope;
use crate::PipelineError;
use crate::graph::Text;
use crate::read::Fields;

mod options;

pub(crate) use options::words;
pub use options::{HealthCheck, Options};

/// A container in which steps run, or that serves them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Where it is described.
    pub location: Location,
    /// The image; an empty one means no container.
    pub image: Text,
    /// The login to the image's registry.
    pub credentials: Option<Credentials>,
    /// The environment.
    pub env: Texts,
    /// Ports, as Docker writes them.
    pub ports: Vec<Text>,
    /// Volumes, as Docker writes them.
    pub volumes: Vec<Text>,
    /// Options of `docker create`.
    pub options: Option<Text>,
    /// Replaces the image's entry point; for services.
    pub entrypoint: Option<Text>,
    /// Replaces the image's command; for services.
    pub command: Option<Text>,
}

/// A login to a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The account.
    pub username: Text,
    /// The password.
    pub password: Text,
}

/// A container that serves a job, with the name by which steps reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The name.
    pub name: String,
    /// The container.
    pub container: Container,
}

/// An image, or a mapping with one.
pub(super) fn container(node: &Node, what: &str) -> Result<Container, PipelineError> {
    read(node, what, false)
}

pub(super) fn services(node: &Node, what: &str) -> Result<Vec<Service>, PipelineError> {
    if field::is_expression(node) {
        field::check_tree(node, &scope::JOB)?;
        return Err(PipelineError::Unsupported {
            location: node.location.clone(),
            what: format!("an expression in place of all of {what}"),
            hint: Some("name the services, and put expressions into them".to_owned()),
        });
    }
    let mut errors = Vec::new();
    let mut services = Vec::new();
    for (key, node) in Fields::of(node, what)?.entries() {
        match read(node, &format!("the service `{}`", key.name), true) {
            Ok(container) => services.push(Service {
                name: key.name.clone(),
                container,
            }),
            Err(error) => errors.push(error),
        }
    }
    PipelineError::join(errors)?;
    Ok(services)
}

fn read(node: &Node, what: &str, service: bool) -> Result<Container, PipelineError> {
    let mut container = Container {
        location: node.location.clone(),
        image: Text::default(),
        credentials: None,
        env: Texts::default(),
        ports: Vec::new(),
        volumes: Vec::new(),
        options: None,
        entrypoint: None,
        command: None,
    };
    if !matches!(node.content, Content::Mapping(_)) {
        container.image = field::text(node, what, &scope::JOB)?;
        return Ok(container);
    }
    let fields = Fields::of(node, what)?;
    let text = |node: &Node, what: &str| field::text(node, what, &scope::JOB);
    container.image = fields.read_or_default("image", text)?;
    container.credentials = fields.read("credentials", credentials)?;
    container.env = fields.read_or_default("env", |node, what| {
        field::text_map(node, what, &scope::RUNNER)
    })?;
    let texts = |node: &Node, what: &str| field::texts(node, what, &scope::JOB);
    container.ports = fields.read_or_default("ports", texts)?;
    container.volumes = fields.read_or_default("volumes", texts)?;
    container.options = fields.read("options", text)?;
    if service {
        container.entrypoint = fields.read("entrypoint", text)?;
        container.command = fields.read("command", text)?;
    }
    fields.finish()?;
    if let Some(Text::Now(options)) = &container.options {
        let location = fields
            .get("options")
            .map_or(&container.location, |node| &node.location);
        Options::parse(options, location)?;
    }
    Ok(container)
}

fn credentials(node: &Node, what: &str) -> Result<Credentials, PipelineError> {
    let fields = Fields::of(node, what)?;
    let text = |node: &Node, what: &str| field::text(node, what, &scope::CREDENTIALS);
    let credentials = Credentials {
        username: fields.require("username", text)?,
        password: fields.require("password", text)?,
    };
    fields.finish()?;
    Ok(credentials)
}
