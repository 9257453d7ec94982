//! Which of the charts in a chart take part, under which names, and what they hand up to their parent.

use std::sync::Arc;

use super::{Chart, Dependency, Error, is_compatible};
use crate::compatibility::Compatibility;
use crate::value::{Dict, Value};
use crate::values::{
    Coalescer, Nulls, PathError, Table, Tree, deep_copy, from_dict, path_value, table, to_dict,
};

/// Refuses a chart when a dependency of its `Chart.yaml` is not among the charts in it, switched off or not.
///
/// # Errors
/// [`Error::Missing`] with the names.
pub fn check_present(chart: &Chart, compatibility: Compatibility) -> Result<(), Error> {
    let wanted = chart.metadata.dependencies.iter().flatten();
    let missing = wanted.filter(|wanted| {
        chart
            .dependencies
            .iter()
            .all(|there| there.name() != wanted.name)
    });
    let missing: Vec<_> = missing.map(|dependency| dependency.name.as_str()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let start = match compatibility {
        Compatibility::Helm3 => {
            "An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to"
        }
        Compatibility::Helm4 => {
            "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to"
        }
    };
    let missing = missing.join(", ");
    let found = format!("found in Chart.yaml, but missing in charts/ directory: {missing}");
    Err(Error::Missing(format!(
        "{start} fetch missing dependencies: {found}"
    )))
}

/// Switches dependencies on and off, gives them their names, and copies up what is imported.
pub(crate) fn process(
    chart: &mut Chart,
    values: &Table,
    compatibility: Compatibility,
    warnings: &mut Vec<String>,
) -> Result<(), Error> {
    let mut processing = Processing {
        compatibility,
        warnings,
    };
    processing.switch(chart, &to_dict(values), "")?;
    processing.import(chart)
}

struct Processing<'w> {
    compatibility: Compatibility,
    warnings: &'w mut Vec<String>,
}

impl Processing<'_> {
    fn coalescer(&mut self) -> Coalescer<'_> {
        Coalescer {
            compatibility: self.compatibility,
            warnings: self.warnings,
        }
    }

    fn switch(&mut self, chart: &mut Chart, values: &Dict, path: &str) -> Result<(), Error> {
        let Some(mut wanted) = chart.metadata.dependencies.take() else {
            // Without such a field Helm does not look at the charts in the chart either.
            return Ok(());
        };
        chart.dependencies = named(&chart.dependencies, &mut wanted, self.compatibility);
        for dependency in &mut wanted {
            dependency.enabled = true;
        }
        let values = self.coalescer().run(chart, values, Nulls::Remove)?;
        self.by_tags(&mut wanted, &values);
        self.by_conditions(&mut wanted, &values, path);
        let (on, off): (Vec<_>, Vec<_>) = wanted
            .into_iter()
            .partition(|dependency| dependency.enabled);
        let is_off = |name: &str| off.iter().any(|dependency| dependency.name == name);
        chart.dependencies.retain(|there| !is_off(there.name()));
        let on: Vec<_> = on
            .into_iter()
            .filter(|dependency| !is_off(&dependency.name))
            .collect();
        for there in &mut chart.dependencies {
            let path = format!("{path}{}.", there.name());
            self.switch(there, &values, &path)?;
        }
        chart.metadata.dependencies = Some(on).filter(|on| !on.is_empty());
        Ok(())
    }

    fn by_tags(&mut self, wanted: &mut [Dependency], values: &Dict) {
        let Ok(tags) = table(values, "tags") else {
            return;
        };
        for dependency in wanted {
            let (mut on, mut off) = (false, false);
            for tag in &dependency.tags {
                match tags.get(tag.as_bytes()) {
                    Some(Value::Bool(true)) => on = true,
                    Some(Value::Bool(false)) => off = true,
                    None => {}
                    Some(_) => {
                        let name = &dependency.name;
                        self.warnings.push(format!(
                            "Warning: Tag '{tag}' for chart {name} returned non-bool value"
                        ));
                    }
                }
            }
            dependency.enabled = on || !off;
        }
    }

    fn by_conditions(&mut self, wanted: &mut [Dependency], values: &Dict, path: &str) {
        for dependency in wanted {
            let conditions = dependency
                .condition
                .trim()
                .split(',')
                .filter(|condition| !condition.is_empty());
            for condition in conditions {
                match path_value(values, &format!("{path}{condition}")) {
                    Ok(Value::Bool(on)) => {
                        dependency.enabled = on;
                        break;
                    }
                    Ok(_) => {
                        let name = &dependency.name;
                        let what = format!(
                            "Condition path '{condition}' for chart {name} returned non-bool value"
                        );
                        self.warnings.push(format!("Warning: {what}"));
                    }
                    Err(PathError::NoValue(_)) => {}
                    Err(error) => self
                        .warnings
                        .push(format!("Warning: PathValue returned error {error}")),
                }
            }
        }
    }

    fn import(&mut self, chart: &mut Chart) -> Result<(), Error> {
        for there in &mut chart.dependencies {
            self.import(there)?;
        }
        let Some(mut wanted) = chart.metadata.dependencies.take() else {
            return Ok(());
        };
        let values = self.coalescer().run(chart, &Dict::new([]), Nulls::Keep)?;
        let imported = Dict::new([]);
        for dependency in &mut wanted {
            self.import_from(dependency, &values, &imported)?;
        }
        // What is imported has shared tables with the values: a copy keeps one from changing the other.
        let values = deep_copy(&values);
        self.coalescer().tables(&values, &imported, "", Nulls::Keep);
        chart.values = Arc::new(from_dict(&values).unwrap_or_default());
        chart.metadata.dependencies = Some(wanted);
        Ok(())
    }

    fn import_from(
        &mut self,
        dependency: &mut Dependency,
        values: &Dict,
        imported: &Dict,
    ) -> Result<(), Error> {
        let name = dependency.name.clone();
        let mut imports = Vec::new();
        for import in &dependency.import_values {
            let (child, parent, with_chart) = match import {
                Tree::Text(export) => (
                    format!("exports.{}", String::from_utf8_lossy(export)),
                    ".".to_owned(),
                    false,
                ),
                Tree::Table(import) => {
                    let part = |key| {
                        self.part(import, key)
                            .ok_or_else(|| Error::Import(name.clone()))
                    };
                    (part("child")?, part("parent")?, true)
                }
                _ => continue,
            };
            let pair = [("child", &child), ("parent", &parent)];
            let pair = pair.map(|(key, value)| (key.to_owned(), Tree::text(value.as_str())));
            imports.push(Tree::Table(Table::from(pair)));
            match table(values, &format!("{name}.{child}")) {
                Ok(found) => {
                    let found = below(&parent, found);
                    self.coalescer().tables(imported, &found, "", Nulls::Keep);
                }
                Err(error) => {
                    let from = if with_chart {
                        format!(" from chart {name}")
                    } else {
                        String::new()
                    };
                    self.warnings.push(format!(
                        "Warning: ImportValues missing table{from}: {error}"
                    ));
                }
            }
        }
        dependency.import_values = imports;
        Ok(())
    }

    /// A part of an import, which is text; Helm 4 prints whatever it is.
    fn part(&self, import: &Table, key: &str) -> Option<String> {
        match (import.get(key), self.compatibility) {
            (Some(Tree::Text(text)), _) => Some(String::from_utf8_lossy(text).into_owned()),
            (_, Compatibility::Helm3) => None,
            (part, Compatibility::Helm4) => {
                let part = part.map_or(Value::Nil, Tree::to_value);
                Some(crate::value::print::plain(&part))
            }
        }
    }
}

