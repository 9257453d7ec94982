//! `actions/cache`: folders that later runs get back.

use super::archive::Member;
use super::cache_store::{CacheStore, Kept};
use super::files::Root;
use super::parameters::Parameters;
use super::pattern::{Match, Meaning, Patterns, Search};
use super::{BuiltInError, Definition};
use crate::build::Build;
use crate::plan::End;
use crate::run::{Done, Scene};

/// Restores now and keeps at the end of the job.
pub(super) const CACHE: Definition = Definition {
    names: &["actions/cache"],
    parameters: &[
        "path",
        "key",
        "restore-keys",
        "fail-on-cache-miss",
        "lookup-only",
        "save-always",
    ],
    harmless: &["upload-chunk-size", "enableCrossOsArchive"],
    run: |parameters, scene| {
        if scene.post {
            keep_at_end(parameters, scene)
        } else {
            restore(parameters, scene, true)
        }
    },
};

/// Restores only.
pub(super) const RESTORE: Definition = Definition {
    names: &["actions/cache/restore"],
    parameters: &[
        "path",
        "key",
        "restore-keys",
        "fail-on-cache-miss",
        "lookup-only",
    ],
    harmless: &["enableCrossOsArchive"],
    run: |parameters, scene| restore(parameters, scene, false),
};

/// Keeps only.
pub(super) const SAVE: Definition = Definition {
    names: &["actions/cache/save"],
    parameters: &["path", "key"],
    harmless: &["upload-chunk-size", "enableCrossOsArchive"],
    run: |parameters, scene| {
        let key = key(parameters, parameters.require_input("key")?)?.to_owned();
        keep(parameters, scene, &key)?;
        Ok(Done::default())
    },
};

/// How many keys are looked for.
const LIMIT_KEYS: usize = 10;
/// How long a key may be.
const LIMIT_KEY: usize = 512;

fn key<'a>(parameters: &Parameters, key: &'a str) -> Result<&'a str, BuiltInError> {
    if key.len() > LIMIT_KEY || key.contains(',') {
        let expected = format!("at most {LIMIT_KEY} characters without commas");
        return Err(parameters.invalid("key", expected));
    }
    Ok(key)
}

/// Whose caches a run reads: its own branch's first, then those of the branch that it is made for and of the branch that
/// clones get. It writes to the first only.
pub(super) fn scopes(build: &Build) -> Vec<String> {
    let branch = |name: &str| format!("refs/heads/{name}");
    let mut scopes = vec![build.commit.reference.clone()];
    if build.commit.reference.is_empty() {
        scopes[0] = branch(&build.commit.branch);
    }
    for name in [&build.commit.branch, &build.repository.default_branch] {
        let scope = branch(name);
        if !name.is_empty() && !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes
}

fn restore(
    parameters: &Parameters,
    scene: &mut Scene<'_>,
    keeps_at_end: bool,
) -> Result<Done, BuiltInError> {
    let primary = key(parameters, parameters.require_input("key")?)?.to_owned();
    let mut keys = vec![primary.clone()];
    for line in parameters.input_lines("restore-keys") {
        keys.push(key(parameters, &line)?.to_owned());
    }
    if keys.len() > LIMIT_KEYS {
        return Err(parameters.invalid("restore-keys", format!("at most {} lines", LIMIT_KEYS - 1)));
    }
    let version = version(parameters, scene)?;
    let lookup_only = parameters.input_switch("lookup-only", false)?;
    let store = CacheStore::new(scene.data_folder, &scene.build.repository.slug());
    let scopes = scopes(scene.build);
    let failed = || BuiltInError::file("read", "the cache");
    let mut found = None;
    for key in &keys {
        found = store.find(&scopes, key, &version, true).map_err(failed())?;
        if found.is_some() {
            break;
        }
    }
    let mut done = Done::default();
    done.outputs
        .insert("cache-primary-key".to_owned(), primary.clone());
    match &found {
        None if parameters.input_switch("fail-on-cache-miss", false)? => {
            return Err(BuiltInError::Content {
                problem: format!("there is no cache with the key `{primary}`"),
                hint: Some("leave out `fail-on-cache-miss`, or keep one first".to_owned()),
            });
        }
        None => scene.say(format_args!(
            "There is no cache with one of the keys `{}`.",
            keys.join("`, `")
        )),
        Some(kept) => {
            let hit = kept.key.eq_ignore_ascii_case(&primary);
            done.outputs.insert("cache-hit".to_owned(), hit.to_string());
            done.outputs
                .insert("cache-matched-key".to_owned(), kept.key.clone());
            if lookup_only {
                scene.say(format_args!(
                    "There is a cache with the key `{}`.",
                    kept.key
                ));
            } else {
                let root = root(scene)?;
                let interrupt = scene.interrupt;
                let count = CacheStore::restore(kept, &root, &|| interrupt.is_triggered())
                    .map_err(failed())?;
                scene.say(format_args!(
                    "Restored {count} files from the cache with the key `{}`.",
                    kept.key
                ));
            }
        }
    }
    done.post = keeps_at_end;
    Ok(done)
}

/// Keeps what the job has made, unless it failed or the key is kept already.
fn keep_at_end(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    let primary = parameters.require_input("key")?.to_owned();
    if scene.so_far != End::Success && !parameters.input_switch("save-always", false)? {
        scene.say("Nothing is kept of a job that failed.");
        return Ok(Done::default());
    }
    let store = CacheStore::new(scene.data_folder, &scene.build.repository.slug());
    let found = store
        .find(
            &scopes(scene.build),
            &primary,
            &version(parameters, scene)?,
            false,
        )
        .map_err(BuiltInError::file("read", "the cache"))?;
    match found {
        Some(_) => scene.say(format_args!(
            "The cache with the key `{primary}` is there already."
        )),
        None => keep(parameters, scene, &primary)?,
    }
    Ok(Done::default())
}

/// What tells caches of one key apart: the paths, and from where they are kept.
fn version(parameters: &Parameters, scene: &Scene<'_>) -> Result<String, BuiltInError> {
    parameters.require_input("path")?;
    let paths = parameters.input_lines("path").join("|");
    Ok(super::cache_store::hashed(&format!(
        "{}|{paths}",
        base(scene)
    )))
}

/// The folder whose files can be kept: in a job all that its container sees, else the workspace.
pub(super) fn root(scene: &Scene<'_>) -> Result<Root, BuiltInError> {
    match scene.container_root {
        Some(root) => Root::of_container(root),
        None => Root::open(scene.workspace),
    }
    .map_err(BuiltInError::file("open", base(scene)))
}

/// The path of the root as steps see it.
pub(super) fn base<'a>(scene: &Scene<'a>) -> &'a str {
    if scene.container_root.is_some() {
        "/"
    } else {
        &scene.stage.workspace.base
    }
}

