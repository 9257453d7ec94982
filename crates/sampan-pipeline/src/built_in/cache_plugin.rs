//! Plugins of Drone that keep folders for later runs. Where they bring them to some store, they get the installation's own.

use ring::digest::{Context, SHA256};

use super::archive::Member;
use super::cache::{base, keep_members, root};
use super::cache_store::{CacheStore, Kept};
use super::files::normal;
use super::parameters::{Parameters, read_text};
use super::{BuiltInError, Definition, go_template};
use crate::build::Build;
use crate::run::{Done, Scene};

/// What all of them read.
const PARAMETERS: &[&str] = &[
    "mode",
    "rebuild",
    "restore",
    "flush",
    "mount",
    "path",
    "fallback_path",
    "flush_path",
    "cache_key",
    "override",
    "remote_root",
];
/// Which store, how to speak to it, and for how long.
const HARMLESS: &[&str] = &[
    "backend",
    "endpoint",
    "url",
    "server",
    "bucket",
    "root",
    "filename",
    "access_key",
    "secret_key",
    "aws_access_key_id",
    "aws_secret_access_key",
    "region",
    "acl",
    "encryption",
    "path_style",
    "disablessl",
    "debug",
    "verbose",
    "ttl",
    "flush_age",
    "archive_format",
    "compression_level",
    "skip_symlinks",
    "exit_code",
    "local_root",
    "filesystem_cache_root",
    "backend_operation_timeout",
    "file_credentials",
    "username",
    "password",
    "port",
    "host",
    "log_level",
    "log_format",
];

/// `meltwater/drone-cache`, `plugins/s3-cache`, `drillster/drone-volume-cache` and their like.
pub(super) const DEFINITION: Definition = Definition {
    names: &[
        "meltwater/drone-cache",
        "plugins/s3-cache",
        "plugins/drone-s3-cache",
        "plugins/volume-cache",
        "drillster/drone-volume-cache",
        "homerovalle/drone-gcs-cache",
    ],
    parameters: PARAMETERS,
    harmless: HARMLESS,
    run,
};

/// Whose caches a run of a plugin reads, and, as the first, writes: what a pull request keeps is read by nobody else, as is
/// the cache of actions. Theirs are others, as plugins name what they keep by other keys.
fn scopes(build: &Build) -> Vec<String> {
    let scopes = super::cache::scopes(build).into_iter();
    scopes.map(|scope| format!("plugins/{scope}")).collect()
}

fn run(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    let mode = parameters.text_or_empty(&["PLUGIN_MODE"]);
    let is = |variable: &str, word: &str| -> Result<bool, BuiltInError> {
        Ok(mode == word || parameters.switch(&[variable], false)?)
    };
    let (restores, rebuilds, flushes) = (
        is("PLUGIN_RESTORE", "restore")?,
        is("PLUGIN_REBUILD", "rebuild")?,
        is("PLUGIN_FLUSH", "flush")?,
    );
    match (restores, rebuilds, flushes) {
        (false, false, false) => {
            return Err(BuiltInError::MissingParameter {
                built_in: parameters.built_in.clone(),
                parameter: "restore",
            });
        }
        (false, false, true) => {
            // Old caches go by themselves when there is no room for new ones.
            scene.say("Nothing is taken away: what was not used for long goes by itself.");
            return Ok(Done::default());
        }
        _ => {}
    }
    let (key, fallback) = keys(parameters, scene)?;
    if restores {
        restore(parameters, scene, &key, &fallback)?;
    }
    if rebuilds {
        rebuild(parameters, scene, &key)?;
    }
    Ok(Done::default())
}

