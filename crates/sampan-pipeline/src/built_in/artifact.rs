//! `actions/upload-artifact` and `actions/download-artifact`: files that steps of a run leave for others.
//!
//! ```text
//! artifacts/lock            held while an artifact is made
//! artifacts/NUMBER.json     its name and its archives
//! artifacts/NUMBER.K.tar    an archive
//! ```
//!
//! Up to version 3 several steps may add to one artifact; later it is an error.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use sampan_oci::durable;
use serde::{Deserialize, Serialize};

use super::archive::{self, Member, Packed};
use super::cache::{base, root, search};
use super::files::normal;
use super::parameters::Parameters;
use super::pattern::common_folder;
use super::{BuiltInError, Definition};
use crate::glob::{Form, Glob};
use crate::run::{Done, Scene};

/// Keeps files.
pub(super) const UPLOAD: Definition = Definition {
    names: &["actions/upload-artifact"],
    parameters: &[
        "name",
        "path",
        "if-no-files-found",
        "overwrite",
        "include-hidden-files",
        "archive",
    ],
    harmless: &["retention-days", "compression-level"],
    run: upload,
};

/// Brings them into the workspace.
pub(super) const DOWNLOAD: Definition = Definition {
    names: &["actions/download-artifact"],
    parameters: &[
        "name",
        "path",
        "pattern",
        "merge-multiple",
        "artifact-ids",
        "repository",
        "run-id",
        "skip-decompress",
    ],
    harmless: &["github-token", "digest-mismatch"],
    run: download,
};

/// What is known of an artifact.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Artifact {
    name: String,
    /// How many archives it has.
    archives: usize,
    #[serde(skip)]
    number: u64,
}

/// The artifacts of a run.
struct Artifacts {
    folder: PathBuf,
}

impl Artifacts {
    fn of(scene: &Scene<'_>) -> Self {
        Self {
            folder: scene.run_folder.join("artifacts"),
        }
    }

    /// All of them in the order in which they were made.
    fn list(&self) -> io::Result<Vec<Artifact>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut artifacts = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let number = path
                .file_stem()
                .and_then(|stem| stem.to_str()?.parse().ok());
            if let Some(number) = number.filter(|_| {
                path.extension()
                    .is_some_and(|extension| extension == "json")
            }) {
                let artifact: Artifact = serde_json::from_slice(&fs::read(&path)?)?;
                artifacts.push(Artifact { number, ..artifact });
            }
        }
        artifacts.sort_by_key(|artifact| artifact.number);
        // Of one that is being replaced both are there for a moment.
        let newest: BTreeMap<String, u64> = artifacts
            .iter()
            .map(|artifact| (artifact.name.clone(), artifact.number))
            .collect();
        artifacts.retain(|artifact| newest.get(&artifact.name) == Some(&artifact.number));
        Ok(artifacts)
    }

    fn archive(&self, number: u64, index: usize) -> PathBuf {
        self.folder.join(format!("{number}.{index}.tar"))
    }

    fn description(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number}.json"))
    }

    fn remove(&self, artifact: &Artifact) -> io::Result<()> {
        fs::remove_file(self.description(artifact.number))?;
        (0..artifact.archives)
            .try_for_each(|index| fs::remove_file(self.archive(artifact.number, index)))
    }
}

/// What is done when there is an artifact of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existing {
    Refused,
    Replaced,
    AddedTo,
}

