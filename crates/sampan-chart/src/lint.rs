//! The checks of `helm lint`: of `Chart.yaml`, the values, the templates and what they print, and the dependencies.
//!
//! The rules, their order and their texts are Helm's, so that pipelines go on to understand them. Of what Kubernetes would
//! say of the manifests, only names and deprecated versions are looked at here, as Helm does.

use std::fmt;
use std::path::Path;

use sampan_model::Hint;

use crate::chart::{self, Chart};
use crate::compatibility::Compatibility;
use crate::render::KubeVersion;
use crate::values::{Table, read_table, system_text};

mod addresses;
mod dependencies;
mod deprecations;
mod metadata;
mod names;
mod templates;
mod values;

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It could be better.
    Info,
    /// It is against what is usual, and may work.
    Warning,
    /// It will not work.
    Error,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// How bad it is.
    pub severity: Severity,
    /// The file or folder.
    pub path: String,
    /// What it is.
    pub text: String,
}

/// How a chart is checked.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which Helm to agree with.
    pub compatibility: Compatibility,
    /// The namespace that templates see.
    pub namespace: String,
    /// The version of Kubernetes that templates see, if not the usual one.
    pub kube_version: Option<KubeVersion>,
    /// Whether values are taken as they are, whatever the schemas say.
    pub skip_schemas: bool,
}

/// Why a chart cannot be checked at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no `Chart.yaml`.
    #[error("unable to check Chart.yaml file in chart: stat {0}")]
    NoChart(String),
    /// A package cannot be unpacked.
    #[error("unable to extract tarball: {0}")]
    Package(chart::Error),
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoChart(_) => {
                Some("name a folder with a `Chart.yaml`, or a `.tgz` package".to_owned())
            }
            Self::Package(error) => error.hint(),
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        })
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}: {}", self.severity, self.path, self.text)
    }
}

/// What is looked at, and what was found.
struct Linter<'a> {
    path: &'a Path,
    options: &'a Options,
    chart: Result<Chart, chart::Error>,
    messages: Vec<Message>,
}

/// Checks the chart at a path with the user's values.
///
/// # Errors
/// When there is none.
pub fn lint(path: &Path, values: &Table, options: &Options) -> Result<Vec<Message>, Error> {
    let is_package = path
        .extension()
        .is_some_and(|one| one == "tgz" || one == "gz");
    let chart = Chart::load(path, options.compatibility);
    let chart = match chart {
        Err(problem) if is_package => return Err(Error::Package(problem)),
        chart => chart,
    };
    if !is_package {
        let file = path.join("Chart.yaml");
        if let Err(error) = file.metadata() {
            let text = format!("{}: {}", file.display(), system_text(&error));
            return Err(Error::NoChart(text));
        }
    }
    let mut linter = Linter {
        path,
        options,
        chart,
        messages: Vec::new(),
    };
    linter.metadata();
    linter.values(values);
    linter.templates(values);
    linter.dependencies();
    Ok(linter.messages)
}

impl Linter<'_> {
    fn tell(&mut self, severity: Severity, path: &str, text: impl Into<String>) {
        self.messages.push(Message {
            severity,
            path: path.to_owned(),
            text: text.into(),
        });
    }

    /// Tells what a rule has found, if anything.
    fn rule(&mut self, severity: Severity, path: &str, found: Result<(), String>) -> bool {
        match found {
            Ok(()) => true,
            Err(text) => {
                self.tell(severity, path, text);
                false
            }
        }
    }

    /// A file of the chart as it is there, also when the chart as a whole cannot be loaded.
    fn file(&self, name: &str) -> Option<Vec<u8>> {
        if self.path.is_dir() {
            return chart::folder::read_inside(self.path, name).ok().flatten();
        }
        let chart = self.chart.as_ref().ok()?;
        let file = chart.raw.iter().find(|file| file.name == name)?;
        Some(file.data.to_vec())
    }

    fn table(&self, content: &[u8]) -> Result<Table, String> {
        read_table(content, self.options.compatibility)
    }
}
