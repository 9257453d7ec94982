//! The source tree: in a run of a working tree, it is what a clone brings.

use std::path::Path;

use super::parameters::Parameters;
use super::{BuiltInError, Definition};
use crate::run::{Done, Scene, SourceTarget};

/// The clone steps of Drone and Woodpecker.
pub(super) const PLUGIN: Definition = Definition {
    names: &[
        "plugins/git",
        "drone/git",
        "woodpeckerci/plugin-git",
        "quay.io/woodpeckerci/plugin-git",
    ],
    parameters: &["remote", "path", "ref", "sha", "object_format"],
    harmless: &[
        "depth",
        "recursive",
        "tags",
        "skip_verify",
        "submodule_override",
        "submodule_partial",
        "submodule_update_remote",
        "submodules_update_remote",
        "attempts",
        "backoff",
        "retries",
        "lfs",
        "partial",
        "branch",
        "home",
        "use_ssh",
        "ssh_key",
        "custom_ssh_port",
        "safe_directory",
        "use_safe_directory",
        "custom_cert",
        "custom_ssl_path",
        "custom_ssl_url",
        "event",
        "fetch_target_branch",
        "target_branch",
        "merge_pull_request",
        "tree_filter",
        "git_user_name",
        "git_user_email",
    ],
    run: plugin,
};

/// The checkout of GitHub.
pub(super) const CHECKOUT: Definition = Definition {
    names: &["actions/checkout"],
    parameters: &["repository", "ref", "path"],
    harmless: &[
        "token",
        "ssh-key",
        "ssh-known-hosts",
        "ssh-strict",
        "ssh-user",
        "persist-credentials",
        "clean",
        "filter",
        "sparse-checkout",
        "sparse-checkout-cone-mode",
        "fetch-depth",
        "fetch-tags",
        "show-progress",
        "lfs",
        "submodules",
        "set-safe-directory",
        "github-server-url",
        "allow-unsafe-pr-checkout",
    ],
    run: checkout,
};

fn plugin(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    let repository = &scene.build.repository;
    if let Some(remote) = parameters.text(&["PLUGIN_REMOTE"])
        && remote != repository.clone_url
        && remote != repository.clone_ssh_url
    {
        return Err(another(parameters, "repository"));
    }
    for variable in ["PLUGIN_REF", "PLUGIN_SHA"] {
        if parameters
            .text(&[variable])
            .is_some_and(|wanted| !is_current(scene, wanted))
        {
            return Err(another(parameters, "revision"));
        }
    }
    let path = parameters.text_or_empty(&["PLUGIN_PATH"]);
    fill(scene, if path.is_empty() { "." } else { &path })?;
    Ok(Done::default())
}

fn checkout(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    let slug = scene.build.repository.slug();
    let repository = parameters.input("repository");
    if !(repository.is_empty() || repository.eq_ignore_ascii_case(&slug)) {
        return Err(another(parameters, "repository"));
    }
    let reference = parameters.input("ref");
    if !(reference.is_empty() || is_current(scene, reference)) {
        return Err(another(parameters, "revision"));
    }
    let path = parameters.input("path");
    fill(scene, if path.is_empty() { "." } else { path })?;
    let commit = &scene.build.commit;
    let reference = if reference.is_empty() {
        commit.reference.clone()
    } else {
        reference.to_owned()
    };
    let mut done = Done::default();
    done.outputs.insert("ref".to_owned(), reference);
    done.outputs.insert("commit".to_owned(), commit.sha.clone());
    Ok(done)
}

/// Whether a reference means what the run is about.
fn is_current(scene: &Scene<'_>, wanted: &str) -> bool {
    let commit = &scene.build.commit;
    let short = |reference: &'_ str| -> String {
        ["refs/heads/", "refs/tags/"]
            .iter()
            .find_map(|prefix| reference.strip_prefix(prefix))
            .unwrap_or(reference)
            .to_owned()
    };
    let abbreviates = wanted.len() >= 7 && commit.sha.starts_with(wanted);
    abbreviates
        || wanted == commit.sha
        || wanted == commit.reference
        || short(wanted) == short(&commit.reference)
        || wanted == scene.build.source_branch
}

fn another(parameters: &Parameters, what: &str) -> BuiltInError {
    parameters.unsupported(
        format!("another {what} than that of the run"),
        Some("bring it into the source tree beforehand, for example as a git submodule"),
    )
}

fn fill(scene: &mut Scene<'_>, path: &str) -> Result<(), BuiltInError> {
    let inside = scene.inside(path).ok_or_else(|| BuiltInError::Outside {
        path: path.to_owned(),
    })?;
    let target = SourceTarget::open(scene.workspace, Path::new(&inside))
        .map_err(BuiltInError::file("make the folder", path))?;
    scene.tree.fill(&target).map_err(BuiltInError::port(
        "bring the source tree into the workspace",
    ))?;
    let commit = &scene.build.commit;
    let (branch, sha) = (commit.branch.clone(), commit.sha.clone());
    let short = sha.get(..8).unwrap_or(&sha);
    scene.say(format_args!(
        "The source tree of `{branch}` ({short}) is in the workspace."
    ));
    Ok(())
}
