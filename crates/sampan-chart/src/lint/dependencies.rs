//! Checks of the charts in a chart.

use std::collections::BTreeSet;

use super::{Linter, Severity};
use crate::chart::{Chart, Dependency};

impl Linter<'_> {
    pub(super) fn dependencies(&mut self) {
        let path = std::path::absolute(self.path).unwrap_or_else(|_| self.path.to_owned());
        let path = path.display().to_string();
        let rules = match &self.chart {
            Err(problem) => {
                let text = format!("unable to load chart\n\t{problem}");
                self.tell(Severity::Error, "", text);
                return;
            }
            Ok(chart) => [
                (Severity::Error, not_named(chart)),
                (Severity::Error, twice(chart)),
                (Severity::Warning, not_there(chart)),
            ],
        };
        for (severity, found) in rules {
            self.rule(severity, &path, found);
        }
    }
}

fn wanted(chart: &Chart) -> impl Iterator<Item = &Dependency> {
    chart.metadata.dependencies.iter().flatten()
}

fn none_of(what: &str, names: &[&str]) -> Result<(), String> {
    if names.is_empty() {
        Ok(())
    } else {
        Err(format!("{what}: {}", names.join(",")))
    }
}

fn not_named(chart: &Chart) -> Result<(), String> {
    let names: Vec<&str> = chart
        .dependencies
        .iter()
        .map(Chart::name)
        .filter(|name| wanted(chart).all(|one| one.name != *name))
        .collect();
    none_of("chart metadata is missing these dependencies", &names)
}

fn twice(chart: &Chart) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    let names: Vec<&str> = wanted(chart)
        .map(Dependency::known_as)
        .filter(|name| !seen.insert(*name))
        .collect();
    none_of("multiple dependencies with name or alias", &names)
}

fn not_there(chart: &Chart) -> Result<(), String> {
    let names: Vec<&str> = wanted(chart)
        .map(|one| one.name.as_str())
        .filter(|name| chart.dependencies.iter().all(|there| there.name() != *name))
        .collect();
    none_of("chart directory is missing these dependencies", &names)
}
