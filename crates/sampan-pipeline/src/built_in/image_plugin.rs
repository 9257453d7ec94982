//! Plugins that build images from Dockerfiles and publish them.

use serde_json::Value;

use super::parameters::{Parameters, is_file, read_text};
use super::registry_login::{VARIABLES, login, registry_host};
use super::{BuiltInError, Definition, ImageSource, image_tags};
use crate::run::build_context::BuildContext;
use crate::run::{Done, ImageBuild, ImagePublish, Scene};
use crate::trust::Right;

mod known;

use known::{HARMLESS, PARAMETERS};

/// `plugins/docker`.
pub(super) const DOCKER: Definition = Definition {
    names: &["plugins/docker", "plugins/drone-docker"],
    parameters: PARAMETERS,
    harmless: HARMLESS,
    run: |parameters, scene| run(parameters, scene, Kind::Docker),
};

/// Its forms for the registries of Google, Amazon and Azure, whose names get the registry in front.
pub(super) const REGISTRY: Definition = Definition {
    names: &["plugins/ecr", "plugins/gcr", "plugins/gar", "plugins/acr"],
    parameters: PARAMETERS,
    harmless: HARMLESS,
    run: |parameters, scene| run(parameters, scene, Kind::Registry),
};

/// `plugins/kaniko`.
pub(super) const KANIKO: Definition = Definition {
    names: &[
        "plugins/kaniko",
        "plugins/kaniko-ecr",
        "plugins/kaniko-gcr",
        "banzaicloud/drone-kaniko",
    ],
    parameters: PARAMETERS,
    harmless: HARMLESS,
    run: |parameters, scene| run(parameters, scene, Kind::Kaniko),
};

/// Plugins over `buildx`.
pub(super) const BUILDX: Definition = Definition {
    names: &[
        "woodpeckerci/plugin-docker-buildx",
        "codeberg.org/woodpecker-plugins/docker-buildx",
        "thegeeklab/drone-docker-buildx",
        "thegeeklab/wp-docker-buildx",
        "quay.io/thegeeklab/wp-docker-buildx",
    ],
    parameters: PARAMETERS,
    harmless: HARMLESS,
    run: |parameters, scene| run(parameters, scene, Kind::Buildx),
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Docker,
    Registry,
    Kaniko,
    Buildx,
}

fn run(parameters: &Parameters, scene: &mut Scene<'_>, kind: Kind) -> Result<Done, BuiltInError> {
    parameters.refuse(&[
        "PLUGIN_SECRET",
        "PLUGIN_SECRETS",
        "PLUGIN_SECRETS_FROM_ENV",
        "PLUGIN_SECRETS_FROM_FILE",
        "PLUGIN_SSH_AGENT_KEY",
        "PLUGIN_ADD_HOST",
        "PLUGIN_PUSH_ONLY",
        "PLUGIN_SOURCE_IMAGE",
        "PLUGIN_COSIGN_PRIVATE_KEY",
        "PLUGIN_OUTPUT",
    ])?;
    check_platform(parameters, scene)?;
    let Some(tags) = tags(parameters, scene, kind)? else {
        let reference = scene.build.commit.reference.clone();
        scene.say(format_args!(
            "`{reference}` is not published: `auto_tag` is for tags and the default branch."
        ));
        return Ok(Done::default());
    };
    let dry_run = parameters.switch(&["PLUGIN_DRY_RUN"], false)?
        || parameters.switch(&["PLUGIN_NO_PUSH"], false)?;
    let repositories = repositories(parameters, kind)?;
    if repositories.is_empty() && !dry_run {
        parameters.require("repo", &["PLUGIN_REPO"])?;
    }
    let with_tags = |repository: &String| -> Vec<String> {
        tags.iter()
            .map(|tag| format!("{repository}:{tag}"))
            .collect()
    };
    let names: Vec<String> = repositories.iter().flat_map(with_tags).collect();
    let (request, files) = build(parameters, scene, kind)?;
    let request = ImageBuild {
        names: names.clone(),
        ..request
    };
    let ports = scene.ports;
    let image = ports
        .build_image(&request, &mut *scene.output)
        .map_err(BuiltInError::port("build the image"))?;
    drop(files);
    scene.say(format_args!("Built {}.", image.digest()));
    if dry_run {
        scene.say("Nothing is published, as `dry_run` says.");
        return Ok(Done::default());
    }
    for repository in &repositories {
        let publish = ImagePublish {
            image: image.clone(),
            names: with_tags(repository),
            login: login(parameters, repository)?,
            stored_logins: scene.trust.allows(Right::Logins),
            insecure: parameters.switch(&["PLUGIN_INSECURE"], false)?
                || parameters.switch(&["PLUGIN_SKIP_TLS_VERIFY"], false)?,
        };
        ports
            .publish_image(&publish, &mut *scene.output)
            .map_err(BuiltInError::port(format!("publish `{repository}`")))?;
        for name in &publish.names {
            scene.say(format_args!("Published {name}."));
        }
    }
    Ok(Done::default())
}

