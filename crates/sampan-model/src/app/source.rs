//! Where the Kubernetes objects of an app come from.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::AppError;
use super::environment::is_dns_label;
use super::fields::{At, Fields};
use super::pattern::{Pattern, PatternError};
use super::template::{Template, TemplateError};
use super::values::{Values, check_number};
use crate::yaml::Content;
use crate::{AppName, Hint};

/// What an entry of `manifests` names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Source {
    /// Files of plain manifests, in which `${…}` stands for values.
    Files(Pattern),
    /// A Helm chart, rendered for each environment by the target's own capabilities.
    Chart(Chart),
    /// A folder that Kustomize renders when a release is made of it.
    Kustomization(Kustomization),
}

/// A Helm chart in the source tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Chart {
    /// Its folder or package, relative to the folder of `sampan.yaml`.
    pub chart: String,
    /// What templates know as the name of the release, and below which the app's values for the chart stand.
    pub name: String,
    /// Where the chart goes instead of the namespace of the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Files of values in Helm's form, relative to the folder of `sampan.yaml`; the later ones win.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values_files: Vec<String>,
    /// Values that go over those files; their texts may hold `${…}`.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub values: Values,
}

/// A folder with a `kustomization.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kustomization {
    /// The folder, relative to that of `sampan.yaml`; it may hold `${app.environment}`.
    pub kustomization: String,
}

/// A value of a chart that cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the value `{value}` of the chart `{chart}`: {problem}")]
pub struct ChartValueError {
    /// The chart, by its name in the app.
    pub chart: String,
    /// The dotted name of the value.
    pub value: String,
    /// Why not; part of the message, so it is no source.
    pub problem: TemplateError,
}

impl Hint for ChartValueError {
    fn hint(&self) -> Option<String> {
        self.problem.hint()
    }
}

const CHART_KEYS: &[&str] = &["chart", "name", "namespace", "valuesFiles", "values"];

/// The longest name of a release that Helm takes, because names of objects begin with it.
const NAME_LIMIT: usize = 53;

impl Source {
    /// The chart, if it is one.
    #[must_use]
    pub fn chart(&self) -> Option<&Chart> {
        match self {
            Self::Chart(chart) => Some(chart),
            _ => None,
        }
    }

    /// The pattern of files, if it is one.
    #[must_use]
    pub fn files(&self) -> Option<&Pattern> {
        match self {
            Self::Files(pattern) => Some(pattern),
            _ => None,
        }
    }

    /// The kustomization, if it is one.
    #[must_use]
    pub fn kustomization(&self) -> Option<&Kustomization> {
        match self {
            Self::Kustomization(kustomization) => Some(kustomization),
            _ => None,
        }
    }

    pub(super) fn read(at: &At<'_>, app: &AppName, declared: &Values) -> Result<Self, AppError> {
        match &at.node.content {
            Content::String(..) => pattern(at).map(Self::Files),
            Content::Mapping(_) if at.node.get("kustomization").is_some() => {
                let fields = Fields::of(at.node, &at.place, &["kustomization"])?;
                kustomization(&fields.required("kustomization")?, declared).map(Self::Kustomization)
            }
            Content::Mapping(_) if at.node.get("chart").is_some() => {
                chart(&Fields::of(at.node, &at.place, CHART_KEYS)?, app, declared).map(Self::Chart)
            }
            Content::Mapping(_) => {
                let fields = Fields::of(at.node, &at.place, &["chart", "kustomization"])?;
                Err(fields.missing("chart"))
            }
            _ => Err(at.wrong_type("a path, a chart or a kustomization")),
        }
    }
}

fn pattern(at: &At<'_>) -> Result<Pattern, AppError> {
    at.text()?.parse().map_err(|error: PatternError| {
        at.problem(
            error.to_string(),
            "give a path within the folder, such as `kubernetes/*.yaml`".to_owned(),
        )
    })
}

