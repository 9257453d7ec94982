//! Charts: loaded from folders and archives, with everything that is in them.

use std::path::Path;
use std::sync::Arc;

use crate::compatibility::Compatibility;
use crate::values::Table;

mod archive;
mod compatible;
mod dependencies;
mod error;
pub(crate) mod folder;
mod ignore;
mod limits;
mod load;
mod metadata;
mod pattern;
pub(crate) mod shape;
pub(crate) mod written;

pub use compatible::is_compatible;
pub use dependencies::check_present;
pub(crate) use dependencies::process;
pub use error::Error;
pub use metadata::{Dependency, Lock, Maintainer, Metadata};
pub(crate) use pattern::Pattern;

/// A file of a chart. Its content is shared by all copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The path in the chart, with slashes.
    pub name: String,
    /// The content, without a mark of its byte order.
    pub data: Arc<[u8]>,
}

/// A chart with the charts in it. Copies are cheap: contents are shared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chart {
    /// What it says of itself.
    pub metadata: Metadata,
    /// The versions of dependencies that were chosen.
    pub lock: Option<Lock>,
    /// The default values.
    pub values: Arc<Table>,
    /// `values.schema.json`
    pub schema: Option<Arc<[u8]>>,
    /// The files below `templates`.
    pub templates: Vec<File>,
    /// The other files, except those that are read into fields of their own and those below `charts`.
    pub files: Vec<File>,
    /// All files as they were found, for showing and packing them.
    pub raw: Vec<File>,
    /// The charts below `charts`.
    pub dependencies: Vec<Self>,
    /// The name that stands in the paths of the charts in it, where that is not its own: Helm 3 does not tell them of
    /// an alias unless `Chart.yaml` names dependencies.
    pub(crate) name_in_paths: Option<String>,
    /// What Helm would have logged while it loaded the chart.
    pub warnings: Vec<String>,
}

/// A file with definitions of custom resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crd {
    /// The path from the outermost chart on.
    pub path: String,
    /// The file.
    pub file: File,
}

impl Chart {
    /// Loads a chart from a folder or an archive.
    ///
    /// # Errors
    /// What is wrong with it, in Helm's words.
    pub fn load(path: &Path, compatibility: Compatibility) -> Result<Self, Error> {
        load::Loader::new(compatibility).path(path)
    }

    /// Loads a chart from the content of an archive.
    ///
    /// # Errors
    /// What is wrong with it, in Helm's words.
    pub fn from_archive(archive: &[u8], compatibility: Compatibility) -> Result<Self, Error> {
        load::Loader::new(compatibility).archive(archive)
    }

    /// Makes a chart of files with paths relative to it.
    ///
    /// # Errors
    /// What is wrong with it, in Helm's words.
    pub fn from_files(files: Vec<File>, compatibility: Compatibility) -> Result<Self, Error> {
        load::Loader::new(compatibility).files(files)
    }

    /// The chart without the charts in it that values switch off, and with the values that the others hand up.
    ///
    /// # Errors
    /// Why its parts cannot be put together, in Helm's words.
    pub fn enabled(&self, values: &Table, compatibility: Compatibility) -> Result<Self, Error> {
        crate::render::on_large_stack(|| {
            let mut chart = self.clone();
            check_present(&chart, compatibility)?;
            process(&mut chart, values, compatibility, &mut Vec::new())?;
            Ok(chart)
        })?
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// The definitions of custom resources below `crds`, of this chart and those in it.
    #[must_use]
    pub fn crds(&self) -> Vec<Crd> {
        let mut crds = Vec::new();
        self.push_crds(self.name(), &mut crds);
        crds
    }

    fn push_crds(&self, path: &str, crds: &mut Vec<Crd>) {
        for file in &self.files {
            let extension = file
                .name
                .rsplit_once('.')
                .map_or("", |(_, extension)| extension);
            let is_manifest = ["yaml", "yml", "json"]
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known));
            if file.name.starts_with("crds/") && is_manifest {
                let path = format!("{path}/{}", file.name);
                crds.push(Crd {
                    path,
                    file: file.clone(),
                });
            }
        }
        for chart in &self.dependencies {
            chart.push_crds(&self.path_of(path, chart), crds);
        }
    }

    /// The path of a chart in this one, which has a path itself.
    pub(crate) fn path_of(&self, path: &str, chart: &Self) -> String {
        let own = match (&self.name_in_paths, path.rsplit_once('/')) {
            (Some(name), Some((before, _))) => format!("{before}/{name}"),
            _ => path.to_owned(),
        };
        format!("{own}/charts/{}", chart.name())
    }
}
