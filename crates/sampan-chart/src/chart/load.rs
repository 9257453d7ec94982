//! Putting a chart together from its files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::folder::Walk;
use super::limits::Limits;
use super::metadata::{LOCK, METADATA};
use super::shape::{Fields, Record};
use super::{Chart, Error, File, Lock, Metadata, archive};
use crate::compatibility::Compatibility;
use crate::values::{read_table, system_text};

/// Loads a chart and the charts in it, within one allowance.
pub(super) struct Loader {
    compatibility: Compatibility,
    limits: Limits,
    warnings: Vec<String>,
}

/// The files of a chart, sorted out while they are read.
struct Parts {
    chart: Chart,
    metadata: Fields,
    has_metadata: bool,
    /// The files below `charts`, by the first part of their paths there.
    subcharts: BTreeMap<String, Vec<File>>,
}

impl Loader {
    pub(super) fn new(compatibility: Compatibility) -> Self {
        Self {
            compatibility,
            limits: Limits::new(),
            warnings: Vec::new(),
        }
    }

    pub(super) fn path(mut self, path: &Path) -> Result<Chart, Error> {
        let shown = path.display().to_string();
        let failed = |operation, error: &std::io::Error| {
            Error::Read(format!("{operation} {shown}: {}", system_text(error)))
        };
        let metadata = fs::metadata(path).map_err(|error| failed("stat", &error))?;
        if metadata.is_dir() {
            self.detect(path)?;
            let files = Walk::run(path, &mut self.limits, &mut self.warnings)?;
            return self.files(files);
        }
        if metadata.len() > Limits::ARCHIVE_BYTES {
            return Err(Limits::large_archive(self.compatibility));
        }
        let content = fs::read(path).map_err(|error| failed("open", &error))?;
        archive::check(&shown, &content)?;
        self.archive(&content)
    }

