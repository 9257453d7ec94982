//! How the dependencies of a chart are, as `helm dependency list` says it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::chart::{Chart, Dependency};
use crate::compatibility::Compatibility;
use crate::version::Version;
use crate::version::constraint::Constraint;

/// A dependency, and how it is.
#[derive(Debug, Clone)]
pub struct Status {
    /// The name.
    pub name: String,
    /// The constraint on its version.
    pub version: String,
    /// Where it comes from.
    pub repository: String,
    /// `ok` for a package, `unpacked` for a folder, or what is wrong.
    pub status: &'static str,
}

/// The dependencies of a chart at a path, and what else lies in its `charts` folder.
#[must_use]
pub fn statuses(
    path: &Path,
    chart: &Chart,
    compatibility: Compatibility,
) -> (Vec<Status>, Vec<String>) {
    let charts = path.join("charts");
    let wanted: Vec<&Dependency> = chart.metadata.dependencies.iter().flatten().collect();
    let found = files(&charts);
    let statuses = wanted.iter().map(|one| Status {
        name: one.name.clone(),
        version: one.version.clone(),
        repository: one.repository.clone(),
        status: status(one, chart, &found, compatibility),
    });
    let mut warnings = Vec::new();
    for path in &found {
        match Chart::load(path, compatibility) {
            Err(_) => warnings.push(format!("{:?} is not a chart.", path.display().to_string())),
            Ok(chart) if !wanted.iter().any(|one| one.name == chart.name()) => {
                warnings.push(format!(
                    "{:?} is not in Chart.yaml.",
                    path.display().to_string()
                ));
            }
            Ok(_) => {}
        }
    }
    (statuses.collect(), warnings)
}

/// Folders and packages, in the order of their names.
fn files(charts: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(charts).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir() || is_package(path))
        .collect();
    files.sort();
    files
}

fn is_package(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tgz")
}

fn status(
    one: &Dependency,
    parent: &Chart,
    found: &[PathBuf],
    compatibility: Compatibility,
) -> &'static str {
    let version_of = |path: &&PathBuf| {
        let name = path.file_name()?.to_str()?;
        let rest = name.strip_prefix(&one.name)?.strip_prefix('-')?;
        rest.strip_suffix(".tgz").map(str::to_owned)
    };
    let mut packages: Vec<&PathBuf> = found
        .iter()
        .filter(|path| version_of(path).is_some())
        .collect();
    if packages.len() > 1 {
        // Other charts may have longer names that begin the same way.
        packages.retain(|path| {
            version_of(path).is_some_and(|version| Version::parse(&version).is_ok())
        });
    }
    match packages[..] {
        [package] => return status_of_package(package, one, compatibility),
        [] => {}
        _ => return "too many matches",
    }
    match parent
        .dependencies
        .iter()
        .rfind(|chart| chart.name() == one.name)
    {
        None => "missing",
        Some(chart) => version_problem(one, &chart.metadata.version).unwrap_or("unpacked"),
    }
}

fn status_of_package(
    package: &Path,
    one: &Dependency,
    compatibility: Compatibility,
) -> &'static str {
    match Chart::load(package, compatibility) {
        Err(_) => "corrupt",
        Ok(chart) if chart.name() != one.name => "misnamed",
        Ok(chart) => version_problem(one, &chart.metadata.version).unwrap_or("ok"),
    }
}

fn version_problem(one: &Dependency, version: &str) -> Option<&'static str> {
    if version == one.version {
        return None;
    }
    match (Constraint::parse(&one.version), Version::parse(version)) {
        (Ok(constraint), Ok(version)) if constraint.allows(&version) => None,
        (Ok(_), Ok(_)) => Some("wrong version"),
        _ => Some("invalid version"),
    }
}
