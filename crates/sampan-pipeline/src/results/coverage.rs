//! Coverage: which lines were run.

use std::collections::BTreeMap;

/// Coverage by file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The files as the tool names them.
    pub files: BTreeMap<String, FileCoverage>,
}

/// Coverage of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileCoverage {
    /// How often each line was run that can be run; lines count from 1.
    pub lines: BTreeMap<u32, u64>,
    /// Statements that were run and all statements, where the tool counts these and not lines.
    pub statements: Option<(u64, u64)>,
}

impl FileCoverage {
    /// Counts runs of a line.
    pub(super) fn hit(&mut self, line: u32, times: u64) {
        let known = self.lines.entry(line).or_default();
        *known = known.saturating_add(times);
    }

    /// What was run of how much: statements where they are counted, else lines.
    #[must_use]
    pub fn covered(&self) -> (u64, u64) {
        self.statements.unwrap_or_else(|| {
            let run = self.lines.values().filter(|times| **times > 0).count();
            (run as u64, self.lines.len() as u64)
        })
    }
}

impl Coverage {
    /// What was run of how much, over all files.
    #[must_use]
    pub fn covered(&self) -> (u64, u64) {
        self.files.values().fold((0, 0), |(run, all), file| {
            let (more, of) = file.covered();
            (run + more, all + of)
        })
    }

    /// The part that was run, 0 to 1; `None` when there is nothing that can be run.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "lines of code are no more than what a double counts exactly"
    )]
    pub fn ratio(&self) -> Option<f64> {
        let (run, all) = self.covered();
        (all > 0).then(|| run as f64 / all as f64)
    }

    /// Adds what other tests have run.
    pub(super) fn add(&mut self, other: Self) {
        for (name, file) in other.files {
            let known = self.files.entry(name).or_default();
            // Which statements two files have in common is not known; the better one counts.
            known.statements = match (known.statements, file.statements) {
                (Some(left), Some(right)) if left.0 >= right.0 => Some(left),
                (left, right) => right.or(left),
            };
            for (line, times) in file.lines {
                known.hit(line, times);
            }
        }
    }
}
