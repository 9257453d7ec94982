//! Coalescing: the values of a chart, its parents' and the user's become what its templates see.
//!
//! Who stands higher wins: the user over the chart, the chart over its dependencies. Tables are merged, all else is
//! replaced, `null` removes a key (when coalescing) or is kept (when merging, for a later coalescing). Globals flow down.
//! The rules are Helm's, oddities included; they work on shared dictionaries, because what Helm shares between charts
//! changes together.

use crate::chart::Chart;
use crate::compatibility::Compatibility;
use crate::value::quote::quote;
use crate::value::{Dict, Value, print, printf};
use crate::values::tree::to_dict;

/// The key of the values that flow down to all dependencies.
const GLOBAL: &str = "global";

/// What happens to nulls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nulls {
    /// They remove what they are put on.
    Remove,
    /// They are kept.
    Keep,
}

/// A value stands where the table of a dependency must stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("type mismatch on {chart}: {value}")]
pub struct Mismatch {
    /// The dependency.
    pub chart: String,
    /// The value, as Go's `%t` prints it.
    pub value: String,
}

/// Coalesces, and collects the warnings.
pub struct Coalescer<'w> {
    /// Which Helm's rules.
    pub compatibility: Compatibility,
    /// What Helm would log.
    pub warnings: &'w mut Vec<String>,
}