/// Images are built for this machine.
fn check_platform(parameters: &Parameters, scene: &Scene<'_>) -> Result<(), BuiltInError> {
    let instance = &scene.build.instance;
    let own = format!("{}/{}", instance.os, instance.arch);
    let wanted = parameters.list(&["PLUGIN_PLATFORM", "PLUGIN_PLATFORMS"]);
    match wanted.iter().find(|platform| **platform != own) {
        None => Ok(()),
        Some(other) => Err(parameters.unsupported(
            format!("the platform `{other}`"),
            Some("images are built for the platform of this machine; take the others out of `platforms`"),
        )),
    }
}

/// The tags; `None` when nothing is to be built for this reference.
fn tags(
    parameters: &Parameters,
    scene: &Scene<'_>,
    kind: Kind,
) -> Result<Option<Vec<String>>, BuiltInError> {
    let mut given = parameters.list(&["PLUGIN_TAG", "PLUGIN_TAGS"]);
    let file = parameters.text(&["PLUGIN_TAGS_FILE"]).unwrap_or(".tags");
    if given.is_empty() && is_file(scene, file) {
        let text = read_text(scene, file)?;
        let tags = text
            .split([',', '\n'])
            .map(str::trim)
            .filter(|tag| !tag.is_empty());
        given = tags.map(str::to_owned).collect();
    }
    let is_automatic = parameters.switch(&["PLUGIN_DEFAULT_TAGS", "PLUGIN_AUTO_TAG"], false)?;
    let is_expanded = parameters.switch(&["PLUGIN_EXPAND_TAG"], false)?;
    let latest = parameters.text(&["PLUGIN_DEFAULT_TAG"]).unwrap_or("latest");
    if is_automatic {
        let commit = &scene.build.commit;
        let default_branch = match parameters.text(&["DRONE_REPO_BRANCH", "CI_REPO_DEFAULT_BRANCH"])
        {
            Some(branch) => branch,
            None => &scene.build.repository.default_branch,
        };
        if !image_tags::applies(&commit.reference, default_branch) {
            return Ok(None);
        }
        let suffix = parameters.text_or_empty(&["PLUGIN_DEFAULT_SUFFIX", "PLUGIN_AUTO_TAG_SUFFIX"]);
        let tags = image_tags::of_reference(&commit.reference, &suffix, latest)
            .ok_or_else(|| not_a_version(commit.tag().unwrap_or(&commit.reference)))?;
        // Buildx adds what it finds to what is given.
        if kind != Kind::Buildx {
            given.clear();
        }
        given.extend(tags);
    } else if is_expanded {
        let expand =
            |tag: &String| image_tags::of_reference(&format!("refs/tags/{tag}"), "", latest);
        given = given
            .iter()
            .flat_map(|tag| expand(tag).unwrap_or_else(|| vec![tag.clone()]))
            .collect();
    }
    if given.is_empty() {
        given.push(latest.to_owned());
    }
    let mut seen = std::collections::BTreeSet::new();
    given.retain(|tag| seen.insert(tag.clone()));
    Ok(Some(given))
}

