//! `--output-dir`: a file for each template.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Component, Path};

use sampan_chart::render::{Rendered, Shown};
use serde_json::json;

use crate::context::Context;
use crate::failure::{Failure, OrFail as _};

/// Writes what was rendered below `folder`, or below the folder `release` in it; several documents of a template go into
/// one file, behind each other. Definitions of custom resources have no release, as with Helm.
pub(super) fn write(
    context: &Context,
    folder: &Path,
    release: Option<&str>,
    rendered: &Rendered,
    shown: &Shown,
) -> Result<(), Failure> {
    let of_release = release.map_or_else(|| folder.to_owned(), |name| folder.join(name));
    let crds: BTreeSet<&str> = rendered.crds.iter().map(|crd| crd.path.as_str()).collect();
    let mut written = BTreeSet::new();
    let mut files = Vec::new();
    for (path, text) in rendered.output_files(shown) {
        let base = if crds.contains(path) {
            folder
        } else {
            &of_release
        };
        let target = below(base, path)?;
        let failed = || format!("cannot write `{}`", target.display());
        fs::create_dir_all(target.parent().unwrap_or(base)).or_fail(failed())?;
        let is_new = written.insert(target.clone());
        let mut file = File::options()
            .create(true)
            .write(true)
            .truncate(is_new)
            .append(!is_new)
            .open(&target)
            .or_fail(failed())?;
        file.write_all(&text).or_fail(failed())?;
        if !context.json() {
            context.ui().line(format!("wrote {}", target.display()))?;
        } else if is_new {
            files.push(json!({"source": path, "path": target}));
        }
    }
    if context.json() {
        context.ui().json(&files)?;
    }
    Ok(())
}

/// The place of a file of the chart, whose names come from the chart and must not lead elsewhere.
fn below(folder: &Path, path: &str) -> Result<std::path::PathBuf, Failure> {
    let inside = Path::new(path)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if inside {
        Ok(folder.join(path))
    } else {
        Err(Failure::new(format!(
            "the chart has a file `{path}`, which would lie elsewhere"
        )))
    }
}