/// Looks for what the lines of an input name.
pub(super) fn search(
    parameters: &Parameters,
    scene: &mut Scene<'_>,
    input: &'static str,
    (takes_descendants, skips_hidden): (bool, bool),
) -> Result<(Vec<Match>, Patterns), BuiltInError> {
    let workspace = &scene.stage.workspace;
    let home = parameters.text(&["HOME"]).unwrap_or("/root");
    let meaning = Meaning {
        from: &workspace.path,
        home,
        takes_descendants,
    };
    let lines = parameters.input_lines(input);
    let patterns = Patterns::read(&lines, meaning).map_err(|line| {
        parameters.invalid(input, format!("paths and patterns, unlike `{line}`"))
    })?;
    let (root, base) = (root(scene)?, base(scene));
    let search = Search {
        root: &root,
        base,
        skips_hidden,
        // Of folders the links are kept as links; of single files what they lead to.
        follows_links: takes_descendants,
    };
    let (found, outside) = search
        .run(&patterns)
        .map_err(BuiltInError::file("look for files in", base))?;
    for path in outside {
        scene.say(format_args!(
            "`{path}` lies outside of the workspace; nothing of it is kept."
        ));
    }
    Ok((found, patterns))
}

fn keep(parameters: &Parameters, scene: &mut Scene<'_>, key: &str) -> Result<(), BuiltInError> {
    let version = version(parameters, scene)?;
    let (found, _) = search(parameters, scene, "path", (false, false))?;
    let members = members(scene, &found);
    if members.is_empty() {
        scene.say("Nothing is kept: none of the paths is there.");
        return Ok(());
    }
    keep_members(
        scene,
        &scopes(scene.build)[0],
        Kept::new(key, &version),
        (&members, false),
    )
}

/// What is found, without what lies in folders that are found, too.
fn members(scene: &Scene<'_>, found: &[Match]) -> Vec<Member> {
    let base = base(scene).trim_end_matches('/');
    let is_within = |path: &str| {
        let folders = found
            .iter()
            .filter(|other| other.is_folder && other.path != path);
        folders
            .into_iter()
            .any(|other| path.starts_with(&format!("{}/", other.path)))
    };
    let kept = found.iter().filter(|item| !is_within(&item.path));
    let below = kept.map(|item| {
        item.path
            .strip_prefix(base)
            .unwrap_or(&item.path)
            .trim_start_matches('/')
    });
    below
        .map(|path| Member {
            path: path.to_owned(),
            name: path.to_owned(),
            as_file: false,
        })
        .collect()
}

pub(super) fn keep_members(
    scene: &mut Scene<'_>,
    scope: &str,
    kept: Kept,
    (members, replaces): (&[Member], bool),
) -> Result<(), BuiltInError> {
    let store = CacheStore::new(scene.data_folder, &scene.build.repository.slug());
    let root = root(scene)?;
    let interrupt = scene.interrupt;
    let key = kept.key.clone();
    let packed = store
        .keep(
            scope,
            kept,
            &root,
            members,
            (replaces, &|| interrupt.is_triggered()),
        )
        .map_err(BuiltInError::file("write", "the cache"))?;
    match packed {
        Some(packed) => {
            let megabytes = packed.size_bytes.div_ceil(1 << 20);
            scene.say(format_args!(
                "Kept {} files ({megabytes} MiB) under the key `{key}`.",
                packed.files
            ));
        }
        None => scene.say(format_args!(
            "The cache with the key `{key}` is there already; it is not replaced."
        )),
    }
    Ok(())
}