fn not_a_version(tag: &str) -> BuiltInError {
    BuiltInError::Content {
        problem: format!("`auto_tag` makes tags from versions, and `{tag}` is none"),
        hint: Some("name tags of git as `v1.2.3`, or give `tags` instead of `auto_tag`".to_owned()),
    }
}

fn repositories(parameters: &Parameters, kind: Kind) -> Result<Vec<String>, BuiltInError> {
    let registry = parameters.text_or_empty(VARIABLES);
    let registry = registry_host(&registry);
    let prefixes = match kind {
        Kind::Registry => true,
        Kind::Kaniko => parameters.switch(&["PLUGIN_EXPAND_REPO"], true)?,
        Kind::Docker | Kind::Buildx => false,
    };
    let full = |repository: String| {
        let has_registry =
            repository == registry || repository.starts_with(&format!("{registry}/"));
        if !prefixes || registry.is_empty() || registry == "docker.io" || has_registry {
            repository
        } else {
            format!("{registry}/{repository}")
        }
    };
    Ok(parameters
        .list(&["PLUGIN_REPO"])
        .into_iter()
        .map(full)
        .collect())
}

/// What is built, without its names, and the files that it is built from.
fn build(
    parameters: &Parameters,
    scene: &Scene<'_>,
    kind: Kind,
) -> Result<(ImageBuild, BuildContext), BuiltInError> {
    let source = source(parameters, kind)?;
    let mut dockerfiles = source.dockerfiles.iter();
    let dockerfile = dockerfiles.find(|path| is_file(scene, path));
    let dockerfile = dockerfile.unwrap_or(&source.dockerfiles[0]);
    let files = BuildContext::of_scene(scene, &source.context, dockerfile)?;
    let request = ImageBuild {
        dockerfile: files.dockerfile.clone(),
        context: files.context(),
        target: source.target,
        arguments: source.arguments,
        labels: labels(parameters, scene)?,
        names: Vec::new(),
        no_cache: parameters.switch(&["PLUGIN_NO_CACHE"], false)?,
        pull: parameters.switch(&["PLUGIN_PULL_IMAGE"], true)?,
    };
    Ok((request, files))
}

/// What an image is built from, by the name of the plugin.
pub(super) fn source_of(
    parameters: &Parameters,
    name: &str,
) -> Option<Result<ImageSource, BuiltInError>> {
    let kind = match name {
        name if KANIKO.names.contains(&name) => Kind::Kaniko,
        name if [DOCKER, REGISTRY, BUILDX]
            .iter()
            .any(|plugin| plugin.names.contains(&name)) =>
        {
            Kind::Docker
        }
        _ => return None,
    };
    Some(source(parameters, kind))
}

fn source(parameters: &Parameters, kind: Kind) -> Result<ImageSource, BuiltInError> {
    let context = parameters.text(&["PLUGIN_CONTEXT"]).unwrap_or(".");
    if context.contains("://") {
        return Err(parameters.unsupported("a build context from another machine", None));
    }
    let dockerfile = parameters.text(&["PLUGIN_DOCKERFILE"]);
    let mut dockerfiles = vec![dockerfile.unwrap_or("Dockerfile").to_owned()];
    if kind == Kind::Kaniko {
        dockerfiles.push(format!("{context}/{}", dockerfiles[0]));
    }
    Ok(ImageSource {
        context: context.to_owned(),
        dockerfiles,
        target: parameters.text(&["PLUGIN_TARGET"]).map(str::to_owned),
        arguments: arguments(parameters)?,
    })
}

