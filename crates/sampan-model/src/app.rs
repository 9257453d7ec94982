//! `sampan.yaml`: what an app consists of, as its developers write it.
//!
//! ```yaml
//! apiVersion: sampan/v1
//! kind: App
//! name: guestbook
//! version: 1.0.0
//! images:
//!   - name: guestbook-web          # the name by which manifests use it
//!     context: web                 # a folder with a Dockerfile
//! manifests:
//!   - kubernetes/*.yaml            # may hold ${replicas}
//!   - chart: charts/search         # a Helm chart; environments give its values below its name
//!     name: search
//!   - kustomization: overlays/${app.environment}
//! values:                          # every value that manifests and checks may use, with its default
//!   replicas: 1
//!   host: null                     # no default: each environment must give it
//! environments:
//!   prod:
//!     values: {replicas: 3, host: guestbook.example}
//! checks:
//!   - name: page
//!     url: http://${host}/
//!     expect: {text: Guestbook}
//! quality:                         # what pipelines must find; see `quality`
//!   coverage: {atLeast: 80%}
//! ```
//!
//! The text is parsed once, by [`AppFile::parse`], into [`App`]; an `App` travels in a release as JSON. Nothing here
//! opens files: whether contexts and manifests exist is checked by who uses them, with [`AppFile::locate`] for messages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::yaml::{self, Content, Location, Node};
use crate::{AppName, Version};

mod check;
mod environment;
mod error;
mod fields;
mod image;
mod pattern;
mod quality;
mod read;
mod source;
mod template;
mod values;

pub use check::{Address, Check, Expect, Method};
pub use environment::{Environment, EnvironmentName, InvalidEnvironmentName, Target};
pub use error::AppError;
pub use image::Image;
pub use pattern::{Pattern, PatternError};
pub use quality::{CoverageRule, FindingsRule, Percent, Quality, Severity, TestsRule};
pub use source::{Chart, ChartValueError, Kustomization, Source};
pub use template::{Piece, Template, TemplateError};
pub use values::{ValueError, Values};

/// The `apiVersion` of the format that this program writes and reads.
pub const API_VERSION: &str = "sampan/v1";

/// The usual name of the file.
pub const FILE_NAME: &str = "sampan.yaml";

/// Something delivered as one: images, manifests, values, environments and checks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct App {
    /// The app's name.
    pub name: AppName,
    /// The version that the source tree holds.
    pub version: Version,
    /// One line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The images that are built from the source tree.
    #[serde(default)]
    pub images: Vec<Image>,
    /// Where the Kubernetes objects come from.
    pub manifests: Vec<Source>,
    /// Every value that manifests and checks may use, with its default; `null` where there is none.
    #[serde(default)]
    pub values: Values,
    /// Where the app runs.
    #[serde(default)]
    pub environments: BTreeMap<EnvironmentName, Environment>,
    /// What must hold after each rollout.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// What the results of the source tree's pipelines must be; no part of a release.
    #[serde(skip)]
    pub quality: Option<Quality>,
}

impl App {
    /// The namespace of an environment: its own, or one named after the app.
    #[must_use]
    pub fn namespace_of<'a>(&'a self, environment: &'a Environment) -> &'a str {
        environment
            .namespace
            .as_deref()
            .unwrap_or(self.name.as_str())
    }

    /// All names that manifests and checks may use: the declared values and `app.name`, `app.version`,
    /// `app.environment` and `app.namespace`.
    #[must_use]
    pub fn declared_values(&self) -> Values {
        let builtin = json!({"name": self.name, "version": self.version, "environment": null, "namespace": null});
        self.values.clone().with("app", builtin)
    }

    /// The values of an environment: the app's defaults, overridden by the environment's own, and the `app.…` names.
    #[must_use]
    pub fn values_of(
        &self,
        name: &EnvironmentName,
        environment: &Environment,
        namespace: &str,
    ) -> Values {
        let mut values = self.values.clone();
        values.merge(&environment.values);
        let builtin = json!({"name": self.name, "version": self.version, "environment": name, "namespace": namespace});
        values.with("app", builtin)
    }

    /// The charts among the manifests.
    pub fn charts(&self) -> impl Iterator<Item = &Chart> {
        self.manifests.iter().filter_map(Source::chart)
    }

    /// Whether a file is among the plain manifests. What belongs to a chart never is, however wide a pattern is.
    #[must_use]
    pub fn has_manifest(&self, path: &str) -> bool {
        let mut patterns = self.manifests.iter().filter_map(Source::files);
        let of_chart = |chart: &Chart| {
            let inside = path.strip_prefix(&chart.chart);
            inside.is_some_and(|rest| rest.starts_with('/'))
                || chart.values_files.iter().any(|file| file == path)
        };
        patterns.any(|pattern| pattern.matches(path)) && !self.charts().any(of_chart)
    }

    /// The image that manifests call `name`, without tag or digest.
    #[must_use]
    pub fn image(&self, name: &str) -> Option<&Image> {
        self.images.iter().find(|image| image.name == name)
    }
}

/// A parsed `sampan.yaml` that still knows where each of its entries stands.
#[derive(Debug, Clone)]
pub struct AppFile {
    /// What the file says.
    pub app: App,
    root: Node,
}

impl AppFile {
    /// Reads the text of a `sampan.yaml`; `file` is its name for messages.
    ///
    /// # Errors
    /// [`AppError`] with file, line and column at the first thing that is wrong.
    pub fn parse(file: &str, text: &str) -> Result<Self, AppError> {
        let mut documents = yaml::documents(file, text)?.into_iter();
        let root = documents.next().ok_or_else(|| AppError::Empty {
            file: file.to_owned(),
        })?;
        if let Some(second) = documents.next() {
            return Err(AppError::SecondDocument {
                location: second.location,
            });
        }
        Ok(Self {
            app: read::app(&root)?,
            root,
        })
    }

    /// Where the entry at `path` stands, such as `images.0.context` or `manifests.2`; for an entry that is not written
    /// out, where the innermost enclosing one stands.
    #[must_use]
    pub fn locate(&self, path: &str) -> Location {
        let mut node = &self.root;
        for segment in path.split('.') {
            let next = match &node.content {
                Content::Sequence(items) => {
                    segment.parse::<usize>().ok().and_then(|at| items.get(at))
                }
                _ => node.get(segment),
            };
            match next {
                Some(found) => node = found,
                None => break,
            }
        }
        node.location.clone()
    }
}

#[cfg(test)]
mod tests;