impl Coalescer<'_> {
    /// Puts the defaults of a chart and its dependencies under some values, which are not changed.
    ///
    /// # Errors
    /// When a value stands where the table of a dependency must stand.
    pub fn run(&mut self, chart: &Chart, values: &Dict, nulls: Nulls) -> Result<Dict, Mismatch> {
        let target = deep_copy(values);
        self.chart(chart, &target, "", nulls)?;
        Ok(target)
    }

    fn chart(
        &mut self,
        chart: &Chart,
        target: &Dict,
        prefix: &str,
        nulls: Nulls,
    ) -> Result<(), Mismatch> {
        self.defaults(chart, target, prefix, nulls);
        let prefix = joined(prefix, &chart.metadata.name);
        for dependency in &chart.dependencies {
            let name = dependency.metadata.name.as_str();
            let table = match target.get(name.as_bytes()) {
                Some(Value::Dict(table)) => table,
                None => {
                    let table = Dict::new([]);
                    target.insert(name.into(), Value::Dict(table.clone()));
                    table
                }
                Some(value) => {
                    let value = printf::printf(b"%t", &[value])
                        .map(|text| text.to_string())
                        .unwrap_or_default();
                    return Err(Mismatch {
                        chart: name.to_owned(),
                        value,
                    });
                }
            };
            self.globals(&table, target, &prefix);
            self.chart(dependency, &table, &prefix, nulls)?;
        }
        Ok(())
    }

    /// Hands the globals of a chart down into the table of a dependency.
    fn globals(&mut self, target: &Dict, source: &Dict, prefix: &str) {
        let mut found = Vec::new();
        for (values, role) in [(target, "destination"), (source, "source")] {
            match values.get(GLOBAL.as_bytes()) {
                None => found.push(Dict::new([])),
                Some(Value::Dict(globals)) => found.push(globals),
                Some(_) => {
                    let warning = format!(
                        "warning: skipping globals because {role} {GLOBAL} is not a table."
                    );
                    self.warnings.push(warning);
                    return;
                }
            }
        }
        let [globals, from] = &found[..] else { return };
        for (key, value) in snapshot(from) {
            let Value::Dict(table) = value else {
                if let Some(Value::Dict(_)) = globals.get(&key) {
                    self.warnings.push(format!("key {key} is table. Skipping"));
                } else {
                    globals.insert(key, value);
                }
                continue;
            };
            // A copy of the table itself only: what is nested in it stays shared with the parent.
            let copy = Dict::new(snapshot(&table));
            match globals.get(&key) {
                None => globals.insert(key, Value::Dict(copy)),
                Some(Value::Dict(own)) => {
                    self.tables(&copy, &own, &joined(prefix, &key.to_str()), Nulls::Keep);
                    globals.insert(key, Value::Dict(copy));
                }
                Some(_) => {
                    let key = quote(&key);
                    self.warnings.push(format!(
                        "Conflict: cannot merge map onto non-map for {key}. Skipping."
                    ));
                }
            }
        }
        target.insert(GLOBAL.into(), Value::Dict(globals.clone()));
    }

    /// Puts the values of a chart itself under some values.
    fn defaults(&mut self, chart: &Chart, target: &Dict, prefix: &str, nulls: Nulls) {
        let prefix = joined(prefix, &chart.metadata.name);
        let cleans = nulls == Nulls::Remove && self.compatibility == Compatibility::Helm4;
        for (key, value) in snapshot(&to_dict(&chart.values)) {
            let Some(existing) = target.get(&key) else {
                if cleans {
                    match &value {
                        Value::Nil => continue,
                        Value::Dict(table) => remove_nulls(table),
                        _ => {}
                    }
                }
                target.insert(key, value);
                continue;
            };
            match (existing, value) {
                (Value::Nil, _) if nulls == Nulls::Remove => {
                    target.entries_mut().remove(&key);
                }
                (Value::Dict(table), Value::Dict(defaults)) => {
                    let name = key.to_str();
                    let of_dependency = chart
                        .dependencies
                        .iter()
                        .any(|one| one.metadata.name == name);
                    let nulls = if of_dependency { Nulls::Keep } else { nulls };
                    // What the user changes of a dependency keeps the nulls beside it.
                    if cleans && !of_dependency {
                        remove_nulls(&defaults);
                    }
                    self.tables(&table, &defaults, &joined(&prefix, &name), nulls);
                }
                (Value::Dict(_), Value::Nil) => {}
                (Value::Dict(_), _) => {
                    self.warnings.push(format!(
                        "warning: skipped value for {prefix}.{key}: Not a table."
                    ));
                }
                _ => {}
            }
        }
    }

    /// Puts one table under another.
    pub(crate) fn tables(&mut self, target: &Dict, source: &Dict, prefix: &str, nulls: Nulls) {
        let mut set_before: Option<Vec<_>> = None;
        if self.compatibility == Compatibility::Helm4 {
            let set = snapshot(source)
                .into_iter()
                .filter(|(_, value)| !matches!(value, Value::Nil));
            set_before = Some(set.map(|(key, _)| key).collect());
            for (key, value) in snapshot(target) {
                if matches!(value, Value::Nil) {
                    source.insert(key, Value::Nil);
                }
            }
        }
        for (key, value) in snapshot(source) {
            let name = joined(prefix, &key.to_str());
            let Some(existing) = target.get(&key) else {
                target.insert(key, value);
                continue;
            };
            let removes = set_before.as_ref().is_none_or(|set| set.contains(&key));
            match (existing, value) {
                (Value::Nil, _) if nulls == Nulls::Remove && removes => {
                    target.entries_mut().remove(&key);
                }
                (Value::Dict(table), Value::Dict(more)) => self.tables(&table, &more, &name, nulls),
                (_, Value::Dict(more)) => {
                    let value = print::plain(&Value::Dict(more));
                    self.warnings.push(format!(
                        "warning: cannot overwrite table with non table for {name} ({value})"
                    ));
                }
                (Value::Dict(_), value) if !matches!(value, Value::Nil) => {
                    let value = print::plain(&value);
                    let what = format!(
                        "destination for {name} is a table. Ignoring non-table value ({value})"
                    );
                    self.warnings.push(format!("warning: {what}"));
                }
                _ => {}
            }
        }
    }
}

/// The entries of a table, so that it may be changed while they are walked.
pub(crate) fn snapshot(table: &Dict) -> Vec<(crate::value::Text, Value)> {
    let entries = table.entries();
    entries
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// A copy that shares no table with the original.
pub(crate) fn deep_copy(table: &Dict) -> Dict {
    Dict::new(
        snapshot(table)
            .into_iter()
            .map(|(key, value)| (key, copied(value))),
    )
}

fn copied(value: Value) -> Value {
    match value {
        Value::Dict(table) => Value::Dict(deep_copy(&table)),
        Value::List(list) => Value::list(list.items().iter().cloned().map(copied)),
        plain => plain,
    }
}

fn remove_nulls(table: &Dict) {
    for (key, value) in snapshot(table) {
        match value {
            Value::Nil => {
                table.entries_mut().remove(&key);
            }
            Value::Dict(inner) => remove_nulls(&inner),
            _ => {}
        }
    }
}

fn joined(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}.{name}")
    }
}
