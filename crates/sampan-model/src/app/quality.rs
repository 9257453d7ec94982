//! The quality gate: what the results of a pipeline must be.
//!
//! ```yaml
//! quality:
//!   reports: [reports/*.xml, coverage.out]   # where steps leave results, from the root of the source tree
//!   tests: {failed: 0, atLeast: 100}
//!   coverage: {atLeast: 80%, newLines: 70%, drop: 1%}
//!   findings:
//!     critical: {new: 0}                     # none that the branch before did not have
//!     error: {new: 0, all: 20}
//!     warning: 200                           # short for `all`
//! ```
//!
//! The gate is about the source tree: it is no part of a release.

use std::collections::BTreeMap;
use std::fmt;

use super::fields::{At, Fields, Place};
use super::pattern::{Pattern, PatternError};
use super::{AppError, read};
use crate::yaml::{self, Content};

/// What the results of a pipeline must be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quality {
    /// Which files of the source tree hold results when the pipeline has run.
    pub reports: Vec<Pattern>,
    /// What tests must be like.
    pub tests: Option<TestsRule>,
    /// What coverage must be like.
    pub coverage: Option<CoverageRule>,
    /// How many findings there may be.
    pub findings: BTreeMap<Severity, FindingsRule>,
}

/// What tests must be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestsRule {
    /// How many may fail.
    pub failed: u32,
    /// How many must have run, so that a report that is missing does not count as success.
    pub at_least: u32,
}

/// What coverage must be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CoverageRule {
    /// How much of the code must be run by tests.
    pub at_least: Option<Percent>,
    /// How much of the changed lines must be run by tests.
    pub new_lines: Option<Percent>,
    /// By how much it may be less than before.
    pub drop: Option<Percent>,
}

/// How many findings there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FindingsRule {
    /// How many that were not there before.
    pub new: Option<u32>,
    /// How many in all.
    pub all: Option<u32>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something can be exploited.
    Critical,
    /// Something is wrong.
    Error,
    /// Something may be wrong.
    Warning,
    /// For the record.
    Info,
}

impl Severity {
    /// All severities, the worst first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::Error, Self::Warning, Self::Info];

    /// Its name in the file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// A part of a whole, in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u32);

impl Percent {
    /// All of it.
    const WHOLE: u32 = 10_000;

    /// The part in hundredths of a percent, 0 to 10,000.
    #[must_use]
    pub fn hundredths(self) -> u32 {
        self.0
    }

    fn read(at: &At<'_>) -> Result<Self, AppError> {
        let text = at.scalar()?;
        let trimmed = text.trim();
        let number = trimmed.strip_suffix('%').unwrap_or(trimmed);
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let hundredths = (part.len() <= 2 && !whole.is_empty() && digits(whole) && digits(part))
            .then(|| format!("{whole}{part:0<2}").parse::<u32>().ok())
            .flatten()
            .filter(|hundredths| *hundredths <= Self::WHOLE);
        hundredths.map(Self).ok_or_else(|| {
            at.invalid(
                "is no percentage",
                "give a number from 0 to 100, such as `80%` or `82.5%`",
            )
        })
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 100, self.0 % 100);
        match part {
            0 => write!(f, "{whole}%"),
            part if part % 10 == 0 => write!(f, "{whole}.{}%", part / 10),
            part => write!(f, "{whole}.{part:02}%"),
        }
    }
}

impl Quality {
    /// Reads the gate of a `sampan.yaml` without looking at the rest: who only checks code has no app to describe.
    ///
    /// # Errors
    /// [`AppError`] with file, line and column at the first thing that is wrong.
    pub fn parse(file: &str, text: &str) -> Result<Option<Self>, AppError> {
        let documents = yaml::documents(file, text)?;
        let Some(root) = documents.first() else {
            return Ok(None);
        };
        if !matches!(root.content, Content::Mapping(_)) {
            return Ok(None);
        }
        let fields = Fields::of(root, &Place::root(), read::KEYS)?;
        read::header(&fields)?;
        fields
            .optional("quality")
            .map(|at| Self::read(&at))
            .transpose()
    }

    pub(super) fn read(at: &At<'_>) -> Result<Self, AppError> {
        let keys = &["reports", "tests", "coverage", "findings"];
        let fields = Fields::of(at.node, &at.place, keys)?;
        let reports = match fields.optional("reports") {
            Some(at) => at.items()?.iter().map(report).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        Ok(Self {
            reports,
            tests: fields.optional("tests").map(|at| tests(&at)).transpose()?,
            coverage: fields
                .optional("coverage")
                .map(|at| coverage(&at))
                .transpose()?,
            findings: match fields.optional("findings") {
                Some(at) => findings(&at)?,
                None => BTreeMap::new(),
            },
        })
    }
}

fn report(at: &At<'_>) -> Result<Pattern, AppError> {
    at.text()?.parse().map_err(|error: PatternError| {
        let advice = "give a path within the source tree, such as `reports/*.xml`";
        at.problem(error.to_string(), advice.to_owned())
    })
}

fn count(fields: &Fields<'_>, key: &str) -> Result<Option<u32>, AppError> {
    let at = fields.optional(key);
    at.map(|at| at.integer(0, 1_000_000_000)).transpose()
}

fn tests(at: &At<'_>) -> Result<TestsRule, AppError> {
    let fields = Fields::of(at.node, &at.place, &["failed", "atLeast"])?;
    Ok(TestsRule {
        failed: count(&fields, "failed")?.unwrap_or(0),
        at_least: count(&fields, "atLeast")?.unwrap_or(1),
    })
}

fn coverage(at: &At<'_>) -> Result<CoverageRule, AppError> {
    let fields = Fields::of(at.node, &at.place, &["atLeast", "newLines", "drop"])?;
    let percent = |key| {
        fields
            .optional(key)
            .map(|at| Percent::read(&at))
            .transpose()
    };
    Ok(CoverageRule {
        at_least: percent("atLeast")?,
        new_lines: percent("newLines")?,
        drop: percent("drop")?,
    })
}

fn findings(at: &At<'_>) -> Result<BTreeMap<Severity, FindingsRule>, AppError> {
    let names = Severity::ALL.map(Severity::name);
    let fields = Fields::of(at.node, &at.place, &names)?;
    let mut rules = BTreeMap::new();
    for severity in Severity::ALL {
        let Some(at) = fields.optional(severity.name()) else {
            continue;
        };
        let rule = if matches!(at.node.content, Content::Number(_)) {
            FindingsRule {
                new: None,
                all: Some(at.integer(0, 1_000_000_000)?),
            }
        } else {
            let fields = Fields::of(at.node, &at.place, &["new", "all"])?;
            FindingsRule {
                new: count(&fields, "new")?,
                all: count(&fields, "all")?,
            }
        };
        rules.insert(severity, rule);
    }
    Ok(rules)
}