fn arguments(parameters: &Parameters) -> Result<Vec<(String, String)>, BuiltInError> {
    let from_environment = |name: &str| parameters.environment.get(name).cloned();
    let mut arguments = Vec::new();
    for name in ["http_proxy", "https_proxy", "no_proxy"] {
        let upper = name.to_uppercase();
        if let Some(value) = from_environment(name)
            .or_else(|| from_environment(&upper))
            .filter(|value| !value.is_empty())
        {
            arguments.push((name.to_owned(), value.clone()));
            arguments.push((upper, value));
        }
    }
    for name in parameters.list(&["PLUGIN_BUILD_ARGS_FROM_ENV"]) {
        if let Some(value) = from_environment(&name).filter(|value| !value.is_empty()) {
            arguments.push((name, value));
        }
    }
    let is_split_otherwise = parameters.switch(&["PLUGIN_MULTIPLE_BUILD_ARGS"], false)?;
    let given = if is_split_otherwise {
        let text = parameters.text_or_empty(&["PLUGIN_BUILD_ARGS_NEW"]);
        text.split(';')
            .map(|item| item.trim().to_owned())
            .filter(|item| !item.is_empty())
            .collect()
    } else {
        items_or_map(parameters, &["PLUGIN_BUILD_ARGS"])
    };
    for item in given {
        match item.split_once('=') {
            Some((name, value)) => arguments.push((name.to_owned(), value.to_owned())),
            // An argument without a value has that of the environment.
            None => arguments.extend(from_environment(&item).map(|value| (item, value))),
        }
    }
    Ok(arguments)
}

/// `NAME=VALUE` items of a list, a mapping, or a list of mappings.
fn items_or_map(parameters: &Parameters, variables: &[&str]) -> Vec<String> {
    let text = parameters.text_or_empty(variables);
    let scalar = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let of_map = |map: &serde_json::Map<String, Value>| -> Vec<String> {
        map.iter()
            .map(|(name, value)| format!("{name}={}", scalar(value)))
            .collect()
    };
    match serde_json::from_str(&text) {
        Ok(Value::Object(map)) => of_map(&map),
        Ok(Value::Array(items)) => items
            .iter()
            .flat_map(|item| match item {
                Value::Object(map) => of_map(map),
                other => vec![scalar(other)],
            })
            .collect(),
        _ => parameters.list(variables),
    }
}

fn labels(
    parameters: &Parameters,
    scene: &Scene<'_>,
) -> Result<Vec<(String, String)>, BuiltInError> {
    let mut labels = Vec::new();
    let automatic = [
        "PLUGIN_AUTO_LABEL",
        "PLUGIN_AUTO_LABELS",
        "PLUGIN_DEFAULT_LABELS",
    ];
    if parameters.switch(&automatic, true)? {
        let build = scene.build;
        let link = parameters.text(&["PLUGIN_REPO_LINK", "DRONE_REPO_LINK"]);
        // The time of the commit, and not that of the build: the same source makes the same image.
        let created =
            super::go_time::layout(build.commit.timestamp, "2006-01-02T15:04:05Z07:00", "UTC");
        for (name, value) in [
            ("created", created.as_str()),
            ("revision", &build.commit.sha),
            ("source", &build.repository.clone_url),
            ("url", link.unwrap_or(&build.repository.link)),
        ] {
            labels.push((format!("org.opencontainers.image.{name}"), value.to_owned()));
        }
        for item in parameters.list(&["PLUGIN_LABEL_SCHEMA"]) {
            let (name, value) = item.split_once('=').unwrap_or((&item, ""));
            labels.push((format!("org.opencontainers.image.{name}"), value.to_owned()));
        }
    }
    for item in items_or_map(
        parameters,
        &["PLUGIN_CUSTOM_LABELS", "PLUGIN_LABEL", "PLUGIN_LABELS"],
    ) {
        let (name, value) = item.split_once('=').unwrap_or((&item, ""));
        labels.push((name.to_owned(), value.to_owned()));
    }
    Ok(labels)
}
