//! The actions of Docker: logins, builders and builds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::parameters::Parameters;
use super::registry_login::{host_of_image, of_configuration, registry_host};
use super::{BuiltInError, Definition, ImageSource};
use crate::run::build_context::BuildContext;
use crate::run::{Done, ImageBuild, ImagePublish, Login, Scene};
use crate::trust::Right;

/// `docker/build-push-action`.
pub(super) const BUILD: Definition = Definition {
    names: &["docker/build-push-action"],
    parameters: &[
        "context",
        "file",
        "tags",
        "push",
        "load",
        "build-args",
        "labels",
        "target",
        "no-cache",
        "pull",
        "platforms",
        "outputs",
        "secrets",
        "secret-envs",
        "secret-files",
        "ssh",
        "build-contexts",
        "add-hosts",
        "call",
    ],
    harmless: &[
        "allow",
        "annotations",
        "attests",
        "builder",
        "cache-from",
        "cache-to",
        "cgroup-parent",
        "network",
        "no-cache-filters",
        "provenance",
        "sbom",
        "shm-size",
        "ulimit",
        "github-token",
    ],
    run: build,
};

/// `docker/login-action`.
pub(super) const LOGIN: Definition = Definition {
    names: &["docker/login-action"],
    parameters: &["registry", "username", "password"],
    harmless: &["logout", "ecr", "scope"],
    run: login,
};

/// What sets builders up, of which there is one.
pub(super) const SETUP: Definition = Definition {
    names: &[
        "docker/setup-buildx-action",
        "docker/setup-qemu-action",
        "docker/setup-docker-action",
    ],
    parameters: &[],
    harmless: &[
        "version",
        "driver",
        "driver-opts",
        "buildkitd-flags",
        "buildkitd-config",
        "buildkitd-config-inline",
        "config",
        "config-inline",
        "install",
        "use",
        "endpoint",
        "platforms",
        "append",
        "keep-state",
        "cache-binary",
        "cache-image",
        "cleanup",
        "image",
        "name",
        "reset",
        "channel",
        "daemon-config",
        "tcp-port",
        "context",
        "set-host",
        "rootless",
        "runtime-basedir",
        "github-token",
    ],
    run: setup,
};

/// The variable by which a login reaches later steps of the job, as other tools know it.
const VARIABLE: &str = "DOCKER_AUTH_CONFIG";

fn login(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    let registry = match parameters.input("registry") {
        "" => "docker.io",
        registry => registry_host(registry),
    };
    let username = parameters.require_input("username")?;
    let password = parameters.require_input("password")?;
    let before = parameters.text(&[VARIABLE]).unwrap_or("{}");
    let mut config: Value = serde_json::from_str(before).unwrap_or_default();
    let mut logins = config
        .get("auths")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_else(Map::new);
    let both = STANDARD.encode(format!("{username}:{password}"));
    logins.insert(registry.to_owned(), json!({ "auth": both }));
    config = json!({ "auths": logins });
    let mut done = Done::default();
    done.environment
        .insert(VARIABLE.to_owned(), config.to_string());
    scene.say(format_args!("Images go to `{registry}` as `{username}`."));
    Ok(done)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "all built-ins have the same signature"
)]
fn setup(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    let instance = &scene.build.instance;
    let platform = format!("{}/{}", instance.os, instance.arch);
    let asked = parameters.input_items("platforms");
    if let Some(other) = asked
        .iter()
        .find(|asked| !matches!(asked.as_str(), "all") && **asked != platform)
    {
        scene.say(format_args!(
            "::notice::`{other}` is not emulated: images are built for {platform}."
        ));
    }
    scene.say("Images are built by Sampan itself; there is nothing to set up.");
    let mut done = Done::default();
    done.outputs.insert("name".to_owned(), "sampan".to_owned());
    done.outputs
        .insert("driver".to_owned(), "sampan".to_owned());
    done.outputs.insert("platforms".to_owned(), platform);
    Ok(done)
}

fn build(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    parameters.refuse(&[
        "secrets",
        "secret-envs",
        "secret-files",
        "ssh",
        "build-contexts",
        "add-hosts",
        "call",
    ])?;
    let instance = &scene.build.instance;
    let own = format!("{}/{}", instance.os, instance.arch);
    if let Some(other) = parameters
        .input_items("platforms")
        .into_iter()
        .find(|platform| *platform != own)
    {
        return Err(parameters.unsupported(
            format!("the platform `{other}`"),
            Some("images are built for the platform of this machine; take the others out of `platforms`"),
        ));
    }
    let pushes = parameters.input_switch("push", false)? || pushes_by_outputs(parameters)?;
    let names = parameters.input_items("tags");
    if pushes && names.is_empty() {
        parameters.require_input("tags")?;
    }
    let (request, files) = request(parameters, scene)?;
    let request = ImageBuild {
        names: names.iter().map(|name| with_tag(name)).collect(),
        ..request
    };
    let ports = scene.ports;
    let image = ports
        .build_image(&request, &mut *scene.output)
        .map_err(BuiltInError::port("build the image"))?;
    drop(files);
    if pushes {
        publish(parameters, scene, &image, &request.names)?;
    }
    let digest = image.digest().to_string();
    let metadata = json!({
        "containerimage.digest": digest,
        "containerimage.descriptor": image,
        "image.name": request.names.join(","),
    });
    let mut done = Done::default();
    done.outputs.insert("digest".to_owned(), digest.clone());
    done.outputs.insert("imageid".to_owned(), digest);
    done.outputs
        .insert("metadata".to_owned(), metadata.to_string());
    Ok(done)
}

