//! `actions/setup-…`: tools of a version, from the image that the installation sets for them.

use std::path::Path;
use std::{fs, io};

use super::archive::Member;
use super::cache_store::hashed;
use super::files::Root;
use super::parameters::{Parameters, read_text};
use super::{BuiltInError, Definition, archive, cache};
use crate::run::{Done, Scene, Tool};

/// The actions that set tools up.
pub(super) const DEFINITION: Definition = Definition {
    names: &[
        "actions/setup-go",
        "actions/setup-node",
        "actions/setup-python",
        "actions/setup-java",
        "actions/setup-dotnet",
    ],
    parameters: &[
        "go-version",
        "go-version-file",
        "node-version",
        "node-version-file",
        "python-version",
        "python-version-file",
        "java-version",
        "java-version-file",
        "dotnet-version",
        "global-json-file",
    ],
    harmless: &[
        "check-latest",
        "stable",
        "token",
        "cache",
        "cache-dependency-path",
        "architecture",
        "go-download-base-url",
        "always-auth",
        "registry-url",
        "scope",
        "mirror",
        "mirror-token",
        "package-manager-cache",
        "update-environment",
        "allow-prereleases",
        "freethreaded",
        "pip-version",
        "pip-install",
        "distribution",
        "java-package",
        "jdkFile",
        "server-id",
        "server-username",
        "server-password",
        "settings-path",
        "overwrite-settings",
        "gpg-private-key",
        "gpg-passphrase",
        "mvn-toolchain-id",
        "mvn-toolchain-vendor",
        "dotnet-quality",
        "config-file",
        "source-url",
        "owner",
    ],
    run,
};

/// Where tools lie, below the root of the workspace: beside the source tree, and in no one's way.
const FOLDER: &str = "_tools";

fn run(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    let tool = parameters.built_in.rsplit("setup-").next();
    let tool = tool.unwrap_or_default().to_ascii_lowercase();
    let version = version(parameters, scene, &tool)?;
    let ports = scene.ports;
    let found = ports
        .toolchain(&tool, &version)
        .map_err(BuiltInError::port(format!("set up `{tool}`")))?;
    let name = match version.as_str() {
        "" => tool.clone(),
        version => format!(
            "{tool}-{}",
            version.replace(|c: char| !(c.is_ascii_alphanumeric() || c == '.'), "-")
        ),
    };
    let (folder, has_programs) = if let Some(own) = own_folder(scene, &found, &tool) {
        own
    } else {
        let target = Target::of(parameters, scene, &name)?;
        bring(scene, &found, &tool, &target)?;
        let programs = target.root.stat(format!("{}/bin", target.below).as_bytes());
        (target.inside, matches!(programs, Ok(Some(_))))
    };
    scene.say(format_args!("`{tool}` is in {folder}."));
    let mut done = Done::default();
    done.paths.push(if has_programs {
        format!("{folder}/bin")
    } else {
        folder.clone()
    });
    let home = match tool.as_str() {
        "go" => Some("GOROOT"),
        "java" => Some("JAVA_HOME"),
        "dotnet" => Some("DOTNET_ROOT"),
        "python" => Some("pythonLocation"),
        _ => None,
    };
    if let Some(variable) = home {
        done.environment.insert(variable.to_owned(), folder);
    }
    done.outputs.insert(format!("{tool}-version"), version);
    done.outputs
        .insert("cache-hit".to_owned(), "false".to_owned());
    Ok(done)
}

/// Where a tool is put.
struct Target {
    root: Root,
    /// Below the root.
    below: String,
    /// As steps see it.
    inside: String,
}