fn chart(fields: &Fields<'_>, app: &AppName, declared: &Values) -> Result<Chart, AppError> {
    let path = fields.required("chart")?;
    let named = fields.optional("name");
    let name = match &named {
        Some(at) => at.text()?.to_owned(),
        None => app.to_string(),
    };
    let at = named.as_ref().unwrap_or(&path);
    if !is_dns_label(&name) || name.len() > NAME_LIMIT {
        let problem = format!("`{name}` is no name of a release of a chart");
        let advice = format!(
            "give a `name` of lower-case letters, digits and `-`, at most {NAME_LIMIT} characters"
        );
        return Err(at.problem(problem, advice));
    }
    if name == "app" {
        let problem = "`app` is taken: `${app.name}` and its like are always there".to_owned();
        return Err(at.problem(problem, "give the chart another `name`".to_owned()));
    }
    if let Some(value) = declared.get(&name)
        && !value.as_object().is_some_and(Map::is_empty)
    {
        // Else all names that an environment may give to the chart would have to be declared.
        let problem = format!(
            "`{name}` is declared under `values`, but the values of the chart stand below its name"
        );
        let advice =
            "give the chart another `name`, or move its defaults to its own `values`".to_owned();
        return Err(at.problem(problem, advice));
    }
    let namespace = fields.optional("namespace").map(|at| {
        let name = at.text()?;
        if is_dns_label(name) {
            return Ok(name.to_owned());
        }
        Err(at.invalid(
            "is no namespace",
            "use lower-case letters, digits and `-`, at most 63 characters",
        ))
    });
    let files = fields
        .optional("valuesFiles")
        .map_or(Ok(Vec::new()), |at| at.items())?;
    Ok(Chart {
        chart: path.relative_path()?,
        name,
        namespace: namespace.transpose()?,
        values_files: files
            .iter()
            .map(At::relative_path)
            .collect::<Result<_, _>>()?,
        values: fields
            .optional("values")
            .map_or(Ok(Values::default()), |at| inline(&at, declared))?,
    })
}

fn inline(at: &At<'_>, declared: &Values) -> Result<Values, AppError> {
    check(at, declared)?;
    Values::from_json(at.node.to_json()).ok_or_else(|| at.wrong_type("a mapping"))
}

/// Checks that all names in `${…}` are declared.
fn check(at: &At<'_>, declared: &Values) -> Result<(), AppError> {
    match &at.node.content {
        Content::String(..) => at
            .templated()?
            .check(declared)
            .map_err(|error| at.template(&error)),
        Content::Sequence(_) => at
            .items()?
            .iter()
            .try_for_each(|item| check(item, declared)),
        Content::Mapping(_) => at
            .entries()?
            .iter()
            .try_for_each(|(_, value)| check(value, declared)),
        Content::Number(_) => check_number(at.node, &at.place.to_string()),
        Content::Null | Content::Bool(_) => Ok(()),
    }
}

fn kustomization(at: &At<'_>, declared: &Values) -> Result<Kustomization, AppError> {
    // What is in a release cannot wait for values that are given at the site.
    let builtin = Values::default().with(
        "app",
        json!({"name": null, "version": null, "environment": null}),
    );
    at.templated()?
        .check(&builtin)
        .map_err(|error| match &error {
            TemplateError::Undeclared { name, .. } if declared.get(name).is_some() => at.problem(
                format!("the value `{name}` is not known before the rollout"),
                "write `${app.environment}`, with a folder for each environment".to_owned(),
            ),
            _ => at.template(&error),
        })?;
    Ok(Kustomization {
        kustomization: at.relative_path()?,
    })
}

impl Chart {
    /// What goes over the chart's defaults and the files of values: its own values, filled in, and over these what the
    /// app's values have below its name. A `null` among them takes a default away, as Helm has it.
    ///
    /// # Errors
    /// [`ChartValueError`] when a value is not given.
    pub fn values_of(&self, values: &Values) -> Result<Values, ChartValueError> {
        let mut filled = Values::default();
        for (name, value) in self.values.as_map() {
            filled = filled.with(name, self.fill(name, value, values)?);
        }
        if let Some(Value::Object(own)) = values.get(&self.name) {
            filled.merge(&Values::from(own.clone()));
        }
        Ok(filled)
    }

    fn fill(&self, place: &str, value: &Value, values: &Values) -> Result<Value, ChartValueError> {
        match value {
            Value::String(text) if text.contains("${") => Template::parse(text)
                .and_then(|template| template.resolve(values))
                .map_err(|problem| ChartValueError {
                    chart: self.name.clone(),
                    value: place.to_owned(),
                    problem,
                }),
            Value::Array(items) => {
                let items = items.iter().enumerate();
                items
                    .map(|(index, item)| self.fill(&format!("{place}[{index}]"), item, values))
                    .collect()
            }
            Value::Object(map) => {
                let mut filled = Map::new();
                for (key, value) in map {
                    let value = self.fill(&format!("{place}.{key}"), value, values)?;
                    filled.insert(key.clone(), value);
                }
                Ok(Value::Object(filled))
            }
            other => Ok(other.clone()),
        }
    }
}

impl Kustomization {
    /// The folder for an environment, of which `values` knows the name.
    ///
    /// # Errors
    /// [`TemplateError`] when it depends on the environment and there is none.
    pub fn folder(&self, values: &Values) -> Result<String, TemplateError> {
        Template::parse(&self.kustomization)?.render(values)
    }
}