    /// Helm 4 looks for the file before it looks at the folder.
    fn detect(&self, folder: &Path) -> Result<(), Error> {
        let file = folder.join("Chart.yaml");
        match fs::metadata(&file) {
            Err(error) if self.compatibility == Compatibility::Helm4 => {
                let (shown, text) = (file.display(), system_text(&error));
                Err(Error::Read(format!(
                    "unable to detect chart at {shown}: open {shown}: {text}"
                )))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn archive(mut self, content: &[u8]) -> Result<Chart, Error> {
        let files = archive::unpack(content, &mut self.limits, self.compatibility)?;
        self.files(files)
    }

    pub(super) fn files(mut self, files: Vec<File>) -> Result<Chart, Error> {
        let mut chart = self.chart(files)?;
        chart.warnings = self.warnings;
        Ok(chart)
    }

    fn chart(&mut self, files: Vec<File>) -> Result<Chart, Error> {
        self.limits.enter()?;
        let mut parts = Parts {
            chart: Chart::default(),
            metadata: Fields::default(),
            has_metadata: false,
            subcharts: BTreeMap::new(),
        };
        for file in files.iter().filter(|file| file.name == "Chart.yaml") {
            self.fields(&mut parts.metadata, &METADATA, file, "Chart.yaml")?;
            if parts.metadata.text("apiVersion").is_empty() {
                parts.metadata.set_text("apiVersion", "v1");
            }
            parts.has_metadata = true;
        }
        for file in &files {
            self.sort(file, &mut parts)?;
        }
        let Parts {
            mut chart,
            metadata,
            has_metadata,
            subcharts,
        } = parts;
        if !has_metadata {
            return Err(Error::NoMetadata);
        }
        chart.metadata =
            Metadata::from_fields(&metadata, self.compatibility == Compatibility::Helm4)?;
        self.check_form(&chart.metadata)?;
        for (name, files) in subcharts {
            if name.starts_with(['_', '.']) {
                continue;
            }
            let subchart = self.subchart(&name, files, chart.name())?;
            chart.dependencies.push(subchart);
        }
        chart.raw = files;
        self.limits.leave();
        Ok(chart)
    }

    /// Helm 4 looks at the form of the chart, Helm 3 takes any.
    fn check_form(&self, metadata: &Metadata) -> Result<(), Error> {
        match (self.compatibility, metadata.api_version.as_str()) {
            (Compatibility::Helm3, _) | (_, "v1" | "v2") => Ok(()),
            (_, "v3") => Err(Error::ApiVersion("invalid chart apiVersion")),
            _ => Err(Error::ApiVersion("unsupported chart version")),
        }
    }

    fn sort(&mut self, file: &File, parts: &mut Parts) -> Result<(), Error> {
        let chart = &mut parts.chart;
        match file.name.as_str() {
            "Chart.yaml" => {}
            "Chart.lock" => chart.lock = Some(self.lock(file, "Chart.lock")?),
            "values.yaml" => {
                let values = read_table(&file.data, self.compatibility);
                let values = values.map_err(|problem| Error::File {
                    file: "values.yaml",
                    problem,
                })?;
                chart.values = Arc::new(values);
            }
            "values.schema.json" => chart.schema = Some(Arc::clone(&file.data)),
            "requirements.yaml" => {
                parts.has_metadata = true;
                let old = self.is_old(
                    &parts.metadata,
                    "Dependencies are handled",
                    "dependencies to Chart.yaml",
                );
                self.fields(&mut parts.metadata, &METADATA, file, "requirements.yaml")?;
                if old {
                    parts.chart.files.push(file.clone());
                }
            }
            "requirements.lock" => {
                chart.lock = Some(self.lock(file, "requirements.lock")?);
                parts.has_metadata = true;
                if self.is_old(
                    &parts.metadata,
                    "Dependency locking is handled",
                    "to Chart.lock",
                ) {
                    parts.chart.files.push(file.clone());
                }
            }
            name if name.starts_with("templates/") => chart.templates.push(file.clone()),
            name => match name.strip_prefix("charts/") {
                Some(below) if !has_extension(name, "prov") => {
                    let first = below.split('/').next().unwrap_or(below).to_owned();
                    let file = File {
                        name: below.to_owned(),
                        data: Arc::clone(&file.data),
                    };
                    parts.subcharts.entry(first).or_default().push(file);
                }
                _ => chart.files.push(file.clone()),
            },
        }
        Ok(())
    }

    /// Whether the chart has the form `v1`, which keeps its dependencies in files of their own.
    fn is_old(&mut self, metadata: &Fields, what: &str, migrate: &str) -> bool {
        let old = metadata.text("apiVersion") == "v1";
        if !old {
            let place = if what.starts_with("Dependencies") {
                "Chart.yaml"
            } else {
                "Chart.lock"
            };
            let since = format!("{what} in {place} since apiVersion \"v2\".");
            self.warnings.push(format!(
                "Warning: {since} We recommend migrating {migrate}."
            ));
        }
        old
    }

    fn lock(&self, file: &File, name: &'static str) -> Result<Lock, Error> {
        let mut fields = Fields::default();
        self.fields(&mut fields, &LOCK, file, name)?;
        Ok(Lock::from_fields(&fields))
    }

    fn fields(
        &self,
        fields: &mut Fields,
        record: &'static Record,
        file: &File,
        name: &'static str,
    ) -> Result<(), Error> {
        let read = fields.read(&file.data, record, self.compatibility);
        read.map_err(|problem| Error::File {
            file: name,
            problem,
        })
    }

    fn subchart(&mut self, name: &str, mut files: Vec<File>, chart: &str) -> Result<Chart, Error> {
        let loaded = if has_extension(name, "tgz") {
            let Some(archive) = files.first().filter(|file| file.name == name) else {
                let found = files
                    .first()
                    .map(|file| file.name.clone())
                    .unwrap_or_default();
                let (chart, expected) = (chart.to_owned(), name.to_owned());
                return Err(Error::SubchartFolder {
                    chart,
                    expected,
                    found,
                });
            };
            archive::unpack(&archive.data, &mut self.limits, self.compatibility)
                .and_then(|files| self.chart(files))
        } else {
            files.retain_mut(|file| match file.name.split_once('/') {
                Some((_, inside)) => {
                    file.name = inside.to_owned();
                    true
                }
                None => false,
            });
            self.chart(files)
        };
        loaded.map_err(|problem| Error::Subchart {
            subchart: name.to_owned(),
            chart: chart.to_owned(),
            problem: Box::new(problem),
        })
    }
}

fn has_extension(name: &str, wanted: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, extension)| extension == wanted)
}