impl Target {
    /// The folder of tools of GitHub's jobs, beside their workspace; otherwise a folder within the workspace.
    fn of(parameters: &Parameters, scene: &Scene<'_>, name: &str) -> Result<Self, BuiltInError> {
        let beside = scene.workspace.with_file_name("runner").join("tools");
        let seen = parameters.text(&["RUNNER_TOOL_CACHE"]);
        if let Some(seen) = seen.filter(|_| beside.is_dir()) {
            return Ok(Self {
                root: Root::open(&beside).map_err(BuiltInError::file("open", seen))?,
                below: name.to_owned(),
                inside: format!("{seen}/{name}"),
            });
        }
        let below = format!("{FOLDER}/{name}");
        let base = cache::base(scene).trim_end_matches('/');
        Ok(Self {
            root: cache::root(scene)?,
            inside: format!("{base}/{below}"),
            below,
        })
    }
}

/// The folder of a tool that the job's own image has: nothing needs to be brought when that image is the one which the
/// installation sets for the tool. With it, whether there are programs in a folder of their own.
fn own_folder(scene: &Scene<'_>, tool: &Tool, name: &str) -> Option<(String, bool)> {
    let layers: Vec<_> = scene.layers.iter().rev().collect();
    let is_own = layers.len() >= tool.layers.len()
        && tool
            .layers
            .iter()
            .zip(layers)
            .all(|(one, other)| one == other);
    if !is_own || tool.layers.is_empty() {
        return None;
    }
    let folder = match &tool.folder {
        Some(folder) => folder.trim_matches('/'),
        None => usual_folder(name),
    };
    let there = |path: &str| {
        tool.layers.iter().any(|layer| {
            let found = Root::open(layer).and_then(|root| root.stat(path.as_bytes()));
            matches!(found, Ok(Some(_)))
        })
    };
    there(folder).then(|| (format!("/{folder}"), there(&format!("{folder}/bin"))))
}

/// Where a tool lies in its own image.
fn usual_folder(tool: &str) -> &'static str {
    match tool {
        "go" => "usr/local/go",
        "java" => "opt/java/openjdk",
        "dotnet" => "usr/share/dotnet",
        // Node.js and Python lie among what else is there.
        _ => "usr/local",
    }
}

/// The version that is asked for: given, or in a file of the tree. Without one the installation chooses.
fn version(parameters: &Parameters, scene: &Scene<'_>, tool: &str) -> Result<String, BuiltInError> {
    let given = parameters.input_lines(&format!("{tool}-version"));
    if let Some(version) = given.first() {
        return Ok(plain(version));
    }
    let file = match tool {
        "dotnet" => parameters.input("global-json-file"),
        tool => parameters.input(&format!("{tool}-version-file")),
    };
    if file.is_empty() {
        return Ok(String::new());
    }
    let text = read_text(scene, file)?;
    of_file(file, &text).ok_or_else(|| BuiltInError::Content {
        problem: format!("`{file}` names no version of `{tool}`"),
        hint: None,
    })
}

/// A version without what ranges have around it: `^1.21`, `~1.21`, `>=1.21`, `1.21.x`, `v20` and `stable`.
fn plain(version: &str) -> String {
    let version = version
        .trim()
        .trim_start_matches(['^', '~', '>', '=', 'v', ' ']);
    let version = version.split(' ').next().unwrap_or(version);
    let version = version.trim_end_matches(".x").trim_end_matches(".*");
    match version {
        "stable" | "latest" | "lts/*" | "*" | "oldstable" | "current" | "node" => String::new(),
        version => version.to_owned(),
    }
}

/// The version in `go.mod`, `package.json`, `global.json`, `.tool-versions`, or a file that has only it.
fn of_file(name: &str, text: &str) -> Option<String> {
    let name = name.rsplit('/').next().unwrap_or(name);
    let found = match name {
        "go.mod" | "go.work" => {
            let words = |line: &str, key: &str| {
                line.trim()
                    .strip_prefix(key)
                    .map(|rest| rest.trim().to_owned())
            };
            let toolchain = text.lines().find_map(|line| words(line, "toolchain go"));
            toolchain.or_else(|| text.lines().find_map(|line| words(line, "go ")))
        }
        "package.json" | "global.json" => {
            let json: serde_json::Value = serde_json::from_str(text).ok()?;
            let ways = ["/volta/node", "/engines/node", "/sdk/version"];
            ways.iter()
                .find_map(|way| json.pointer(way)?.as_str().map(str::to_owned))
        }
        ".tool-versions" => {
            let line = text
                .lines()
                .find(|line| !line.trim_start().starts_with('#'))?;
            line.split_whitespace().nth(1).map(str::to_owned)
        }
        _ => text
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .map(str::to_owned),
    };
    found
        .map(|version| plain(&version))
        .filter(|version| !version.is_empty())
}