fn upload(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    parameters.require_input("path")?;
    let archives = parameters.input_switch("archive", true)?;
    // Before the fourth version hidden files were not left out.
    let is_old = parameters.major().is_some_and(|major| major < 4);
    let skips_hidden = !parameters.input_switch("include-hidden-files", is_old)?;
    let (found, patterns) = search(parameters, scene, "path", (true, skips_hidden))?;
    let files: Vec<&str> = found
        .iter()
        .filter(|found| !found.is_folder)
        .map(|found| found.path.as_str())
        .collect();
    let Some(first) = files.first().copied() else {
        return nothing_found(parameters, scene);
    };
    if !archives && files.len() > 1 {
        return Err(parameters.invalid("archive", "`true` where there are several files"));
    }
    let folder = match patterns.search_paths().as_slice() {
        [single] if files == [single.as_str()] => first
            .rsplit_once('/')
            .map_or("/", |(folder, _)| folder)
            .to_owned(),
        [single] => single.clone(),
        several => common_folder(several),
    };
    let name = match parameters.input("name") {
        _ if !archives => first.rsplit('/').next().unwrap_or(first),
        "" => "artifact",
        name => name,
    };
    check_name(parameters, name)?;
    let base = base(scene).trim_end_matches('/');
    let members: Vec<_> = files
        .iter()
        .map(|path| Member {
            path: path
                .strip_prefix(base)
                .unwrap_or(path)
                .trim_start_matches('/')
                .to_owned(),
            name: path
                .strip_prefix(folder.as_str())
                .unwrap_or(path)
                .trim_start_matches('/')
                .to_owned(),
            as_file: true,
        })
        .collect();
    let existing = match (parameters.input_switch("overwrite", false)?, is_old) {
        (true, _) => Existing::Replaced,
        (false, true) => Existing::AddedTo,
        (false, false) => Existing::Refused,
    };
    let (number, packed) = write(scene, name, &members, existing)?;
    scene.say(format_args!(
        "The artifact `{name}` has {} files.",
        packed.files
    ));
    let mut done = Done::default();
    done.outputs
        .insert("artifact-id".to_owned(), number.to_string());
    done.outputs
        .insert("artifact-digest".to_owned(), packed.digest);
    let path = Artifacts::of(scene).archive(number, 0);
    done.outputs.insert(
        "artifact-url".to_owned(),
        format!("file://{}", path.display()),
    );
    Ok(done)
}

fn nothing_found(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    let paths = parameters.input_lines("path").join("`, `");
    let problem = format!("there are no files under `{paths}`");
    match parameters.input("if-no-files-found") {
        "error" => Err(BuiltInError::Content {
            problem,
            hint: Some("check the paths, which are relative to the source tree".to_owned()),
        }),
        "" | "warn" => {
            scene.say(format_args!("::warning::No artifact is made: {problem}."));
            Ok(Done::default())
        }
        "ignore" => {
            scene.say(format_args!("No artifact is made: {problem}."));
            Ok(Done::default())
        }
        _ => Err(parameters.invalid("if-no-files-found", "`warn`, `error` or `ignore`")),
    }
}

/// Names are those of folders on any machine.
fn check_name(parameters: &Parameters, name: &str) -> Result<(), BuiltInError> {
    if matches!(name, "." | "..")
        || name.contains(['"', ':', '<', '>', '|', '*', '?', '\r', '\n', '\\', '/'])
    {
        return Err(parameters.invalid("name", "a name without `\" : < > | * ? \\ /`"));
    }
    Ok(())
}

fn write(
    scene: &mut Scene<'_>,
    name: &str,
    members: &[Member],
    existing: Existing,
) -> Result<(u64, Packed), BuiltInError> {
    let artifacts = Artifacts::of(scene);
    let failed = || BuiltInError::file("write", format!("the artifact {name}"));
    fs::create_dir_all(&artifacts.folder).map_err(failed())?;
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(artifacts.folder.join("lock"));
    // Jobs write at the same time; it is held to the end.
    let _lock = lock
        .and_then(|lock| lock.lock().map(|()| lock))
        .map_err(failed())?;
    let all = artifacts.list().map_err(failed())?;
    let same = all.iter().find(|artifact| artifact.name == name);
    if same.is_some() && existing == Existing::Refused {
        return Err(BuiltInError::Content {
            problem: format!("there is an artifact with the name `{name}` already"),
            hint: Some("give each its own name, or `overwrite: true`".to_owned()),
        });
    }
    let next = all.last().map_or(1, |artifact| artifact.number + 1);
    let (number, index) = match same {
        Some(same) if existing == Existing::AddedTo => (same.number, same.archives),
        _ => (next, 0),
    };
    let interrupt = scene.interrupt;
    let packed = archive::pack(
        &root(scene)?,
        members,
        &artifacts.archive(number, index),
        &|| interrupt.is_triggered(),
    )
    .map_err(failed())?;
    let artifact = Artifact {
        name: name.to_owned(),
        archives: index + 1,
        number,
    };
    let text = serde_json::to_vec(&artifact)
        .map_err(io::Error::other)
        .map_err(failed())?;
    durable::write(&artifacts.description(number), &text).map_err(failed())?;
    // The one before goes only when the new one is there.
    if let Some(same) = same.filter(|_| existing == Existing::Replaced) {
        artifacts.remove(same).map_err(failed())?;
    }
    Ok((number, packed))
}

