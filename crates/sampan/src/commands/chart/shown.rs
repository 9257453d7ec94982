//! Releases as they are shown: the form of `helm status`, with the objects and how they are.

use sampan_chart::release::{DryRun, ObjectState, Release};
use sampan_chart::render::Event;
use sampan_chart::value::Value as ChartValue;
use sampan_chart::values::{Table as Values, to_dict};
use sampan_chart::yaml;
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::{Failure, OrFail as _};
use crate::ui::Table;

/// What of a release is shown.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// The objects and how they are.
    pub(crate) objects: Option<Vec<ObjectState>>,
    /// The sentence about it.
    pub(crate) description: bool,
    /// The hooks and manifests.
    pub(crate) manifests: bool,
    /// No notes.
    pub(crate) no_notes: bool,
}

/// Prints what was done with a release, or would be.
pub(crate) fn change(
    release: &Release,
    dry_run: DryRun,
    no_notes: bool,
    context: &Context,
) -> Result<(), Failure> {
    if context.json() {
        return context.ui().json(&to_json(release)?);
    }
    let parts = Parts {
        manifests: dry_run != DryRun::No,
        no_notes,
        ..Parts::default()
    };
    context.ui().line(text(release, &parts))
}

/// A release as text, without the line break at its end.
pub(crate) fn text(release: &Release, parts: &Parts) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &dyn std::fmt::Display| {
        text.extend([
            name,
            ": ",
            &value.to_string(),
            "
",
        ]);
    };
    line("NAME", &release.name);
    line("LAST DEPLOYED", &release.info.last_deployed);
    line("NAMESPACE", &release.namespace);
    line("STATUS", &release.info.status);
    line("REVISION", &release.version);
    line("CHART", &release.chart.full_name());
    if parts.description {
        line("DESCRIPTION", &release.info.description);
    }
    if let Some(objects) = &parts.objects {
        text.push_str(&resources(objects));
    }
    text.push_str(&tests(release));
    if parts.manifests {
        text.push_str("HOOKS:\n");
        text.push_str(&hooks(release));
        text.push_str("MANIFEST:\n");
        text.push_str(&release.manifest);
        text.push('\n');
    }
    let notes = release.info.notes.trim();
    if !notes.is_empty() && !parts.no_notes {
        text.push_str("NOTES:\n");
        text.push_str(notes);
    }
    text.trim_end().to_owned()
}

/// The hooks as documents with their sources.
pub(crate) fn hooks(release: &Release) -> String {
    let hooks = release.hooks.iter();
    let hooks = hooks.map(|hook| format!("---\n# Source: {}\n{}\n", hook.path, hook.manifest));
    hooks.collect::<Vec<_>>().concat()
}

fn resources(objects: &[ObjectState]) -> String {
    let mut table = Table::new(["kind", "name", "namespace", "state"]);
    for object in objects {
        let namespace = object.id.namespace.clone().unwrap_or_default();
        table.row([
            object.id.kind.clone(),
            object.id.name.clone(),
            namespace,
            object.state.clone(),
        ]);
    }
    format!("RESOURCES:\n{table}\n")
}

/// How the tests went that have been begun.
fn tests(release: &Release) -> String {
    let mut tests = release
        .hooks
        .iter()
        .filter(|hook| hook.is_for(Event::Test))
        .peekable();
    if tests.peek().is_none() {
        return "TEST SUITE: None\n".to_owned();
    }
    let begun = tests.filter(|hook| hook.last_run.started_at.0.is_some());
    let shown = begun.map(|hook| {
        let run = &hook.last_run;
        format!(
            "TEST SUITE:     {}\nLast Started:   {}\nLast Completed: {}\nPhase:          {}\n",
            hook.name, run.started_at, run.completed_at, run.phase
        )
    });
    shown.collect::<Vec<_>>().concat()
}

/// A release as JSON: the record of Helm, without the files of the chart.
pub(crate) fn to_json(release: &Release) -> Result<Value, Failure> {
    let mut record = serde_json::to_value(release).or_fail("cannot write the release as JSON")?;
    let metadata = record.pointer_mut("/chart/metadata").map(Value::take);
    record["chart"] = json!({"metadata": metadata});
    record["labels"] = json!(release.labels);
    Ok(record)
}

/// Values as YAML, without the line break at its end; `null` for none, as Helm prints it.
pub(crate) fn values(values: &Values) -> Result<String, Failure> {
    if values.is_empty() {
        return Ok("null".to_owned());
    }
    let text = yaml::encode(&ChartValue::Dict(to_dict(values)))?;
    Ok(text.to_str().trim_end().to_owned())
}