/// The name of what is kept, and another one where there is nothing under the first.
fn keys(parameters: &Parameters, scene: &Scene<'_>) -> Result<(String, String), BuiltInError> {
    let variable = |name: &str| parameters.text_or_empty(&[name]);
    let of_branch = |branch: &str| {
        format!(
            "{}/{}/{branch}",
            variable("DRONE_REPO_OWNER"),
            variable("DRONE_REPO_NAME")
        )
    };
    let is_volume = parameters.built_in.ends_with("volume-cache");
    let key = match (
        parameters.text(&["PLUGIN_CACHE_KEY"]),
        parameters.text(&["PLUGIN_PATH"]),
    ) {
        // A list of variables, as the cache on a volume has it.
        (Some(names), _) if is_volume => {
            let values = names.split(',').map(|name| variable(name.trim()));
            values.collect::<Vec<_>>().join("/")
        }
        (Some(template), _) => {
            let field = |way: &str| field(parameters, way);
            let function = |name: &str, values: &[String]| function(scene, name, values);
            go_template::render(template, &field, &function).map_err(|problem| {
                BuiltInError::Content {
                    problem: format!(
                        "cannot render the parameter `cache_key` of `{}`: {problem}",
                        parameters.built_in
                    ),
                    hint: None,
                }
            })?
        }
        (None, Some(path)) => path.to_owned(),
        (None, None) if is_volume => {
            let owner = variable("DRONE_REPO_OWNER");
            format!("{owner}/{}", variable("DRONE_REPO_NAME"))
        }
        (None, None) => of_branch(&variable("DRONE_COMMIT_BRANCH")),
    };
    let fallback = parameters.text(&["PLUGIN_FALLBACK_PATH"]);
    let fallback =
        fallback.map_or_else(|| of_branch(&variable("DRONE_REPO_BRANCH")), str::to_owned);
    let root = variable("PLUGIN_REMOTE_ROOT");
    Ok((format!("{root}/{key}"), format!("{root}/{fallback}")))
}

/// The folders and files, below the root of the workspace.
fn mounts(parameters: &Parameters, scene: &Scene<'_>) -> Result<Vec<String>, BuiltInError> {
    let mounts = parameters.list(&["PLUGIN_MOUNT"]);
    if mounts.is_empty() {
        parameters.require("mount", &["PLUGIN_MOUNT"])?;
    }
    let workspace = &scene.stage.workspace;
    let base = base(scene).trim_end_matches('/');
    let below = |mount: &String| {
        let path = normal(&workspace.path, mount);
        let below = path.strip_prefix(base).filter(|rest| rest.starts_with('/'));
        below
            .map(|rest| rest[1..].to_owned())
            .ok_or_else(|| BuiltInError::Outside {
                path: mount.clone(),
            })
    };
    mounts.iter().map(below).collect()
}

/// Each folder is kept by itself, so that a step may restore some of them only.
fn restore(
    parameters: &Parameters,
    scene: &mut Scene<'_>,
    key: &str,
    fallback: &str,
) -> Result<(), BuiltInError> {
    let store = CacheStore::new(scene.data_folder, &scene.build.repository.slug());
    let failed = || BuiltInError::file("read", "the cache");
    let scopes = scopes(scene.build);
    let mounts = if parameters.text(&["PLUGIN_MOUNT"]).is_some() {
        mounts(parameters, scene)?
    } else {
        // The cache in S3 restores all that is there.
        let mut versions = Vec::new();
        for key in [key, fallback] {
            for scope in &scopes {
                if versions.is_empty() {
                    versions = store.versions(scope, key).map_err(failed())?;
                }
            }
        }
        versions
    };
    if mounts.is_empty() {
        scene.say(format_args!("Nothing is kept under the key `{key}`."));
    }
    for mount in mounts {
        let mut kept = store.find(&scopes, key, &mount, false).map_err(failed())?;
        if kept.is_none() {
            kept = store
                .find(&scopes, fallback, &mount, false)
                .map_err(failed())?;
        }
        match kept {
            Some(kept) => {
                let root = root(scene)?;
                let interrupt = scene.interrupt;
                let count = CacheStore::restore(&kept, &root, &|| interrupt.is_triggered())
                    .map_err(failed())?;
                scene.say(format_args!("Restored {count} files of `{mount}`."));
            }
            None => scene.say(format_args!(
                "Nothing is kept of `{mount}` under the key `{key}`."
            )),
        }
    }
    Ok(())
}