fn download(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    let slug = scene.build.repository.slug();
    let repository = parameters.input("repository");
    let run = parameters.input("run-id");
    let is_other_run = !(run.is_empty() || run == scene.build.number.to_string());
    if is_other_run || !(repository.is_empty() || repository.eq_ignore_ascii_case(&slug)) {
        return Err(parameters.unsupported("an artifact of another run", None));
    }
    if parameters.input_switch("skip-decompress", false)? {
        return Err(parameters.unsupported("the parameter `skip-decompress`", None));
    }
    let artifacts = Artifacts::of(scene);
    let all = artifacts
        .list()
        .map_err(BuiltInError::file("read", "the artifacts of the run"))?;
    let wanted = wanted(parameters, all)?;
    let name = parameters.input("name");
    let merges = parameters.input_switch("merge-multiple", false)?;
    // Since the fifth version an artifact that is alone gets no folder of its own.
    let is_alone = wanted.len() == 1 && parameters.major().is_none_or(|major| major >= 5);
    let home = parameters.text(&["HOME"]).unwrap_or("/root");
    let path = match parameters.input("path") {
        "" => ".".to_owned(),
        path => path
            .strip_prefix('~')
            .map_or_else(|| path.to_owned(), |rest| format!("{home}{rest}")),
    };
    let workspace = &scene.stage.workspace;
    let target = normal(&workspace.path, &path);
    let base = base(scene).trim_end_matches('/');
    let below = target
        .strip_prefix(base)
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        .ok_or(BuiltInError::Outside { path })?
        .trim_start_matches('/')
        .to_owned();
    let root = root(scene)?;
    let interrupt = scene.interrupt;
    for artifact in &wanted {
        let folder = if !name.is_empty() || merges || is_alone {
            below.clone()
        } else {
            let folder = format!("{below}/{}", artifact.name);
            folder.trim_start_matches('/').to_owned()
        };
        let mut files = 0;
        for index in 0..artifact.archives {
            let file = File::open(artifacts.archive(artifact.number, index));
            files += file
                .and_then(|file| {
                    archive::unpack(&root, &folder, file, &|| interrupt.is_triggered())
                })
                .map_err(BuiltInError::file(
                    "bring into the workspace",
                    format!("the artifact {}", artifact.name),
                ))?;
        }
        scene.say(format_args!(
            "Brought {files} files of the artifact `{}`.",
            artifact.name
        ));
    }
    let mut done = Done::default();
    done.outputs.insert("download-path".to_owned(), target);
    Ok(done)
}

/// Which artifacts are meant.
fn wanted(parameters: &Parameters, all: Vec<Artifact>) -> Result<Vec<Artifact>, BuiltInError> {
    let name = parameters.input("name");
    let ids = parameters.input_items("artifact-ids");
    if !name.is_empty() {
        if !ids.is_empty() {
            return Err(parameters.invalid("artifact-ids", "absent where there is a `name`"));
        }
        let names: Vec<_> = all.iter().map(|artifact| artifact.name.clone()).collect();
        let found: Vec<_> = all
            .into_iter()
            .filter(|artifact| artifact.name == name)
            .collect();
        if found.is_empty() {
            let nearest = sampan_model::nearest(name, names.iter().map(String::as_str));
            return Err(BuiltInError::Content {
                problem: format!("the run has no artifact with the name `{name}`"),
                hint: nearest.map(|nearest| format!("did you mean `{nearest}`?")),
            });
        }
        return Ok(found);
    }
    if !ids.is_empty() {
        let found: Vec<_> = all
            .into_iter()
            .filter(|artifact| ids.contains(&artifact.number.to_string()))
            .collect();
        if found.is_empty() {
            return Err(parameters.invalid("artifact-ids", "the numbers of artifacts of the run"));
        }
        return Ok(found);
    }
    match parameters.input("pattern") {
        "" => Ok(all),
        pattern => {
            let glob = Glob::new(pattern, Form::Deep)
                .ok_or_else(|| parameters.invalid("pattern", "a pattern"))?;
            Ok(all
                .into_iter()
                .filter(|artifact| glob.matches(&artifact.name))
                .collect())
        }
    }
}
