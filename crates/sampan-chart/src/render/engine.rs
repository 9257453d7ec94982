//! Carrying the templates of a chart and of the charts in it out.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::files::Files;
use super::{Options, chart_value};
use crate::chart::Chart;
use crate::template::{Executor, Settings, Templates, erase_no_value};
use crate::value::{Dict, DictType, Text, Value};
use crate::values::table;

/// A template with what it sees.
struct Renderable {
    text: Text,
    data: Dict,
    /// The path of the folder of templates that it is in.
    base: String,
}

/// What all templates of a chart see in common.
struct Common {
    release: Value,
    capabilities: Value,
}

/// The texts that the templates print, by their paths from the outermost chart on; partials print nothing.
///
/// # Errors
/// The first failure, as Helm prints it.
pub(super) fn run(
    chart: &Chart,
    values: &Dict,
    options: &Options,
) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let common = Common {
        release: options.release.to_value(),
        capabilities: options.capabilities.to_value(options.compatibility),
    };
    let mut renderables = BTreeMap::new();
    collect(
        chart,
        (chart.name(), true),
        &values.retyped(values_type(options)),
        &common,
        options,
        &mut renderables,
    );
    let order = order(&renderables);
    let mut templates = Templates::of(options.compatibility);
    for path in &order {
        let added = templates.add(path, renderables[*path].text.clone());
        added.map_err(|error| error.report(path, options.compatibility))?;
    }
    let settings = Settings {
        compatibility: options.compatibility,
        lint: options.lint,
        cluster: options.cluster.clone(),
        ..Settings::default()
    };
    let mut executor = Executor::new(Rc::new(templates), &settings);
    let mut rendered = BTreeMap::new();
    for path in order {
        if path
            .rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with('_'))
        {
            continue;
        }
        let Renderable { data, base, .. } = &renderables[path];
        let template = [
            ("Name", Value::text(path)),
            ("BasePath", Value::text(base.as_str())),
        ];
        let template = template.map(|(key, value)| (Text::from(key), value));
        data.insert(
            "Template".into(),
            Value::Dict(Dict::of(values_type(options), template)),
        );
        let printed = executor.execute(path.as_bytes(), Value::Dict(data.clone()));
        let printed = printed.map_err(|error| error.report(path, options.compatibility))?;
        rendered.insert(path.to_owned(), erase_no_value(printed));
    }
    Ok(rendered)
}

/// Deeper files first, later names first: so the definitions of outer charts replace those of inner ones.
fn order(renderables: &BTreeMap<String, Renderable>) -> Vec<&str> {
    let mut order: Vec<&str> = renderables.keys().map(String::as_str).collect();
    order.sort_by_key(|path| std::cmp::Reverse((path.matches('/').count(), *path)));
    order
}

/// Go's type of what Helm calls values.
fn values_type(options: &Options) -> DictType {
    options
        .compatibility
        .pick(DictType::Values, DictType::CommonValues)
}

/// Collects the templates of a chart at a path; gives what they see.
fn collect(
    chart: &Chart,
    (path, is_root): (&str, bool),
    values: &Dict,
    common: &Common,
    options: &Options,
    renderables: &mut BTreeMap<String, Renderable>,
) -> Dict {
    let subcharts = Dict::new([]);
    let seen = [
        (
            "Chart",
            chart_value::of(&chart.metadata, is_root, options.compatibility),
        ),
        ("Files", Value::Object(Rc::new(Files::new(&chart.files)))),
        ("Release", common.release.clone()),
        ("Capabilities", common.capabilities.clone()),
        ("Values", Value::Dict(values.clone())),
        ("Subcharts", Value::Dict(subcharts.clone())),
    ];
    let seen = Dict::new(seen.map(|(key, value)| (Text::from(key), value)));
    for there in &chart.dependencies {
        let values = table(values, there.name()).unwrap_or_else(|_| Dict::new([]));
        let path = chart.path_of(path, there);
        let inner = collect(
            there,
            (&path, false),
            &values.retyped(values_type(options)),
            common,
            options,
            renderables,
        );
        subcharts.insert(there.name().into(), Value::Dict(inner));
    }
    for file in &chart.templates {
        let is_partial = file
            .name
            .rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with('_'));
        if chart.metadata.is_library() && !is_partial {
            continue;
        }
        let renderable = Renderable {
            text: Text::from(&*file.data),
            data: seen.retyped(values_type(options)),
            base: format!("{path}/templates"),
        };
        renderables.insert(format!("{path}/{}", file.name), renderable);
    }
    seen
}