/// Publishes an image to one registry after the other: each has its own login.
fn publish(
    parameters: &Parameters,
    scene: &mut Scene<'_>,
    image: &sampan_oci::Descriptor,
    names: &[String],
) -> Result<(), BuiltInError> {
    let mut hosts: Vec<&str> = Vec::new();
    for name in names {
        let host = host_of_image(name);
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    let ports = scene.ports;
    for host in hosts {
        let of_host = names.iter().filter(|name| host_of_image(name) == host);
        let publish = ImagePublish {
            image: image.clone(),
            names: of_host.cloned().collect(),
            login: login_of(parameters, host)?,
            stored_logins: scene.trust.allows(Right::Logins),
            insecure: is_insecure(parameters),
        };
        ports
            .publish_image(&publish, &mut *scene.output)
            .map_err(BuiltInError::port(format!("publish to `{host}`")))?;
        for name in &publish.names {
            scene.say(format_args!("Published {name}."));
        }
    }
    Ok(())
}

/// Whether an output says that registries may have any certificate, or none.
fn is_insecure(parameters: &Parameters) -> bool {
    let outputs = parameters.input_lines("outputs");
    let mut fields = outputs.iter().flat_map(|output| output.split(','));
    fields.any(|field| field.trim() == "registry.insecure=true")
}

fn with_tag(name: &str) -> String {
    let last = name.rfind('/').map_or(0, |slash| slash + 1);
    if name[last..].contains([':', '@']) {
        name.to_owned()
    } else {
        format!("{name}:latest")
    }
}

/// Whether `outputs` asks for images in a registry; other outputs than images are not made.
fn pushes_by_outputs(parameters: &Parameters) -> Result<bool, BuiltInError> {
    let mut pushes = false;
    for output in parameters.input_lines("outputs") {
        let fields: Vec<&str> = output.split(',').map(str::trim).collect();
        let kind = fields.iter().find_map(|field| field.strip_prefix("type="));
        match kind {
            Some("registry") => pushes = true,
            Some("image" | "docker" | "cacheonly")
                if !fields.iter().any(|field| field.starts_with("dest=")) =>
            {
                pushes |= fields.contains(&"push=true");
            }
            _ => return Err(parameters.unsupported(format!("the output `{output}`"), None)),
        }
    }
    Ok(pushes)
}

fn request(
    parameters: &Parameters,
    scene: &Scene<'_>,
) -> Result<(ImageBuild, BuildContext), BuiltInError> {
    let source = source(parameters)?;
    let files = BuildContext::of_scene(scene, &source.context, &source.dockerfiles[0])?;
    let request = ImageBuild {
        context: files.context(),
        dockerfile: files.dockerfile.clone(),
        target: source.target,
        arguments: source.arguments,
        labels: pairs(parameters, "labels"),
        names: Vec::new(),
        no_cache: parameters.input_switch("no-cache", false)?,
        pull: parameters.input_switch("pull", false)?,
    };
    Ok((request, files))
}

/// What an image is built from.
pub(super) fn source(parameters: &Parameters) -> Result<ImageSource, BuiltInError> {
    // Without a context it is the source tree at the revision of the run.
    let context = match parameters.input("context") {
        "" | "{{defaultContext}}" => ".".to_owned(),
        context => context
            .strip_prefix("{{defaultContext}}:")
            .unwrap_or(context)
            .to_owned(),
    };
    if context.contains("://") {
        return Err(parameters.unsupported("a build context from another machine", None));
    }
    let file = match parameters.input("file") {
        "" => format!("{context}/Dockerfile"),
        file => file.to_owned(),
    };
    let arguments = pairs(parameters, "build-args").into_iter();
    let arguments = arguments.map(|(name, value)| {
        // An argument without a value has that of the environment.
        let is_bare =
            value.is_empty() && !parameters.input("build-args").contains(&format!("{name}="));
        let from_environment = parameters.environment.get(&name).filter(|_| is_bare);
        let value = from_environment.cloned().unwrap_or(value);
        (name, value)
    });
    Ok(ImageSource {
        context,
        dockerfiles: vec![file],
        target: Some(parameters.input("target").to_owned()).filter(|target| !target.is_empty()),
        arguments: arguments.collect(),
    })
}

/// The lines of an input with a `=` in them.
fn pairs(parameters: &Parameters, input: &str) -> Vec<(String, String)> {
    let lines = parameters.input_lines(input);
    let pairs = lines
        .iter()
        .map(|line| line.split_once('=').unwrap_or((line, "")));
    pairs
        .map(|(name, value)| (name.trim().to_owned(), value.to_owned()))
        .collect()
}

fn login_of(parameters: &Parameters, host: &str) -> Result<Option<Login>, BuiltInError> {
    let Some(config) = parameters.text(&[VARIABLE]) else {
        return Ok(None);
    };
    let pair = of_configuration(parameters, config, host)?;
    Ok(pair.map(|(username, password)| Login {
        registry: Some(host.to_owned()),
        username,
        password,
    }))
}