/// The charts that `Chart.yaml` names, in its order and with its aliases, behind those that it does not name.
fn named(there: &[Chart], wanted: &mut [Dependency], compatibility: Compatibility) -> Vec<Chart> {
    let fits = |chart: &Chart, dependency: &Dependency| {
        chart.name() == dependency.name
            && is_compatible(&dependency.version, &chart.metadata.version)
    };
    let unnamed = there
        .iter()
        .filter(|chart| !wanted.iter().any(|dependency| fits(chart, dependency)));
    let mut charts: Vec<Chart> = unnamed.cloned().collect();
    let mut used = Vec::new();
    for dependency in wanted {
        let found = there.iter().position(|chart| fits(chart, dependency));
        if let Some(mut chart) = found.map(|at| there[at].clone()) {
            if compatibility == Compatibility::Helm3 && used.contains(&found) {
                forget_aliases(&mut chart);
            }
            used.push(found);
            let name =
                std::mem::replace(&mut chart.metadata.name, dependency.known_as().to_owned());
            let keeps =
                compatibility == Compatibility::Helm3 && chart.metadata.dependencies.is_none();
            chart.name_in_paths = Some(name).filter(|name| keeps && *name != chart.metadata.name);
            charts.push(chart);
        }
        if !dependency.alias.is_empty() {
            dependency.name.clone_from(&dependency.alias);
        }
    }
    charts
}

/// Copies of one chart under several aliases share what they say of their own dependencies in Helm 3: the first copy takes
/// the aliases and imports, and for the others the dependencies have their aliases as names, under which nothing is found.
fn forget_aliases(chart: &mut Chart) {
    for dependency in chart.metadata.dependencies.iter_mut().flatten() {
        dependency.name = dependency.known_as().to_owned();
        dependency.import_values.clear();
    }
    chart.dependencies.iter_mut().for_each(forget_aliases);
}

/// A table below the keys of a path with dots between them; `.` is the table itself.
fn below(path: &str, found: Dict) -> Dict {
    if path == "." {
        return found;
    }
    path.rsplit('.').fold(found, |inner, key| {
        Dict::new([(key.into(), Value::Dict(inner))])
    })
}