fn rebuild(parameters: &Parameters, scene: &mut Scene<'_>, key: &str) -> Result<(), BuiltInError> {
    let replaces = parameters.switch(&["PLUGIN_OVERRIDE"], true)?;
    for mount in mounts(parameters, scene)? {
        let is_there = root(scene)?
            .stat(mount.as_bytes())
            .map_err(BuiltInError::file("look at", mount.clone()))?;
        if is_there.is_none() {
            return Err(BuiltInError::Content {
                problem: format!("`{mount}` is not there and cannot be kept"),
                hint: None,
            });
        }
        let member = Member {
            path: mount.clone(),
            name: mount.clone(),
            as_file: false,
        };
        let scope = &scopes(scene.build)[0];
        keep_members(scene, scope, Kept::new(key, &mount), (&[member], replaces))?;
    }
    Ok(())
}

/// What keys can name.
fn field(parameters: &Parameters, way: &str) -> Option<String> {
    let variable = match way {
        "Repo.Avatar" => "DRONE_REPO_AVATAR",
        "Repo.Branch" => "DRONE_REPO_BRANCH",
        "Repo.Link" => "DRONE_REPO_LINK",
        "Repo.Name" => "DRONE_REPO_NAME",
        "Repo.Namespace" => "DRONE_REPO_NAMESPACE",
        "Repo.Owner" => "DRONE_REPO_OWNER",
        "Repo.Private" => "DRONE_REPO_PRIVATE",
        "Repo.Trusted" => "DRONE_REPO_TRUSTED",
        "Build.Created" => "DRONE_BUILD_CREATED",
        "Build.Deploy" => "DRONE_DEPLOY_TO",
        "Build.Event" => "DRONE_BUILD_EVENT",
        "Build.Link" => "DRONE_BUILD_LINK",
        "Build.Number" => "DRONE_BUILD_NUMBER",
        "Build.Started" => "DRONE_BUILD_STARTED",
        "Build.Status" => "DRONE_BUILD_STATUS",
        "Commit.Author.Avatar" => "DRONE_COMMIT_AUTHOR_AVATAR",
        "Commit.Author.Email" => "DRONE_COMMIT_AUTHOR_EMAIL",
        "Commit.Author.Name" => "DRONE_COMMIT_AUTHOR",
        "Commit.Branch" => "DRONE_COMMIT_BRANCH",
        "Commit.Link" => "DRONE_COMMIT_LINK",
        "Commit.Message" => "DRONE_COMMIT_MESSAGE",
        "Commit.Ref" => "DRONE_COMMIT_REF",
        "Commit.Remote" => "DRONE_REMOTE_URL",
        "Commit.Sha" => "DRONE_COMMIT_SHA",
        _ => return None,
    };
    Some(parameters.text_or_empty(&[variable]))
}

fn function(scene: &Scene<'_>, name: &str, values: &[String]) -> Option<Result<String, String>> {
    Some(match (name, values) {
        ("arch", []) => Ok(scene.build.instance.arch.clone()),
        ("os", []) => Ok(scene.build.instance.os.clone()),
        ("epoch", []) => Ok(sampan_supervise::clock::now().as_second().to_string()),
        ("checksum" | "hashFiles", files) if !files.is_empty() => {
            let mut hash = Context::new(&SHA256);
            for file in files {
                match read_text(scene, file) {
                    Ok(text) => hash.update(text.as_bytes()),
                    Err(error) => return Some(Err(error.to_string())),
                }
            }
            Ok(hex::encode(hash.finish()))
        }
        _ => return None,
    })
}
