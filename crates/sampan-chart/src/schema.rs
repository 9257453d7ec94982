//! `values.schema.json`: what a chart wants its values to be.
//!
//! The two Helms use different libraries. Which schemas they take, which faults they tell, in which order and in which
//! words: all differs, and pipelines show it to people. So one reader serves two checkers. Schemas refer to themselves
//! only: nothing is fetched.

use crate::chart::Chart;
use crate::compatibility::Compatibility;
use crate::value::{Dict, Value};
use json::Json;

mod compile;
mod decimal;
mod format;
mod helm3;
mod helm4;
mod json;
mod meta;
mod node;

/// The newest edition.
const NEWEST: u32 = 2020;
const NEWEST_ADDRESS: &str = "https://json-schema.org/draft/2020-12/schema";

/// Checks the values of a chart, and those in it for the charts in it.
///
/// # Errors
/// The faults, chart by chart, as Helm prints them.
pub(crate) fn check(
    chart: &Chart,
    values: &Dict,
    compatibility: Compatibility,
) -> Result<(), String> {
    let mut faults = String::new();
    push_faults(chart, values, compatibility, &mut faults);
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

fn push_faults(chart: &Chart, values: &Dict, compatibility: Compatibility, faults: &mut String) {
    let name = chart.name();
    if let Some(schema) = &chart.schema
        && let Err(problem) = check_one(schema, values, compatibility)
    {
        faults.extend([name, ":\n", &problem]);
    }
    for there in &chart.dependencies {
        // After coalescing every chart has its table.
        if let Some(Value::Dict(values)) = values.get(there.name().as_bytes()) {
            push_faults(there, &values, compatibility, faults);
        }
    }
}

/// Checks values against one schema.
pub(crate) fn check_one(
    schema: &[u8],
    values: &Dict,
    compatibility: Compatibility,
) -> Result<(), String> {
    let document = Json::parse(schema)?;
    let value = Json::from_dict(values);
    let endless = |_| "schema refers to itself without end, or asks for too much work".to_owned();
    let lines: Vec<String> = match compatibility {
        Compatibility::Helm3 => {
            let schema = compile::compile(&document, draft_of_helm3(&document)?, compatibility)?;
            let faults = helm3::faults(&schema, &value).map_err(endless)?;
            faults
                .into_iter()
                .map(|fault| format!("- {fault}"))
                .collect()
        }
        Compatibility::Helm4 => {
            let (draft, address) = draft_of_helm4(&document)?;
            if let Some(faults) = meta::faults(&document, draft) {
                let start = "\"file:///values.schema.json#\" is not valid against metaschema";
                return Err(format!(
                    "{start}: jsonschema validation failed with '{address}#'\n{faults}"
                ));
            }
            let schema = compile::compile(&document, draft, compatibility)?;
            helm4::faults(&schema, &value).map_err(endless)?
        }
    };
    if lines.is_empty() {
        return Ok(());
    }
    Err(lines.join("\n") + "\n")
}

fn draft_of_helm3(document: &Json) -> Result<u32, String> {
    match document {
        Json::Bool(_) => Ok(compile::MIXED),
        Json::Object(_) => Ok(match document.get("$schema") {
            None => compile::MIXED,
            Some(Json::Text(address)) => match draft_of(address) {
                Some(draft @ 4..=7) => draft,
                _ => compile::MIXED,
            },
            Some(_) => return Err("$schema must be of type string".to_owned()),
        }),
        _ => Err("schema is invalid".to_owned()),
    }
}

/// The edition and its address.
fn draft_of_helm4(document: &Json) -> Result<(u32, &str), String> {
    match document.get("$schema") {
        Some(Json::Text(address)) => match draft_of(address) {
            Some(NEWEST) => Ok((NEWEST, NEWEST_ADDRESS)),
            Some(draft) => Ok((draft, address.trim_end_matches('#'))),
            None => Err(format!(
                "failing loading \"{address}\": schemas from other places are not fetched"
            )),
        },
        _ => Ok((NEWEST, NEWEST_ADDRESS)),
    }
}

fn draft_of(address: &str) -> Option<u32> {
    let address = address
        .strip_prefix("https://")
        .or_else(|| address.strip_prefix("http://"))?;
    match address.trim_end_matches('#') {
        "json-schema.org/draft-04/schema" => Some(4),
        "json-schema.org/draft-06/schema" => Some(6),
        "json-schema.org/draft-07/schema" => Some(7),
        "json-schema.org/draft/2019-09/schema" => Some(2019),
        // An address without an edition means the newest.
        "json-schema.org/draft/2020-12/schema" | "json-schema.org/schema" => Some(NEWEST),
        _ => None,
    }
}

/// A schema refers to itself without end, or asks for more work than any schema needs.
#[derive(Debug, Clone, Copy)]
struct Endless;

/// Bounds of checking.
struct Bounds {
    depth: usize,
    steps: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            depth: 4_000,
            steps: 5_000_000,
        }
    }
}

impl Bounds {
    fn enter(&mut self) -> Result<(), Endless> {
        self.depth = self.depth.checked_sub(1).ok_or(Endless)?;
        self.steps = self.steps.checked_sub(1).ok_or(Endless)?;
        Ok(())
    }

    fn leave(&mut self) {
        self.depth += 1;
    }
}
