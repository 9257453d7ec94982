//! SARIF 2.1.0: findings of scanners.

use serde::Deserialize;
use serde_json::Value;

use super::{Finding, Format, Level, ResultsError, check_count, message};

#[derive(Deserialize)]
struct Log {
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    tool: Tool,
    /// Null when the tool did not run.
    results: Option<Vec<Found>>,
}

#[derive(Deserialize)]
struct Tool {
    driver: Component,
    #[serde(default)]
    extensions: Vec<Component>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default)]
    name: String,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    #[serde(default)]
    id: String,
    #[serde(default)]
    default_configuration: Configuration,
    #[serde(default)]
    properties: Value,
}

#[derive(Default, Deserialize)]
struct Configuration {
    level: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    rule_id: Option<String>,
    rule_index: Option<usize>,
    rule: Option<RuleReference>,
    level: Option<String>,
    kind: Option<String>,
    baseline_state: Option<String>,
    #[serde(default)]
    message: Message,
    #[serde(default)]
    locations: Vec<Location>,
    suppressions: Option<Vec<Suppression>>,
    #[serde(default)]
    properties: Value,
}

#[derive(Deserialize)]
struct RuleReference {
    id: Option<String>,
    index: Option<usize>,
}

#[derive(Default, Deserialize)]
struct Message {
    text: Option<String>,
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Option<PhysicalLocation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: Option<ArtifactLocation>,
    #[serde(default)]
    region: Region,
}

#[derive(Deserialize)]
struct ArtifactLocation {
    uri: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Region {
    start_line: Option<u32>,
    start_column: Option<u32>,
    end_line: Option<u32>,
    end_column: Option<u32>,
}

#[derive(Deserialize)]
struct Suppression {
    status: Option<String>,
}

pub(super) fn read(text: &str) -> Result<Vec<Finding>, ResultsError> {
    let log: Log = serde_json::from_str(text).map_err(|source| ResultsError::Json {
        format: Format::Sarif.name(),
        source,
    })?;
    let mut findings = Vec::new();
    for run in log.runs {
        let results = run.results.unwrap_or_default();
        check_count(Format::Sarif, findings.len() + results.len())?;
        let named: std::collections::HashMap<&str, &Rule> = run
            .tool
            .extensions
            .iter()
            .chain([&run.tool.driver])
            .flat_map(|component| &component.rules)
            .map(|rule| (rule.id.as_str(), rule))
            .collect();
        for found in results {
            if found.is_over() {
                continue;
            }
            let index = found
                .rule_index
                .or_else(|| found.rule.as_ref().and_then(|rule| rule.index));
            let id = found
                .rule_id
                .as_deref()
                .or_else(|| found.rule.as_ref().and_then(|rule| rule.id.as_deref()));
            let by_index = index.and_then(|index| run.tool.driver.rules.get(index));
            let rule = match id {
                // Some tools count rules of all their parts together.
                Some(id) => by_index
                    .filter(|rule| rule.id == id)
                    .or_else(|| named.get(id).copied()),
                None => by_index,
            };
            findings.push(found.finding(&run.tool.driver.name, id, rule));
        }
    }
    Ok(findings)
}

impl Found {
    /// Whether the finding is gone, accepted, or none at all.
    fn is_over(&self) -> bool {
        let accepted = |suppression: &Suppression| {
            matches!(suppression.status.as_deref(), None | Some("accepted"))
        };
        self.baseline_state.as_deref() == Some("absent")
            || matches!(self.kind.as_deref(), Some("pass" | "notApplicable"))
            || self
                .suppressions
                .as_ref()
                .is_some_and(|suppressions| suppressions.iter().any(accepted))
    }

    fn finding(&self, tool: &str, id: Option<&str>, rule: Option<&Rule>) -> Finding {
        let place = self
            .locations
            .first()
            .and_then(|location| location.physical_location.as_ref());
        let region = place.map(|place| &place.region);
        let text = self.message.text.as_ref().or(self.message.id.as_ref());
        Finding {
            tool: tool.to_owned(),
            rule: id
                .or_else(|| rule.map(|rule| rule.id.as_str()))
                .unwrap_or_default()
                .to_owned(),
            level: self.level(rule),
            message: message(text.map_or("", String::as_str)),
            file: place
                .and_then(|place| place.artifact_location.as_ref())
                .and_then(|artifact| artifact.uri.clone())
                .map(|uri| uri.strip_prefix("file://").unwrap_or(&uri).to_owned()),
            line: region.and_then(|region| region.start_line),
            column: region.and_then(|region| region.start_column),
            end_line: region.and_then(|region| region.end_line),
            end_column: region.and_then(|region| region.end_column),
        }
    }

    /// The level of the finding itself, or of its rule; scores of security, 0 to 10, go before both.
    fn level(&self, rule: Option<&Rule>) -> Level {
        let score = |properties: &Value| match properties.get("security-severity") {
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_f64(),
            None => None,
        };
        let score: Option<f64> =
            score(&self.properties).or_else(|| rule.and_then(|rule| score(&rule.properties)));
        if let Some(score) = score {
            return match score {
                9.0.. => Level::Critical,
                7.0..9.0 => Level::Error,
                4.0..7.0 => Level::Warning,
                _ => Level::Info,
            };
        }
        let level = self
            .level
            .as_deref()
            .or_else(|| rule.and_then(|rule| rule.default_configuration.level.as_deref()));
        match level {
            Some("error") => Level::Error,
            Some("note" | "none") => Level::Info,
            _ => Level::Warning,
        }
    }
}
