//! Where objects come from.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use sampan_model::app::{App, Values};
use sampan_model::yaml::{Allowance, Location};

use super::finding::Finding;
use super::object::{NoObject, Object, objects_of};
use super::settings::Settings;
use super::{ignore, rules};
use crate::chart::Chart;
use crate::manifest::{self, Document, Place, Reading, TemplateLines};
use crate::render::Rendered;

/// Objects that may refer to each other, with what of the inputs cannot be read.
#[derive(Debug, Default)]
pub struct Input {
    /// The environment of the app whose values are filled in.
    pub environment: Option<String>,
    /// The images that the app builds, by name; empty where the manifests belong to no app.
    pub app_images: Vec<String>,
    /// Whether the manifests belong to an app with a release.
    pub is_app: bool,
    pub(super) files: BTreeSet<Arc<str>>,
    pub(super) objects: Vec<Object>,
    problems: Vec<Problem>,
    namespace: String,
    /// What the aliases of all files together may still copy.
    allowance: Allowance,
}

/// Something that cannot be read.
#[derive(Debug, Clone)]
struct Problem {
    rule: &'static str,
    place: Place,
    message: String,
    mend: String,
}

impl Input {
    /// An empty input, whose objects are in `namespace` where they do not say otherwise.
    #[must_use]
    pub fn new(namespace: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            ..Self::default()
        }
    }

    /// The objects so far.
    #[must_use]
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// The objects, to look at them together.
    #[must_use]
    pub fn into_world(self) -> super::World {
        super::World::new(self.objects)
    }

    /// Adds the manifests of a file.
    pub fn add_file(&mut self, path: &str, text: &str) {
        let reading = manifest::read(path, text, &mut self.allowance);
        self.add(path, reading, None);
    }

    /// Adds the manifests of a file that was found in a folder, where other files than manifests may be.
    pub fn add_found_file(&mut self, path: &str, text: &str) {
        if text.contains("apiVersion") && text.contains("kind") {
            let mut reading = manifest::read(path, text, &mut self.allowance);
            let is_manifest = |document: &Document| {
                document.root.get("apiVersion").is_some() && document.root.get("kind").is_some()
            };
            reading.documents.retain(is_manifest);
            self.add(path, reading, None);
        }
    }

    /// Whether nothing has been added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.problems.is_empty()
    }

    /// What cannot be read, each in one line with its place.
    pub fn unreadable(&self) -> impl Iterator<Item = String> {
        self.problems
            .iter()
            .map(|problem| format!("{}: {}", problem.place, problem.message))
    }

    /// Adds the manifests of a file of an app, with the values of an environment.
    pub fn add_app_file(&mut self, path: &str, text: &str, values: &Values) {
        let reading = manifest::read(path, text, &mut self.allowance);
        self.add(path, reading, Some(values));
    }

    /// Adds what a kustomization has been rendered to; the lines lead back to no file. `path` is its own.
    pub fn add_rendered(&mut self, path: &str, text: &str) {
        let lines = TemplateLines::default();
        let reading = manifest::read_rendered(path, text, lines, &mut self.allowance);
        self.add(path, reading, None);
    }

    /// Adds what a chart has been rendered to; `path` is the chart as the user named it.
    pub fn add_chart(&mut self, path: &str, chart: &Chart, rendered: &Rendered) {
        let mut templates = HashMap::new();
        collect_templates(chart, chart.name(), &mut templates);
        for (file, printed) in &rendered.files {
            let name = file.rsplit('/').next().unwrap_or(file);
            let printed = String::from_utf8_lossy(printed);
            if name.starts_with('_') || printed.trim().is_empty() {
                continue;
            }
            let template = templates
                .get(file.as_str())
                .map(|data| String::from_utf8_lossy(data));
            let lines = template
                .map(|template| TemplateLines::new(&template, &printed))
                .unwrap_or_default();
            let shown = shown_path(path, file);
            let reading = manifest::read_rendered(&shown, &printed, lines, &mut self.allowance);
            self.add(&shown, reading, None);
        }
        for crd in &rendered.crds {
            let shown = shown_path(path, &crd.path);
            let text = String::from_utf8_lossy(&crd.file.data);
            let reading = manifest::read(&shown, &text, &mut self.allowance);
            self.add(&shown, reading, None);
        }
    }

    /// Says that a chart cannot be rendered, or another file not be read at all.
    pub fn add_failure(&mut self, path: &str, message: &str, mend: Option<String>) {
        self.problems.push(Problem {
            rule: rules::RENDERING,
            place: Place::of_file(path),
            message: message.to_owned(),
            mend: mend.unwrap_or_default(),
        });
    }

    /// Says that something named in a file cannot be made objects of.
    pub fn add_failure_at(&mut self, location: &Location, message: &str, mend: Option<String>) {
        self.problems.push(Problem {
            rule: rules::RENDERING,
            place: manifest::Origin::File.place(location),
            message: message.to_owned(),
            mend: mend.unwrap_or_default(),
        });
    }

    /// Says that the manifests belong to an app.
    pub fn set_app(&mut self, app: &App, environment: Option<&str>) {
        self.is_app = true;
        self.environment = environment.map(str::to_owned);
        self.app_images = app.images.iter().map(|image| image.name.clone()).collect();
    }

    fn add(&mut self, path: &str, reading: Reading, values: Option<&Values>) {
        self.files.insert(Arc::from(path));
        for unreadable in reading.unreadable {
            self.problems.push(Problem {
                rule: rules::SYNTAX,
                place: unreadable.place,
                message: unreadable.message,
                mend: String::new(),
            });
        }
        for document in reading.documents {
            let document = match values {
                Some(values) => self.fill(document, values),
                None => document,
            };
            let (objects, problems) = objects_of(document, &self.namespace);
            self.objects.extend(objects);
            self.problems.extend(problems.into_iter().map(
                |NoObject {
                     place,
                     message,
                     mend,
                 }| Problem {
                    rule: rules::NO_OBJECT,
                    place,
                    message,
                    mend,
                },
            ));
        }
    }

    fn fill(&mut self, document: Document, values: &Values) -> Document {
        let mut errors = Vec::new();
        let root = manifest::fill(&document.root, values, &mut errors);
        for (location, error) in errors {
            self.problems.push(Problem {
                rule: rules::RENDERING,
                place: document.origin.place(&location),
                message: error.to_string(),
                mend: sampan_model::Hint::hint(&error).unwrap_or_default(),
            });
        }
        Document { root, ..document }
    }

    /// What cannot be read, as findings.
    pub(super) fn problems(&self, settings: &Settings) -> Vec<Finding> {
        let problems = self.problems.iter().cloned();
        problems
            .map(
                |Problem {
                     rule,
                     place,
                     message,
                     mend,
                 }| ignore::of_file(rule, message, mend, place, settings),
            )
            .collect()
    }
}

/// Templates are named from the outermost chart on; users know the path of that chart instead of its name.
fn shown_path(chart: &str, file: &str) -> String {
    let inside = file.split_once('/').map_or(file, |(_, inside)| inside);
    format!("{}/{inside}", chart.trim_end_matches('/'))
}

fn collect_templates<'a>(chart: &'a Chart, path: &str, templates: &mut HashMap<String, &'a [u8]>) {
    for file in &chart.templates {
        templates.insert(format!("{path}/{}", file.name), &file.data);
    }
    for inner in &chart.dependencies {
        collect_templates(inner, &chart.path_of(path, inner), templates);
    }
}