/// Copies a tool out of its layers, unless it is there: what steps write there must not reach others.
fn bring(scene: &Scene<'_>, tool: &Tool, name: &str, target: &Target) -> Result<(), BuiltInError> {
    let failed = || BuiltInError::file("bring into the workspace", target.inside.clone());
    let there = target.root.stat(target.below.as_bytes());
    if there.map_err(failed())?.is_some() {
        return Ok(());
    }
    let folder = match &tool.folder {
        Some(folder) => folder.trim_start_matches('/').to_owned(),
        None => usual_folder(name).to_owned(),
    };
    let archive = scene
        .run_folder
        .join(format!("{}.tool.tar", hashed(&target.inside)));
    let mut is_found = false;
    for layer in &tool.layers {
        is_found |= copy(scene, layer, &folder, (target, &archive)).map_err(failed())?;
    }
    if is_found {
        return Ok(());
    }
    Err(BuiltInError::Content {
        problem: format!("the image that is set for `{name}` has no folder `/{folder}`"),
        hint: Some(format!(
            "name the tool's `folder` beside its `image`, at `toolchains.{name}` in `ci.yaml`"
        )),
    })
}

/// Copies what a layer has of a folder; whether it has any of it. An archive between the two keeps links, rights and
/// times, as caches do.
fn copy(
    scene: &Scene<'_>,
    layer: &Path,
    folder: &str,
    (target, archive): (&Target, &Path),
) -> io::Result<bool> {
    let source = Root::open(layer)?;
    if source.stat(folder.as_bytes())?.is_none() {
        return Ok(false);
    }
    let contents = Member {
        path: folder.to_owned(),
        name: String::new(),
        as_file: false,
    };
    let interrupt = scene.interrupt;
    let is_ended = || interrupt.is_triggered();
    // Stages run at once, and each may bring the same tool.
    let archive = archive.with_extension(hashed(&scene.workspace.to_string_lossy()));
    let copied = archive::pack(&source, &[contents], &archive, &is_ended)
        .and_then(|_| fs::File::open(&archive))
        .and_then(|file| archive::unpack(&target.root, &target.below, file, &is_ended));
    let removed = fs::remove_file(&archive);
    copied?;
    removed.map(|()| true)
}

#[cfg(test)]
mod tests {
    use super::{of_file, plain};

    #[test]
    fn versions_are_found() {
        for (text, expected) in [
            ("1.21", "1.21"),
            ("^1.21.3", "1.21.3"),
            (">=1.20 <2", "1.20"),
            ("20.x", "20"),
            ("v20", "20"),
            ("stable", ""),
            ("lts/*", ""),
        ] {
            assert_eq!(plain(text), expected);
        }
        for (name, text, expected) in [
            ("go.mod", "module a\n\ngo 1.21.0\n", Some("1.21.0")),
            ("go.mod", "go 1.21\ntoolchain go1.22.3\n", Some("1.22.3")),
            ("a/.nvmrc", "v20.1.0\n", Some("20.1.0")),
            (
                "package.json",
                r#"{"engines": {"node": ">=18"}}"#,
                Some("18"),
            ),
            (".tool-versions", "# note\npython 3.12.1\n", Some("3.12.1")),
            ("package.json", "{}", None),
        ] {
            assert_eq!(of_file(name, text).as_deref(), expected, "{name}");
        }
    }
}
