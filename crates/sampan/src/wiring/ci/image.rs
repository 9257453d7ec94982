//! Images of steps: where they are found, and bringing them to registries.

use std::io::Write as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sampan_build::BuildRequest;
use sampan_oci::{ContentStore, Descriptor, Digest, Reference};
use sampan_pipeline::graph::Pull;
use sampan_pipeline::run::{ImagePublish, ImageRequest, Login, PortError, Tool};
use sampan_pipeline::supplies::{Resolved, action_name, actions};
use sampan_registry::client::{
    Client, ClientError, CredentialFiles, Platforms, Settings, Unwatched,
};
use serde_json::json;
use tempfile::NamedTempFile;

use super::{PipelinePorts, from_failure, port_error};
use crate::server;

impl PipelinePorts<'_> {
    /// The image of a name: what is here, then what the installation's own registry has. No other place is asked: a run
    /// uses nothing but what somebody has brought here.
    pub(super) fn find_image(&self, request: &ImageRequest<'_>) -> Result<Descriptor, PortError> {
        let reference = self.meant(request.name)?;
        let store = self.content()?;
        let here = match self.own_image(&store, request.name, &reference)? {
            Some(own) => Some(own),
            None => store
                .resolve(&reference)
                .map_err(|error| port_error(&error))?,
        };
        let wants_newer = request.pull == Pull::Always;
        if let Some(found) = here.clone().filter(|_| !wants_newer) {
            return Ok(found);
        }
        if request.pull != Pull::Never
            && let Some(found) = self.pull_from_own_registry(&store, &reference, request.login)?
        {
            return Ok(found);
        }
        here.ok_or_else(|| {
            let shown = reference.familiar();
            PortError::new(format!("there is no image `{shown}` here")).with_hint(Some(format!(
                "bring it with `sampan pull {shown}` or `sampan load`, or say in `ci.yaml` which image stands for it"
            )))
        })
    }

    /// The image that pipelines of this project have built under a name. A name to which secrets are bound means what the
    /// installation has, whatever a pipeline builds.
    fn own_image(
        &self,
        store: &ContentStore,
        name: &str,
        reference: &Reference,
    ) -> Result<Option<Descriptor>, PortError> {
        let Some(space) = &self.supplies.space else {
            return Ok(None);
        };
        let mut rules = self.supplies.config.secrets.iter();
        let is_bound = rules.any(|secret| {
            let mut patterns = secret.rule.images.iter();
            patterns.any(|pattern| pattern.matches(name))
        });
        if is_bound || reference.digest().is_some() {
            return Ok(None);
        }
        store
            .resolve(&reference.within(space))
            .map_err(|error| port_error(&error))
    }

    /// The image that a name stands for, by the table of the installation and the lock file of the tree.
    fn meant(&self, name: &str) -> Result<Reference, PortError> {
        let lock = self.supplies.lock.as_ref();
        let resolved = Resolved::of(name, self.supplies.config, lock).map_err(PortError::new)?;
        match resolved.digest {
            Some(digest) => Ok(resolved.name.with_digest(digest)),
            None if lock.is_some() && self.is_of_the_tree(name) => Err(PortError::new(format!(
                "the lock file does not pin the image `{name}`"
            ))
            .with_hint(Some("pin it, or remove `sampan-ci.lock`".to_owned()))),
            None => Ok(resolved.name),
        }
    }

    /// Whether the tree names an image, and not the installation: what that sets is no matter of the lock file.
    fn is_of_the_tree(&self, name: &str) -> bool {
        let config = self.supplies.config;
        let set = config.runners.iter().map(|runner| &runner.image);
        let set = set.chain(config.node.iter().map(|node| &node.image));
        let tools = config.toolchains.values().flatten().map(|tool| &tool.image);
        !set.chain(tools).any(|image| image == name)
    }

    /// What the installation's registry has under the name, with or without its host in front.
    fn pull_from_own_registry(
        &self,
        store: &ContentStore,
        reference: &Reference,
        login: Option<&Login>,
    ) -> Result<Option<Descriptor>, PortError> {
        let running = server::running(self.context.data());
        let Some(facts) = running.map_err(|error| from_failure(&error))? else {
            return Ok(None);
        };
        let port = facts.registry.port();
        let own = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
        let (host, repository) = (reference.registry(), reference.repository());
        let repositories = if own.iter().any(|own| own == host) {
            vec![repository.to_owned()]
        } else {
            let short = repository.strip_prefix("library/").unwrap_or(repository);
            vec![
                format!("{host}/{repository}"),
                repository.to_owned(),
                short.to_owned(),
            ]
        };
        let credentials = login
            .map(|login| Credentials::new(login, &own[0]))
            .transpose()?;
        let client = Client::new(with(credentials.as_ref(), self.settings.clone()));
        for repository in repositories {
            let Some(there) = named(&format!("{}/{repository}", own[0]), reference) else {
                continue;
            };
            let pulled = self.ask(async {
                match client
                    .pull(store, &there, &Platforms::default(), &Unwatched)
                    .await
                {
                    Ok(pulled) => Ok(Some(pulled.descriptor)),
                    Err(ClientError::NotFound { .. }) => Ok(None),
                    Err(error) => Err(error),
                }
            })?;
            if pulled.is_some() {
                return Ok(pulled);
            }
        }
        Ok(None)
    }

    /// Brings the images that a build takes over from the installation's own registry: those that are not here, and newer
    /// ones where they are wanted. Like all that runs, a build uses nothing else but what somebody has brought here.
    pub(super) fn bring_bases(
        &self,
        order: &BuildRequest,
        wants_newer: bool,
        output: &mut dyn FnMut(&[u8]),
    ) -> Result<(), PortError> {
        // What is wrong with the Dockerfile is said by the build.
        let Ok(bases) = sampan_build::base_images(order) else {
            return Ok(());
        };
        let store = self.content()?;
        for base in bases {
            // What one project brings must not change what a name stands for to others.
            let own = match &order.space {
                Some(space) => base.within(space),
                None => base.clone(),
            };
            let known = |name| store.resolve(name).map_err(|error| port_error(&error));
            let here = match known(&own)? {
                Some(here) => Some(here),
                None => known(&base)?,
            };
            if here.is_some() && (!wants_newer || base.digest().is_some()) {
                continue;
            }
            match self.pull_from_own_registry(&store, &base, None) {
                Ok(Some(pulled)) => {
                    let is_new = here.is_none_or(|here| here.digest() != pulled.digest());
                    if is_new && base.digest().is_none() {
                        store
                            .tag(&own, &pulled)
                            .map_err(|error| port_error(&error))?;
                    }
                    let shown = base.familiar();
                    output(format!("pulled {shown} {}\n", pulled.digest()).as_bytes());
                }
                Ok(None) => {}
                // What is here will do, as it does where there is no registry.
                Err(error) if here.is_some() => {
                    let shown = base.familiar();
                    let line = format!("warning: cannot look for a newer `{shown}`: {error}\n");
                    output(line.as_bytes());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The layers of the image that the installation sets for a tool.
    pub(super) fn find_tool(&self, tool: &str, version: &str) -> Result<Tool, PortError> {
        let toolchain = self.supplies.config.toolchain(tool, Some(version));
        let toolchain = toolchain.ok_or_else(|| PortError::no_toolchain(tool, version))?;
        let descriptor = self.find_image(&ImageRequest {
            name: &toolchain.image,
            pull: Pull::IfNotExists,
            login: None,
        })?;
        let store = self.content()?;
        let image = store
            .image(&descriptor)
            .map_err(|error| port_error(&error))?;
        let snapshots = self.context.snapshots();
        let snapshots = snapshots.map_err(|error| from_failure(&error))?;
        let mut layers = snapshots
            .prepare(&store, &image)
            .map_err(|error| port_error(&error))?;
        // Containers stack them from the top.
        layers.reverse();
        Ok(Tool {
            layers,
            folder: toolchain.folder.clone(),
        })
    }

    /// The folder of an action of another repository, from what was brought here.
    pub(super) fn find_action(&self, reference: &str) -> Result<PathBuf, PortError> {
        let named = action_name(reference).zip(reference.split_once('@'));
        let Some((name, (path, _))) = named else {
            return Err(
                PortError::new(format!("`{reference}` is no action of a repository"))
                    .with_hint(Some("write OWNER/REPOSITORY@VERSION".to_owned())),
            );
        };
        let lock = self.supplies.lock.as_ref();
        let pinned = lock.and_then(|lock| lock.action(&name));
        if lock.is_some() && pinned.is_none() {
            return Err(
                PortError::new(format!("the lock file does not pin the action `{name}`"))
                    .with_hint(Some("pin it, or remove `sampan-ci.lock`".to_owned())),
            );
        }
        let store = self.content()?;
        let found = actions::find(&store, &name, pinned).map_err(|error| port_error(&error))?;
        let found = found.ok_or_else(|| {
            PortError::new(format!("the action `{name}` is not here")).with_hint(Some(format!(
                "with its repository in a folder, `sampan ci action {name} FOLDER` brings it here"
            )))
        })?;
        let snapshots = self.context.snapshots();
        let snapshots = snapshots.map_err(|error| from_failure(&error))?;
        let root =
            actions::unpack(&store, &snapshots, &found).map_err(|error| port_error(&error))?;
        let below = path.splitn(3, '/').nth(2).unwrap_or_default();
        let plain = |part: &str| part != ".." && part != ".";
        if !below.split('/').all(plain) {
            return Err(PortError::new(format!(
                "`{reference}` leads out of its repository"
            )));
        }
        Ok(root.join(below))
    }

    /// Brings an image to registries, under all its names.
    pub(super) fn publish(
        &self,
        request: &ImagePublish,
        output: &mut dyn FnMut(&[u8]),
    ) -> Result<(), PortError> {
        let store = self.content()?;
        let local = local(&request.image)?;
        for name in &request.names {
            let remote: Reference = name.parse().map_err(|error| port_error(&error))?;
            let credentials = request
                .login
                .as_ref()
                .map(|login| Credentials::new(login, remote.registry()))
                .transpose()?;
            let mut settings = self.settings.clone();
            if !request.stored_logins {
                settings.credentials = CredentialFiles::default();
            }
            let mut settings = with(credentials.as_ref(), settings);
            if request.insecure {
                self.ease(&mut settings, remote.registry())?;
            }
            output(format!("pushing {name}\n").as_bytes());
            let client = Client::new(settings);
            let pushed =
                self.ask(client.push(&store, &local, &remote, &Platforms::All, &Unwatched))?;
            if self.supplies.space.is_some() {
                // What a registry has taken under a name is what everybody gets by it.
                store
                    .tag(&remote, &request.image)
                    .map_err(|error| port_error(&error))?;
            }
            let digest = pushed.descriptor.digest();
            output(format!("pushed {name} {digest}\n").as_bytes());
        }
        Ok(())
    }

    /// Lets a registry have any certificate, or none where it does not speak TLS.
    fn ease(&self, settings: &mut Settings, registry: &str) -> Result<(), PortError> {
        let client = Client::new(settings.clone());
        let asked = async { Ok::<_, ClientError>(client.speaks_tls(registry).await) };
        let eased = if self.ask(asked)? {
            &mut settings.unverified
        } else {
            &mut settings.registries.plain_http
        };
        eased.push(registry.to_owned());
        Ok(())
    }

    fn content(&self) -> Result<ContentStore, PortError> {
        self.context.content().map_err(|error| from_failure(&error))
    }
}

/// The tag and the digest of a reference, at another place.
fn named(place: &str, reference: &Reference) -> Option<Reference> {
    let mut there: Reference = place.parse().ok()?;
    if let Some(digest) = reference.digest() {
        there = there.with_digest(*digest);
    } else if let Some(tag) = reference.tag() {
        there = there.with_tag(tag).ok()?;
    }
    Some(there)
}

/// A name by which the store finds content that has none.
fn local(image: &Descriptor) -> Result<Reference, PortError> {
    let any: Reference = "image".parse().map_err(|error| port_error(&error))?;
    let digest = Digest::of(image).map_err(|error| port_error(&error))?;
    Ok(any.with_digest(digest))
}

/// A login of the pipeline, as a file that the client reads; gone when dropped.
struct Credentials(NamedTempFile);

impl Credentials {
    fn new(login: &Login, registry: &str) -> Result<Self, PortError> {
        let host = match registry {
            // The name under which docker keeps it.
            "docker.io" => "https://index.docker.io/v1/",
            other => other,
        };
        let pair = STANDARD.encode(format!("{}:{}", login.username, login.password));
        let text = json!({"auths": {host: {"auth": pair}}}).to_string();
        let written = NamedTempFile::new().and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            Ok(file)
        });
        written
            .map(Self)
            .map_err(|error| PortError::new(format!("cannot hand over the login: {error}")))
    }
}

fn with(credentials: Option<&Credentials>, mut settings: Settings) -> Settings {
    if let Some(Credentials(file)) = credentials {
        settings.credentials.explicit = Some(file.path().to_owned());
    }
    settings
}
