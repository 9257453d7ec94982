//! A line of the table.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sampan_chart::compatibility::Compatibility;
use serde_json::Value;

/// What is rendered, and what both Helms answer.
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) area: String,
    pub(crate) mode: String,
    pub(crate) template: Option<String>,
    /// The text of `values.yaml`.
    pub(crate) values: Option<String>,
    /// Further files of the chart.
    pub(crate) chart: BTreeMap<String, Vec<u8>>,
    /// Files beside the chart.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) arguments: Vec<String>,
    line: Value,
}

/// What Helm answers.
pub(crate) enum Expected {
    Output(Vec<u8>),
    Error(String),
    /// An error too long for the table.
    LongError {
        prefix: String,
        suffix: String,
        length: usize,
    },
}

/// The areas in which the warnings of Helm 3 were taken down.
const WITH_WARNINGS: [&str; 8] = [
    "helm/set",
    "helm/values-files",
    "helm/subchart-values",
    "helm/dependency",
    "helm/chart-kubeversion",
    "doc/chart-yaml",
    "doc/hooks",
    "doc/library",
];

impl Case {
    pub(crate) fn parse(line: &str) -> Self {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| line[key].as_str().map(str::to_owned);
        let values = line.get("values").map(Value::to_string);
        let mut chart = texts(&line["chart"]);
        for (path, encoded) in texts(&line["chart_b64"]) {
            chart.insert(path, STANDARD.decode(encoded).unwrap());
        }
        let arguments = line["args"].as_array().cloned().unwrap_or_default();
        Self {
            id: text("id").unwrap(),
            area: text("area").unwrap(),
            mode: text("mode").unwrap(),
            template: text("template"),
            values: text("values_yaml").or(values),
            chart,
            files: texts(&line["files"]),
            arguments: arguments
                .iter()
                .map(|argument| argument.as_str().unwrap().to_owned())
                .collect(),
            line,
        }
    }

    /// What is rendered, on one line.
    pub(crate) fn summary(&self) -> String {
        let mut parts = vec![format!("{} {:?}", self.mode, self.template)];
        for (path, content) in &self.chart {
            let content = String::from_utf8_lossy(content);
            parts.push(format!("{path}: {content:?}"));
        }
        if let Some(values) = &self.values {
            parts.push(format!("values: {values:?}"));
        }
        if !self.arguments.is_empty() {
            parts.push(format!("arguments: {:?}", self.arguments));
        }
        parts.join(" ")
    }

    /// What a Helm answers.
    pub(crate) fn expected(&self, compatibility: Compatibility) -> Expected {
        let four = compatibility.pick(None, self.answer("helm4_"));
        four.or_else(|| self.answer("")).unwrap()
    }

    /// What Helm 3 logs besides, in the areas in which that was taken down.
    pub(crate) fn warnings(&self) -> Option<Vec<String>> {
        let taken_down = WITH_WARNINGS.contains(&self.area.as_str());
        let warnings = self.line["warnings"].as_array().into_iter().flatten();
        let warnings = warnings.map(|warning| warning.as_str().unwrap().to_owned());
        taken_down.then(|| warnings.collect())
    }

    fn answer(&self, version: &str) -> Option<Expected> {
        let text = |key: &str| {
            let value = self.line.get(format!("{version}{key}"))?;
            value.as_str().map(str::to_owned)
        };
        if let Some(output) = text("output") {
            return Some(Expected::Output(output.into_bytes()));
        }
        if let Some(encoded) = text("output_b64") {
            return Some(Expected::Output(STANDARD.decode(encoded).unwrap()));
        }
        if let Some(error) = text("error") {
            return Some(Expected::Error(error));
        }
        let length = self.line.get(format!("{version}error_length"))?.as_u64()?;
        Some(Expected::LongError {
            prefix: text("error_prefix")?,
            suffix: text("error_suffix")?,
            length: usize::try_from(length).ok()?,
        })
    }
}

fn texts(value: &Value) -> BTreeMap<String, Vec<u8>> {
    let entries = value.as_object().into_iter().flatten();
    entries
        .map(|(path, text)| (path.clone(), text.as_str().unwrap().as_bytes().to_vec()))
        .collect()
}

impl Expected {
    pub(crate) fn is_met_by(&self, found: &Result<Vec<u8>, String>) -> bool {
        match (self, found) {
            (Self::Output(expected), Ok(found)) => expected == found,
            (Self::Error(expected), Err(found)) => expected == found,
            (
                Self::LongError {
                    prefix,
                    suffix,
                    length,
                },
                Err(found),
            ) => {
                found.starts_with(prefix)
                    && found.ends_with(suffix)
                    && found.chars().count() == *length
            }
            _ => false,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output(output) => write!(f, "output {:?}", String::from_utf8_lossy(output)),
            Self::Error(error) => write!(f, "error {error:?}"),
            Self::LongError {
                prefix,
                suffix,
                length,
            } => write!(f, "error {prefix:?}…{suffix:?} of {length} characters"),
        }
    }
}
