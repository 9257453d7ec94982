//! The source tree of an app: `sampan.yaml`, and all that its manifests name.

use std::fs;
use std::path::{Path, PathBuf};

use sampan_chart::chart::{Chart, check_present};
use sampan_chart::kustomize;
use sampan_chart::package;
use sampan_chart::repository::PACKAGE_LIMIT_BYTES;
use sampan_deploy::ManifestFile;
use sampan_model::Hint;
use sampan_model::app::{self, App, AppFile, EnvironmentName, FILE_NAME, Pattern, Source, Values};
use sampan_model::yaml::Location;

use crate::failure::{Failure, OrFail as _};
use crate::wiring::HELM;

mod rendering;

/// An app with all that its manifests name.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) folder: PathBuf,
    pub(crate) file: AppFile,
    /// The plain manifests, in the order of their paths.
    pub(crate) manifests: Vec<ManifestFile>,
    pub(crate) charts: Vec<LoadedChart>,
    kustomizations: Vec<LoadedKustomization>,
}

/// A chart of an app.
#[derive(Debug)]
pub(crate) struct LoadedChart {
    /// What the app says of it.
    pub(crate) source: app::Chart,
    /// Where it does.
    pub(crate) location: Location,
    pub(crate) chart: Chart,
    /// The chart packed: the same bytes for the same files.
    pub(crate) package: Vec<u8>,
    pub(crate) values_files: Vec<ManifestFile>,
}

/// A kustomization of an app, as it stands.
#[derive(Debug)]
struct LoadedKustomization {
    source: app::Kustomization,
    location: Location,
}

/// A way to fill an app: with the values of an environment, or where there is none with the defaults.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) environment: Option<EnvironmentName>,
    pub(crate) namespace: String,
    pub(crate) values: Values,
}

impl Tree {
    /// Reads an app and all that it names.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let file = read_file(folder)?;
        let manifests = read_manifests(folder, &file)?;
        let (mut charts, mut kustomizations) = (Vec::new(), Vec::new());
        for (number, source) in file.app.manifests.iter().enumerate() {
            let place = format!("manifests.{number}");
            match source {
                Source::Files(_) => {}
                Source::Chart(chart) => {
                    charts.push(LoadedChart::read(folder, &file, &place, chart)?);
                }
                Source::Kustomization(source) => kustomizations.push(LoadedKustomization {
                    source: source.clone(),
                    location: file.locate(&format!("{place}.kustomization")),
                }),
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            file,
            manifests,
            charts,
            kustomizations,
        })
    }

    /// What the file says.
    pub(crate) fn app(&self) -> &App {
        &self.file.app
    }

    /// One for each environment, or for the one that is wanted; one with the defaults where the app has none.
    pub(crate) fn variants(&self, only: Option<&str>) -> Result<Vec<Variant>, Failure> {
        let app = self.app();
        let environments = app.environments.iter();
        let wanted = environments.filter(|(name, _)| only.is_none_or(|only| only == name.as_str()));
        let mut variants: Vec<_> = wanted
            .map(|(name, environment)| {
                let namespace = app.namespace_of(environment);
                Variant {
                    environment: Some(name.clone()),
                    namespace: namespace.to_owned(),
                    values: app.values_of(name, environment, namespace),
                }
            })
            .collect();
        if variants.is_empty() {
            if let Some(only) = only {
                let failure = Failure::new(format!(
                    "the app `{}` has no environment `{only}`",
                    app.name
                ));
                return Err(failure.with_hint("environments stand in sampan.yaml"));
            }
            variants.push(Variant {
                environment: None,
                namespace: app.name.to_string(),
                values: app.declared_values(),
            });
        }
        Ok(variants)
    }

    /// The folders of the kustomizations of a variant, with what they are rendered to.
    pub(crate) fn kustomized(&self, variant: &Variant) -> Result<Vec<(String, String)>, Failure> {
        let kustomizations = self.kustomizations.iter();
        let rendered = kustomizations.map(|kustomization| {
            let location = &kustomization.location;
            let folder = kustomization.source.folder(&variant.values);
            let folder = folder.map_err(|error| failed(location, &error, error.hint()))?;
            let resources = kustomize::build(&self.folder.join(&folder))
                .and_then(|resources| kustomize::text(&resources));
            let text = resources.map_err(|error| {
                let problem = format!("the kustomization `{folder}` cannot be rendered: {error}");
                failed(location, &problem, error.hint())
            })?;
            Ok((folder, String::from_utf8_lossy(&text).into_owned()))
        });
        rendered.collect()
    }
}

