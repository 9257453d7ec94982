//! The quality gate of a working tree: the results that steps leave in files, and whether they are good enough.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sampan_model::app::{FILE_NAME, Quality};
use sampan_pipeline::build::Build;
use sampan_pipeline::gate::{self, Baseline, Baselines, Before, Changes, Judgement};
use sampan_pipeline::plan::End;
use sampan_pipeline::results::{Format, LIMIT_BYTES, Results};
use sampan_pipeline::run::{Outcome, StageOutcome};

use super::tree::Tree;
use crate::context::Context;
use crate::failure::{Failure, OrFail as _};

/// As many files are looked at in search of results.
const LIMIT_FILES: usize = 200_000;

/// What the results of a pipeline must be.
pub(super) struct Gate {
    quality: Quality,
}

impl Gate {
    /// What `sampan.yaml` at the root of the tree says, where it says something.
    pub(super) fn read(tree: &Tree) -> Result<Option<Self>, Failure> {
        let path = tree.root().join(FILE_NAME);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).or_fail(format!("cannot read `{}`", path.display())),
        };
        let quality = Quality::parse(FILE_NAME, &text)?;
        Ok(quality.map(|quality| Self { quality }))
    }

    /// Collects the results that the stages have left, and judges them. A stage that was planned while the run went on
    /// counts as all others do, and one that ended in an earlier run, with which this one goes on, as it did there.
    pub(super) fn judge(
        &self,
        outcome: &mut Outcome,
        runs: &[PathBuf],
        (tree, build): (&Tree, &Build),
        context: &Context,
    ) -> Result<Judgement, Failure> {
        for stage in &outcome.stages {
            let mut workspaces = runs.iter().map(|run| workspace(run, stage));
            let Some(workspace) = workspaces.find(|folder| folder.is_dir()) else {
                continue;
            };
            let Some(folder) = sources(&workspace, stage) else {
                continue;
            };
            for path in self.reports(&folder) {
                match results(&folder, &path) {
                    Ok(results) => outcome.results.add(results),
                    Err(problem) => context.ui().warn(format!("{}/{path}: {problem}", stage.id)),
                }
            }
        }
        let baselines = Baselines::new(context.data());
        let baseline = baselines.find(build)?;
        let changes = changes(tree, build)?;
        let before = Before {
            baseline: baseline.as_ref(),
            changes: changes.as_ref(),
        };
        let judgement = gate::judge(&self.quality, &outcome.results, before);
        if Baselines::is_kept(build) && outcome.end == Some(End::Success) && judgement.passed {
            let project = build.repository.slug();
            baselines.write(&project, &Baseline::new(&outcome.results, build))?;
        }
        Ok(judgement)
    }

    /// The files with results, by their paths in the source tree.
    fn reports(&self, folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        let mut left = LIMIT_FILES;
        let mut folders = vec![PathBuf::new()];
        while let Some(below) = folders.pop() {
            let Ok(entries) = fs::read_dir(folder.join(&below)) else {
                continue;
            };
            for entry in entries.flatten() {
                left = left.saturating_sub(1);
                if left == 0 {
                    return found;
                }
                let path = below.join(entry.file_name());
                // What is a link may lead anywhere.
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() && entry.file_name() != ".git" => folders.push(path),
                    Ok(kind) if kind.is_file() => {
                        let name = path.to_string_lossy().into_owned();
                        let mut patterns = self.quality.reports.iter();
                        if patterns.any(|pattern| pattern.matches(&name)) {
                            found.push(name);
                        }
                    }
                    _ => {}
                }
            }
        }
        found.sort();
        found
    }
}

/// Where a run has the workspace of a stage.
fn workspace(run: &Path, stage: &StageOutcome) -> PathBuf {
    run.join("stages").join(&stage.folder).join("workspace")
}

/// Where the sources of a stage lie on the machine; `None` when a step has put a link out of the workspace there.
fn sources(workspace: &Path, stage: &StageOutcome) -> Option<PathBuf> {
    let base = workspace.canonicalize().ok()?;
    let folder = base.join(&stage.sources).canonicalize().ok()?;
    folder.starts_with(&base).then_some(folder)
}

fn results(folder: &Path, path: &str) -> Result<Results, String> {
    let mut bytes = Vec::new();
    let limit = LIMIT_BYTES as u64 + 1;
    File::open(folder.join(path))
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    let format = Format::of(&bytes).ok_or("it is of no format with results that is known")?;
    Results::read(format, &bytes).map_err(|error| error.to_string())
}

/// The lines that the change has touched, where the event is about one.
fn changes(tree: &Tree, build: &Build) -> Result<Option<Changes>, Failure> {
    let (Some(git), Some(_)) = (tree.git(), &build.changed_files) else {
        return Ok(None);
    };
    let base = if build.event.is_pull_request() {
        git.merge_base(&build.commit.branch, "HEAD")?
    } else {
        Some(build.commit.before.clone()).filter(|before| !before.is_empty())
    };
    match base {
        None => Ok(None),
        Some(base) => Ok(Some(Changes::of_diff(&git.diff_since(&base)?))),
    }
}
