//! The quality gate: whether the results of a run are good enough.
//!
//! The rules stand under `quality` in `sampan.yaml` ([`Quality`]). Some compare with what was there before: a [`Baseline`] is
//! what a branch had after its last run, and [`Baselines`] keeps them by project and branch in the installation. A branch
//! without one is compared with the branch that it shall go to.

mod baseline;
mod changes;
mod judge;

use std::fmt;

use serde::Serialize;

pub use baseline::{Baseline, BaselineError, Baselines, LIMIT_BYTES};
pub use changes::Changes;
pub use judge::{Before, judge};
pub use sampan_model::app::Quality;

/// Whether the results of a run are good enough, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// Whether all measures hold.
    pub passed: bool,
    /// Each rule with what was found.
    pub measures: Vec<Measure>,
}

/// A rule with what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measure {
    /// What is measured: "coverage of changed lines".
    pub name: String,
    /// Whether the rule holds.
    pub holds: bool,
    /// What the rule wants: "at least 80%".
    pub wanted: String,
    /// What was found: "76.41% (4,801 of 6,283)".
    pub found: String,
    /// The first things that speak against it, such as tests that failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

impl fmt::Display for Judgement {
    /// A line for each measure, with what speaks against it below.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.passed { "passed" } else { "failed" };
        write!(f, "quality gate {verdict}")?;
        for measure in &self.measures {
            let sign = if measure.holds { "ok" } else { "no" };
            let Measure {
                name,
                wanted,
                found,
                ..
            } = measure;
            write!(f, "\n  {sign}  {name}: {found}; wanted: {wanted}")?;
            for detail in &measure.details {
                write!(f, "\n        {detail}")?;
            }
        }
        Ok(())
    }
}
