//! Checks of templates and of what they print.

use super::{Linter, Severity, deprecations, names};
use crate::chart::File;
use crate::chart::shape::{Fields, Record, Shape};
use crate::compatibility::Compatibility;
use crate::render::{self, Capabilities, KubeVersion, render_for_lint, split};
use crate::value::Value;
use crate::value::quote::quote;
use crate::values::Table;
use crate::yaml;

const FOLDER: &str = "templates/";

static RESOURCE: Record = Record {
    name: "K8sYamlStruct",
    types: ["rules.K8sYamlStruct"; 2],
    fields: &[
        ("apiVersion", Shape::Text),
        ("Kind", Shape::Text),
        ("Metadata", Shape::Record(&METADATA)),
    ],
};

static METADATA: Record = Record {
    name: "k8sYamlMetadata",
    types: ["rules.k8sYamlMetadata"; 2],
    fields: &[("Namespace", Shape::Text), ("Name", Shape::Text)],
};

impl Linter<'_> {
    pub(super) fn templates(&mut self, values: &Table) {
        let is_helm3 = self.options.compatibility == Compatibility::Helm3;
        let folder = self.path.join("templates");
        if folder.is_file() {
            let severity = if is_helm3 {
                Severity::Warning
            } else {
                Severity::Error
            };
            self.tell(severity, FOLDER, "not a directory");
            return;
        }
        if !is_helm3 && self.path.is_dir() && !folder.exists() {
            self.tell(Severity::Warning, FOLDER, "directory does not exist");
            return;
        }
        let chart = match &self.chart {
            Ok(chart) => chart.clone(),
            Err(problem) => {
                let text = problem.to_string();
                self.tell(Severity::Error, FOLDER, text);
                return;
            }
        };
        let printed = match render_for_lint(&chart, values, &self.render_options()) {
            Ok(Some(printed)) => printed,
            Ok(None) => return,
            Err(problem) => {
                self.tell(Severity::Error, FOLDER, problem.to_string());
                return;
            }
        };
        for template in &chart.templates {
            self.template(template);
            let path = format!("{}/{}", chart.name(), template.name);
            let text = printed.get(&path).map(|text| String::from_utf8_lossy(text));
            let text = text.unwrap_or_default();
            let is_read = match extension(&template.name) {
                ".yaml" => true,
                ".yml" => !is_helm3,
                _ => false,
            };
            if !is_read || text.trim().is_empty() {
                continue;
            }
            if !self.printed(&template.name, &text) {
                return;
            }
        }
    }

    fn render_options(&self) -> render::Options {
        let compatibility = self.options.compatibility;
        let mut options = render::Options::new("test-release", compatibility);
        options
            .release
            .namespace
            .clone_from(&self.options.namespace);
        options.skip_schemas = self.options.skip_schemas;
        options.lint = true;
        options.capabilities = Capabilities::without_cluster(compatibility);
        if let Some(version) = &self.options.kube_version {
            options.capabilities.kube_version = version.clone();
        }
        options
    }

    fn template(&mut self, template: &File) {
        let name = template.name.as_str();
        let extension = extension(name);
        if ![".yaml", ".yml", ".tpl", ".txt"].contains(&extension) {
            let valid = "Valid extensions are .yaml, .yml, .tpl, or .txt";
            let text = format!("file extension '{extension}' not valid. {valid}");
            self.tell(Severity::Error, name, text);
        }
        // What went with Helm 3 is not looked for after it.
        if self.options.compatibility == Compatibility::Helm4 {
            return;
        }
        let text = String::from_utf8_lossy(&template.data);
        if has_crd_hook(&text) {
            let gone = "This hook is no longer supported in v3 and all CRDs should also exist the crds/ directory at the top level of the chart";
            self.tell(
                Severity::Warning,
                name,
                format!("manifest is a crd-install hook. {gone}"),
            );
        }
        if text.contains(".Release.Time") {
            let instead = "please replace with the `now` function in your templates";
            let text = format!(".Release.Time has been removed in v3, {instead}");
            self.tell(Severity::Error, name, text);
        }
    }

    /// Checks what a template has printed; says whether it can be read at all.
    fn printed(&mut self, name: &str, text: &str) -> bool {
        let first = text.lines().find(|line| !line.trim().is_empty());
        if let Some(line) = first.filter(|line| line.starts_with([' ', '\t'])) {
            let line = quote(line.as_bytes());
            let text = format!(
                "document starts with an illegal indent: {line}, which may cause parsing problems"
            );
            self.tell(Severity::Warning, name, text);
        }
        for document in split(text, Compatibility::Helm3) {
            let mut fields = Fields::default();
            let read = fields.read(document.as_bytes(), &RESOURCE, self.options.compatibility);
            if let Err(problem) = read {
                let text = format!("unable to parse YAML: {problem}");
                self.tell(Severity::Error, name, text);
                return false;
            }
            if matches!(yaml::decode(document.as_bytes()), Ok(Value::Dict(_))) {
                self.resource(name, &fields, text);
            }
        }
        true
    }

    fn resource(&mut self, path: &str, fields: &Fields, text: &str) {
        let kind = fields.text("Kind");
        let metadata = fields.record("Metadata");
        let name = metadata.map(|metadata| metadata.text("Name"));
        let name = name.unwrap_or_default();
        self.rule(Severity::Warning, path, names::check(&kind, &name));
        let compatibility = self.options.compatibility;
        let kube_version = match &self.options.kube_version {
            Some(version) => version.clone(),
            None => KubeVersion::without_cluster(compatibility),
        };
        let api_version = fields.text("apiVersion");
        let deprecated = deprecations::check(&api_version, &kind, &kube_version, compatibility);
        self.rule(Severity::Warning, path, deprecated);
        let selects = ["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"];
        let has_selector = text.contains("matchLabels") || text.contains("matchExpressions");
        if selects.contains(&kind.as_str()) && !has_selector {
            let name = quote(name.as_bytes());
            let text = format!(
                "a {kind} must contain matchLabels or matchExpressions, and {name} does not"
            );
            self.tell(Severity::Error, path, text);
        }
        if kind == "List" && keeps_items(text) {
            let text = "Annotation 'helm.sh/resource-policy' within List objects are ignored";
            self.tell(Severity::Error, path, text);
        }
    }
}

fn extension(name: &str) -> &str {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.rfind('.').map_or("", |dot| &file[dot..])
}

/// Whether a text has `helm.sh/hook: crd-install`, with or without quotes.
fn has_crd_hook(text: &str) -> bool {
    text.split("helm.sh/hook").skip(1).any(|behind| {
        let behind = behind.strip_prefix('"').unwrap_or(behind);
        let value = behind.strip_prefix(':').unwrap_or_default();
        value.starts_with(char::is_whitespace) && value.trim_start().starts_with("crd-install")
    })
}

/// Whether an item of a list has an annotation that Helm does not see there.
fn keeps_items(text: &str) -> bool {
    let Ok(Value::Dict(list)) = yaml::decode(text.as_bytes()) else {
        return false;
    };
    let Some(Value::List(items)) = list.get(b"items") else {
        return false;
    };
    items.items().iter().any(|item| {
        let Value::Dict(item) = item else {
            return false;
        };
        let Some(Value::Dict(metadata)) = item.get(b"metadata") else {
            return false;
        };
        match metadata.get(b"annotations") {
            Some(Value::Dict(annotations)) => annotations.get(b"helm.sh/resource-policy").is_some(),
            _ => false,
        }
    })
}