impl LoadedChart {
    fn read(
        folder: &Path,
        file: &AppFile,
        place: &str,
        source: &app::Chart,
    ) -> Result<Self, Failure> {
        let location = file.locate(&format!("{place}.chart"));
        let shown = &source.chart;
        let path = folder.join(shown);
        let unreadable = |problem: &dyn std::fmt::Display, hint| {
            let problem = format!("the chart `{shown}` cannot be read: {problem}");
            failed(&location, &problem, hint)
        };
        let chart = Chart::load(&path, HELM);
        let chart = chart.map_err(|error| unreadable(&error, error.hint()))?;
        check_present(&chart, HELM).map_err(|error| {
            let advice = format!("run `sampan chart dependency update {}`", path.display());
            unreadable(&error, Some(advice))
        })?;
        let package = if path.is_dir() {
            package::pack(&chart).map_err(|error| unreadable(&error, error.hint()))?
        } else {
            fs::read(&path).map_err(|error| unreadable(&error, None))?
        };
        if package.len() > PACKAGE_LIMIT_BYTES {
            let problem = format!("it has more than {} MiB", PACKAGE_LIMIT_BYTES >> 20);
            return Err(unreadable(&problem, None));
        }
        let files = source.values_files.iter().enumerate();
        let files = files.map(|(number, path)| {
            let text = fs::read_to_string(folder.join(path)).map_err(|error| {
                let location = file.locate(&format!("{place}.valuesFiles.{number}"));
                failed(&location, &format!("cannot read `{path}`: {error}"), None)
            })?;
            Ok(ManifestFile {
                path: path.clone(),
                text,
            })
        });
        Ok(Self {
            source: source.clone(),
            location: location.clone(),
            values_files: files.collect::<Result<_, Failure>>()?,
            chart,
            package,
        })
    }
}

fn failed(location: &Location, problem: &dyn std::fmt::Display, hint: Option<String>) -> Failure {
    let failure = Failure::new(format!("{location}: {problem}"));
    match hint {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}

fn read_file(folder: &Path) -> Result<AppFile, Failure> {
    let path = folder.join(FILE_NAME);
    let text = fs::read_to_string(&path)
        .or_fail(format!("cannot read `{}`", path.display()))
        .map_err(|failure| {
            let hint = "give the folder that holds the app's sampan.yaml";
            failure.with_hint(hint).of_named()
        })?;
    Ok(AppFile::parse(&path.display().to_string(), &text)?)
}

/// The files that the patterns of `sampan.yaml` meet, in the order of their paths.
fn read_manifests(folder: &Path, file: &AppFile) -> Result<Vec<ManifestFile>, Failure> {
    let mut paths = Vec::new();
    list(folder, "", &mut paths)?;
    paths.sort();
    for (number, source) in file.app.manifests.iter().enumerate() {
        if let Some(pattern) = source.files()
            && !paths.iter().any(|path| pattern.matches(path))
        {
            let location = file.locate(&format!("manifests.{number}"));
            return Err(no_manifest(pattern, &location.to_string()));
        }
    }
    paths.retain(|path| file.app.has_manifest(path));
    let read = |path: String| {
        let text = fs::read_to_string(folder.join(&path))
            .or_fail(format!("cannot read `{}`", folder.join(&path).display()))?;
        Ok(ManifestFile { path, text })
    };
    paths.into_iter().map(read).collect()
}

fn no_manifest(pattern: &Pattern, location: &str) -> Failure {
    let text = match pattern.literal() {
        Some(path) => format!("{location}: there is no file `{path}`"),
        None => format!("{location}: no file is met by `{}`", pattern.as_str()),
    };
    Failure::new(text).with_hint("paths are relative to the folder of sampan.yaml")
}

/// All files below `folder`, by relative path. Links to directories are not followed.
fn list(folder: &Path, prefix: &str, paths: &mut Vec<String>) -> Result<(), Failure> {
    let directory = folder.join(prefix);
    let failed = format!("cannot list `{}`", directory.display());
    for entry in fs::read_dir(&directory).or_fail(&failed)? {
        let entry = entry.or_fail(&failed)?;
        // Patterns are text; a name that is none is met by no pattern.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let history = name == ".git";
        let path = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}/{name}")
        };
        let kind = entry.file_type().or_fail(&failed)?;
        if kind.is_dir() && !history {
            list(folder, &path, paths)?;
        } else if !kind.is_dir() {
            paths.push(path);
        }
    }
    Ok(())
}
