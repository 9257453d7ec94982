//! From the nodes of the file to an [`App`].

use std::collections::{BTreeMap, HashSet};
use std::str::FromStr;

use serde_json::json;

use super::check::Check;
use super::environment::{Environment, EnvironmentName};
use super::fields::{At, Fields, Place};
use super::image::Image;
use super::quality::Quality;
use super::source::Source;
use super::values::Values;
use super::{API_VERSION, App, AppError};
use crate::yaml::Node;
use crate::{AppName, Hint, Version};

pub(super) const KEYS: &[&str] = &[
    "apiVersion",
    "kind",
    "name",
    "version",
    "description",
    "images",
    "manifests",
    "values",
    "environments",
    "checks",
    "quality",
];

pub(super) fn app(root: &Node) -> Result<App, AppError> {
    let fields = Fields::of(root, &Place::root(), KEYS)?;
    header(&fields)?;
    let name: AppName = parsed(&fields.required("name")?)?;
    let version: Version = parsed(&fields.required("version")?)?;
    let values = fields
        .optional("values")
        .map_or(Ok(Values::default()), |at| {
            Values::read_declared(at.node, "values")
        })?;
    let mut app = App {
        name,
        version,
        description: fields
            .optional("description")
            .map(|at| at.text().map(str::to_owned))
            .transpose()?,
        images: Vec::new(),
        manifests: Vec::new(),
        values,
        environments: BTreeMap::new(),
        checks: Vec::new(),
        quality: fields
            .optional("quality")
            .map(|at| Quality::read(&at))
            .transpose()?,
    };
    app.manifests = manifests(
        &fields.required("manifests")?,
        &app.name,
        &app.declared_values(),
    )?;
    for chart in app.manifests.iter().filter_map(Source::chart) {
        // An empty mapping takes any keys: what a chart knows, its own values say.
        if app.values.get(&chart.name).is_none() {
            app.values = app.values.with(&chart.name, json!({}));
        }
    }
    if let Some(at) = fields.optional("images") {
        let builtin =
            Values::default().with("app", json!({"name": app.name, "version": app.version}));
        app.images = list(
            &at,
            |item| Image::read(item.node, &item.place, &builtin),
            |image| &image.name,
        )?;
    }
    if let Some(at) = fields.optional("environments") {
        app.environments = environments(&at, &app.values)?;
    }
    if let Some(at) = fields.optional("checks") {
        let declared = app.declared_values();
        app.checks = list(
            &at,
            |item| Check::read(item.node, &item.place, &declared),
            |check| &check.name,
        )?;
    }
    Ok(app)
}

pub(super) fn header(fields: &Fields<'_>) -> Result<(), AppError> {
    for (key, wanted) in [("apiVersion", API_VERSION), ("kind", "App")] {
        let at = fields.required(key)?;
        if at.text()? != wanted {
            return Err(at.invalid(
                "is not known to this program",
                &format!("write `{key}: {wanted}`"),
            ));
        }
    }
    Ok(())
}

fn parsed<T: FromStr<Err = E>, E: std::fmt::Display + Hint>(at: &At<'_>) -> Result<T, AppError> {
    at.text()?
        .parse()
        .map_err(|error: E| at.problem(error.to_string(), error.hint().unwrap_or_default()))
}

fn manifests(at: &At<'_>, app: &AppName, declared: &Values) -> Result<Vec<Source>, AppError> {
    let items = at.items()?;
    if items.is_empty() {
        let advice =
            "name the files, such as `- kubernetes/*.yaml`, or a chart: `- chart: charts/web`";
        return Err(at.problem("no manifests are named".to_owned(), advice.to_owned()));
    }
    let mut names = HashSet::new();
    let mut sources = Vec::new();
    for item in items {
        let source = Source::read(&item, app, declared)?;
        if let Some(chart) = source.chart()
            && !names.insert(chart.name.clone())
        {
            let problem = format!(
                "the name `{}` is already taken by another chart",
                chart.name
            );
            return Err(item.problem(problem, "give each chart a `name` of its own".to_owned()));
        }
        sources.push(source);
    }
    Ok(sources)
}

fn environments(
    at: &At<'_>,
    declared: &Values,
) -> Result<BTreeMap<EnvironmentName, Environment>, AppError> {
    at.entries()?
        .into_iter()
        .map(|(name, at)| {
            let name = name
                .parse()
                .map_err(|error: super::InvalidEnvironmentName| {
                    at.problem(error.to_string(), "choose a name such as `prod`".to_owned())
                })?;
            Ok((name, Environment::read(at.node, &at.place, declared)?))
        })
        .collect()
}

/// Reads a list whose entries have names that must differ.
fn list<T>(
    at: &At<'_>,
    read: impl Fn(&At<'_>) -> Result<T, AppError>,
    name: impl Fn(&T) -> &String,
) -> Result<Vec<T>, AppError> {
    let mut seen = HashSet::new();
    let mut entries = Vec::new();
    for item in at.items()? {
        let entry = read(&item)?;
        if !seen.insert(name(&entry).clone()) {
            let problem = format!("the name `{}` is already taken", name(&entry));
            return Err(item.problem(problem, "give each entry a name of its own".to_owned()));
        }
        entries.push(entry);
    }
    Ok(entries)
}
