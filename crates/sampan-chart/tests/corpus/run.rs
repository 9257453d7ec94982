//! Renders a case.

use std::rc::Rc;

use sampan_chart::compatibility::Compatibility;
use sampan_chart::template::{Executor, Settings, Templates, erase_no_value};
use sampan_chart::value::{Dict, DictType, Text, Value};
use sampan_chart::yaml;

use super::case::Case;

const FILE: &str = "vec/templates/t.yaml";

/// What Sampan answers in place of a Helm.
pub(crate) fn run(case: &Case, compatibility: Compatibility) -> Result<Vec<u8>, String> {
    let plain = case.chart.is_empty() && case.files.is_empty() && case.arguments.is_empty();
    let Some(template) = case
        .template
        .as_deref()
        .filter(|_| plain && case.mode == "text")
    else {
        return Err("not rendered yet: whole charts".to_owned());
    };
    let settings = Settings {
        compatibility,
        ..Settings::default()
    };
    let mut templates = Templates::new();
    templates
        .add(FILE, template)
        .map_err(|error| error.report(FILE, compatibility))?;
    let of = compatibility.pick(DictType::Values, DictType::CommonValues);
    let data = data(case.values.as_deref().unwrap_or("{}"), of)?;
    let mut executor = Executor::new(Rc::new(templates), &settings);
    executor
        .execute(FILE.as_bytes(), data)
        .map(erase_no_value)
        .map_err(|error| error.report(FILE, compatibility))
}

/// The objects that a template sees.
fn data(values: &str, of: DictType) -> Result<Value, String> {
    let values = yaml::decode(values.as_bytes())
        .map_err(|error| format!("cannot load values.yaml: {error}"))?;
    let values = match values {
        Value::Dict(dict) => dict.retyped(of),
        _ => Dict::of(of, []),
    };
    let release = Value::dict([
        ("Name", Value::text("rel")),
        ("Namespace", Value::text("default")),
        ("Service", Value::text("Helm")),
        ("Revision", Value::int(1)),
        ("IsInstall", Value::Bool(true)),
        ("IsUpgrade", Value::Bool(false)),
    ]);
    let root = [
        ("Values", Value::Dict(values)),
        ("Release", release),
        ("Subcharts", Value::dict::<&str>([])),
        ("Chart", Value::dict([("Name", Value::text("vec"))])),
        ("Template", Value::dict([("Name", Value::text(FILE))])),
    ];
    let root = root.map(|(name, value)| (Text::from(name), value));
    Ok(Value::Dict(Dict::of(of, root)))
}
