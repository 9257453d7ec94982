//! Tests.

use std::time::Duration;

/// A test that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestCase {
    /// The names of the suites around it, from the outermost.
    pub suites: Vec<String>,
    /// The class or module.
    pub class: String,
    /// The name.
    pub name: String,
    /// The file that has it, where that is told.
    pub file: Option<String>,
    /// How long it took.
    pub duration: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Passed,
    /// What it asserts is not so.
    Failed {
        /// In short.
        message: String,
        /// In full.
        details: String,
    },
    /// It could not be carried out.
    Broken {
        /// In short.
        message: String,
        /// In full.
        details: String,
    },
    /// It was left out.
    Skipped {
        /// Why.
        message: String,
    },
}

impl Outcome {
    /// Whether the test speaks against the code.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Broken { .. })
    }
}
