//! Charts in records: without the charts in them, as Helm keeps them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::objects::to_json;
use crate::chart::{Chart, Dependency, File, Lock, written};
use crate::value::Value;
use crate::values::{Table, Tree};

/// The time of Go that stands for none.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// A chart in a record. It is kept as it was read, so that a rollback writes what another Helm wrote.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChartRecord(Json);

impl ChartRecord {
    /// What is kept of a chart.
    #[must_use]
    pub fn of(chart: &Chart) -> Self {
        let schema = chart.schema.as_ref().map(|schema| STANDARD.encode(schema));
        Self(json!({
            "metadata": to_json(&chart.metadata.to_value()),
            "lock": chart.lock.as_ref().map(lock),
            "templates": files(&chart.templates),
            "values": Json::from(&Tree::Table((*chart.values).clone())),
            "schema": schema,
            "files": files(&chart.files),
        }))
    }

    /// A text of the metadata; empty when there is none.
    fn text(&self, field: &str) -> &str {
        let field = self
            .0
            .get("metadata")
            .and_then(|metadata| metadata.get(field));
        field.and_then(Json::as_str).unwrap_or_default()
    }

    /// The chart's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text("name")
    }

    /// The chart's version.
    #[must_use]
    pub fn version(&self) -> &str {
        self.text("version")
    }

    /// The version of what the chart installs.
    #[must_use]
    pub fn app_version(&self) -> &str {
        self.text("appVersion")
    }

    /// Name and version in one.
    #[must_use]
    pub fn full_name(&self) -> String {
        if self.0.get("metadata").is_none_or(Json::is_null) {
            return "MISSING".to_owned();
        }
        format!("{}-{}", self.name(), self.version())
    }

    /// The default values.
    #[must_use]
    pub fn values(&self) -> Table {
        match self.0.get("values").cloned().map(Tree::from) {
            Some(Tree::Table(table)) => table,
            _ => Table::new(),
        }
    }
}

fn files(files: &[File]) -> Json {
    let files = files
        .iter()
        .map(|file| json!({"name": file.name, "data": STANDARD.encode(&file.data)}));
    files.collect()
}

fn dependency(one: &Dependency) -> Json {
    to_json(&Value::Dict(written::dependency(one)))
}

fn lock(lock: &Lock) -> Json {
    // Helm does not read a record at all where this is no time.
    let is_time = lock.generated.parse::<jiff::Timestamp>().is_ok();
    let generated = if is_time {
        lock.generated.as_str()
    } else {
        NO_TIME
    };
    let dependencies: Vec<Json> = lock.dependencies.iter().map(dependency).collect();
    json!({"generated": generated, "digest": lock.digest, "dependencies": dependencies})
}
